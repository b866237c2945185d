"""Looks into a set of trajectories: its diversity and complexity, its faults, its duplicates, beside published sets.

Everything follows from questions and trajectories alone, so imported sets are measured like those of a run. Begin with
figures.py; signatures.py has the known ways in which the method fails.
"""
