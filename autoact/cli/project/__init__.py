"""The verbs `new`, `list`, `check`, `duplicate`, `rename`, `shelve` (projects.py, inspection.py) and `trust`."""
