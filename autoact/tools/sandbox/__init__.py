"""The sandbox for programs that a model wrote: namespaces, Landlock, seccomp, limits, and an interpreter of a part of
Python.

`sandbox.py` runs a program under the strongest protection that `layers.py` finds on this machine: `process.py` in a
child process (which confines itself by the package `inside`), or `monty.py`. `bounds.py` are the limits of one
program, `program_result.py` its result. `selfcheck.py` attacks the sandbox. The code interpreter and `autoact
doctor` import it. Begin with `sandbox.py`.
"""
