"""Resources of a running program that its folder does not show: bytes written, threads, and files it has removed."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from autoact.tools.sandbox.bounds import Bounds

_REMOVED = re.compile(r"^\S+ \S+ \S+ \S+ ([1-9]\d*) +.* \(deleted\)$", re.MULTILINE)
"""A line of /proc/PID/maps about a removed file, with the file's number."""


def find_excess(process: int, bounds: Bounds) -> str:
    """Says which limit the process exceeds; empty when none, when it has ended, or when it cannot be examined."""
    folder = Path("/proc", str(process))
    try:
        counted = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
        tasks = sorted((folder / "task").iterdir())
        removed = _removed(tasks, bounds.file)
    except OSError:
        return ""  # it has just ended, or the kernel does not count this
    if max(int(counted["wchar"]), int(counted["write_bytes"])) > bounds.written:
        return f"it wrote more than {bounds.written / 1e6:.0f} MB"
    if removed > bounds.written:
        return f"it kept more than {bounds.written / 1e6:.0f} MB in files it removed"
    return f"it had more than {bounds.threads} threads" if len(tasks) > bounds.threads else ""


def _removed(tasks: list[Path], largest: int) -> int:
    """Returns the bytes of the removed files that are open; at most `largest` for each that is only mapped.

    A page that stays mapped keeps its whole file, in memory where the file system is one in memory.
    """
    maps = ""
    for task in tasks:  # a main thread that has ended does not show the maps of its process
        if maps := (task / "maps").read_text(errors="replace"):
            break
    else:
        return 0
    sizes = dict.fromkeys(map(int, _REMOVED.findall(maps)), largest)
    for descriptor in os.scandir(task / "fd"):
        try:
            found = Path(descriptor.path).stat()
        except FileNotFoundError:
            continue  # closed meanwhile
        if stat.S_ISREG(found.st_mode) and not found.st_nlink:
            sizes[found.st_ino] = found.st_blocks * 512
    return sum(sizes.values())
