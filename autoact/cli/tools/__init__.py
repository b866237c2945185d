"""The verbs of `autoact tools`; listing.py defines `list` and `show` and adds those of the other files."""
