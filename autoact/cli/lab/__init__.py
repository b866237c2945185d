"""The verbs of `autoact lab`: experiment.py has those of experiments of one's own, queue_process.py plays one."""
