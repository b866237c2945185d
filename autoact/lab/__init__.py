"""Figures of runs, read from their logs: costs, totals, comparisons of methods and runs, lineage, and their statistics.

The commands and the studio read them; rating.py alone writes a file, with what people choose. This package imports
autoact.run.record and autoact.metrics, and nothing of it is imported by a run. Begin with tally.py.
"""
