"""A run: its files (record), its processes (process), its commands (control) and its main loop (conductor).

The studio and the commands import record, process and control; only the job imports conductor, which needs a model.
Begin with record/folder.py, the files of a run, and record/log.py, the event log from which all else follows.
"""
