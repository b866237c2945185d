"""Figures of runs: scores, intervals and totals, computed from their logs."""
