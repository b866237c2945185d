"""System calls by number: the C library has no functions for Landlock, and wraps some others."""

from __future__ import annotations

import ctypes
import os

SIGKILL = 9
"""The same on every Linux; importing the module `signal` would take longer than all of this package."""
PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


def system_call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Makes a system call and returns its result. Raises OSError with the kernel's error number."""
    library = ctypes.CDLL(None, use_errno=True)
    # ctypes converts a Python int to a C int, which would cut a pointer in half.
    given = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = library.syscall(ctypes.c_long(number), *given)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def set_process_option(option: int, *values: int) -> None:
    """Calls prctl with the unused values zero, as the kernel demands for some options. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    given = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if library.prctl(ctypes.c_int(option), *given) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
