"""The verbs that show runs and change nothing: `runs` and `stats`, `attach` (follow.py, table.py), `log`, `report`."""
