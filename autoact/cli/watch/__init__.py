"""Commands that show runs: lists, figures, progress, events."""
