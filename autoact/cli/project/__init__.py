"""The verbs `new`, `check`, `duplicate`, `rename`, `shelve` (projects.py, inspection.py) and `trust`."""
