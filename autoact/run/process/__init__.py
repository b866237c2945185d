"""Processes of a run: the keeper and its job, their locks, heartbeats and ends."""
