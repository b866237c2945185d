"""Figures of runs, read from their logs: costs, totals, comparisons of methods and runs, lineage, and their statistics.

The commands and the studio import this package; no stage or job does. Only rating.py writes a file: people's ratings.
Begin with tally.py.
"""
