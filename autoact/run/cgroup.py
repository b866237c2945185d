"""The memory control group of this process: where it is, and how often the kernel killed in it for want of memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

OWN_GROUPS = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")
_COUNTS = ("memory.events", "memory.oom_control")
"""The files that hold the count, of control groups version 2 and 1."""


def oom_kills(groups: Path = OWN_GROUPS, mounted: Path = MOUNTED) -> int:
    """A count that only rises, of control groups version 2 or 1; 0 where there are none."""
    counts = (kills_in(folder) for folder in memory_folders(groups, mounted))
    return next((count for count in counts if count is not None), 0)


def kills_in(folder: Path) -> int | None:
    """The count of one group; None where the kernel keeps none."""
    for name in _COUNTS:
        if (folder / name).is_file():
            counts = dict(line.split()[:2] for line in (folder / name).read_text().splitlines() if " " in line)
            if "oom_kill" in counts:
                return int(counts["oom_kill"])
    return None


def memory_folders(groups: Path = OWN_GROUPS, mounted: Path = MOUNTED) -> Iterator[Path]:
    """Where the group may be found: a container often sees its own group as the root of what is mounted."""
    if not groups.exists():
        return
    for line in groups.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            top = mounted / "memory" if controllers else mounted
            yield top / path.strip("/")
            yield top
