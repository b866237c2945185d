"""A run's folder: its log, what follows from the log, and its archive."""
