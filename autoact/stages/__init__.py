"""The paper's stages, one module each; `autoact.registry.stages` lists them in order.

A stage's module has `begin(context)`: a generator of rounds of units, and of the events that its decisions become.
"""
