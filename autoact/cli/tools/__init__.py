"""The verbs of `autoact tools`."""
