"""Commands to a running job, sent over a socket or saved as files in the run's folder.

command.py defines a command and its reply, control_socket.py carries both between processes, and gate.py queues
commands until the conductor takes them. The studio and the commands import the first two; only the job needs the gate.
Begin with command.py.
"""
