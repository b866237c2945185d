"""The files of a run: the folder, the event log, and views computed from the log.

log.py reads and writes lines; state.py folds them into one object for viewers; replay.py and journal.py serve the job.
Everything may import this package; it imports neither a model nor torch. Of process it uses the lock, the exit record
and the reserve file. Begin with folder.py and log.py.
"""
