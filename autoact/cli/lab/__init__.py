"""The verbs of `autoact lab`: experiment.py has those of one's own experiments, reproduce.py plays the paper's tables.

queue_process.py plays an experiment, in the command's process or in one of its own.
"""
