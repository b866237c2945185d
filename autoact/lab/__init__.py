"""Figures of runs: token costs and totals, read from a log alone.

The commands `stats` and `runs` and the studio read them. This package imports autoact.run.record and autoact.metrics,
and nothing of it is imported by a run. Begin with tally.py.
"""
