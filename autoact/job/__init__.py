"""The job: the one process that owns a run and plays its stages."""
