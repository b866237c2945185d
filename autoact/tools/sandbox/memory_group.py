"""A memory control group for one program: it counts memory that no limit of a process does, such as files in memory."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autoact.run.process import cgroup
from autoact.tools.sandbox.bounds import MEGABYTE

_PREFIX = "autoact-program-"
_LIMITS = (("memory.max", "memory.swap.max"), ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"))
"""The files for the limits of memory and of swap, of control groups version 2 and 1."""


class MemoryGroup:
    """A control group with a limit. The kernel kills in it when its processes together need more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, process: int) -> None:
        """Moves a process into the group, with all its threads, unless it has ended. Raises OSError."""
        with suppress(ProcessLookupError):
            (self._folder / "cgroup.procs").write_text(str(process))

    def exceeded(self) -> bool:
        """Returns whether the kernel has killed a process of the group."""
        return bool(cgroup.read_oom_kills(self._folder))


def find_parent() -> str:
    """Returns the folder in which this process can make groups and move its children into them; empty when there is
    none."""
    for parent in cgroup.memory_folders():
        with suppress(OSError), create_group(str(parent), 64 * MEGABYTE) as group:
            _move_a_child(group)
            return str(parent)
    return ""


@contextmanager
def create_group(parent: str, memory: int) -> Iterator[MemoryGroup]:
    """Creates a group in the folder `parent` with a limit of `memory` bytes, and removes it at the end. Raises
    OSError."""
    folder = Path(parent, f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}")
    folder.mkdir()
    try:
        _limit(folder, memory)
        yield MemoryGroup(folder)
    finally:
        # The kernel may take a moment to release the last process: then `sweep` removes the empty group later.
        with suppress(OSError):
            folder.rmdir()


def sweep(parent: str) -> None:
    """Removes the groups of processes that have ended."""
    for folder in Path(parent).glob(f"{_PREFIX}*-*"):
        if not Path("/proc", folder.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            with suppress(OSError):  # one that is not empty, or removed by another sweep
                folder.rmdir()


def _limit(folder: Path, memory: int) -> None:
    """Sets the limits of a group. Raises FileNotFoundError where groups have no limit on memory: the folder takes no
    new files."""
    ours = next((names for names in _LIMITS if (folder / names[0]).exists()), _LIMITS[0])
    with (folder / ours[0]).open("r+") as file:
        file.write(str(memory))
    # The kernel counts swap only where that is configured; version 2 counts it separately from memory.
    with suppress(OSError), (folder / ours[1]).open("r+") as file:
        file.write("0" if ours is _LIMITS[0] else str(memory))


def _move_a_child(group: MemoryGroup) -> None:
    """Tries to move a process into the group. Raises OSError where the groups belong to another user."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        group.add(child.pid)
