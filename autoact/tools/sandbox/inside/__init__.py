"""The child process of the sandbox: it confines itself, then runs the program.

It starts without autoact, so it imports none of it and little else: every program waits for each import. `child.py`
is the entry, which `process.py` starts; `limits.py`, `landlock.py` and `seccomp.py` confine the process by the
system calls of `kernel.py`, and `program.py` runs the program.
"""
