"""The verbs that start a run's job: `run`, `resume`, `ask` (session.py asks a live session) and `eval`.

run.py checks the settings, makes the run's folder and starts its keeper; the other verbs use these functions.
"""
