"""The paper's stages and the session, one module each; `autoact.registry.stages` lists them in order.

A stage's module has `begin(context)`, which returns a generator: it yields rounds of units, and the events that record
its decisions. Stages reach the model and the tools only through `autoact.script`. The registry names them, and
`autoact.job` plays them. Begin with `context` (the input of a stage), then `synthesis`.
"""
