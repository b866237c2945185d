"""Plans the memory of a model from its config.json alone: no weights are read, and torch is rarely imported.

`architecture` reads sizes and counts parameters, `needs` computes bytes, `cards` finds the devices, and `plan` decides
what fits and with which settings. Begin with `plan`.
"""
