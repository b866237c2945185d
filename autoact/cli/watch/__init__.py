"""The verbs that show and compare runs: `runs` and `stats`, `attach` (follow.py, table.py), `log`, `prompt`, `inspect`,
`lineage`, `compare`, `report`; and `rate`, which also writes a person's ratings."""
