"""Limits that a process sets for itself: processor time, memory, files, threads, and no privileges of root."""

from __future__ import annotations

import resource
import struct

from . import kernel

_CAPABILITIES = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522


def set_limits(limits: dict[str, int]) -> None:
    """Sets each limit, named as in `resource` without its prefix, or keeps a lower one that is set already."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, highest = resource.getrlimit(kind)
        if highest != resource.RLIM_INFINITY:
            value = min(value, highest)
        resource.setrlimit(kind, (value, value))
    # A program may catch the signal of the soft limit, so the hard limit, which kills, is a second later.
    used, highest = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (max(used - 1, 1), highest))


def give_up_privileges(processor: str) -> None:
    """Drops the privileges of root, gains none by executing files, and dies with the parent. Raises OSError."""
    kernel.set_process_option(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.set_process_option(kernel.PR_SET_PDEATHSIG, kernel.SIGKILL)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    kernel.system_call(_CAPABILITIES[processor], header, bytes(24))
