"""Figures of runs, read from their logs: costs, totals, comparisons of methods and runs, lineage, and their statistics.

rating.py alone writes a file: what people choose. The commands and the studio read all of it. This package imports autoact.run.record and
autoact.metrics, and nothing of it is imported by a run. Begin with tally.py.
"""
