"""Figures of runs, read from logs alone: costs, totals, comparisons of methods and runs, and their statistics.

The commands `stats`, `compare` and `runs` and the studio read them. This package imports autoact.run.record and
autoact.metrics, and nothing of it is imported by a run. Begin with tally.py.
"""
