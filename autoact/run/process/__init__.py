"""The processes of a run: the keeper and its job, their locks, the heartbeat and the exit record.

launch.py starts a keeper, keeper.py starts and restarts the job, health.py tells from the files how a run is doing.
The studio, the commands and the job import it; it imports no model and only the standard library's process calls.
Begin with keeper.py, then lock.py.
"""
