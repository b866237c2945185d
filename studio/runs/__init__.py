"""Runs for people: which there are, the one that is followed, their figures and curves."""
