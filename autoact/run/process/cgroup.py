"""What the control group of this process says: kills for want of memory, and its share of the processor."""

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


def cpu_quota(groups: Path = OWN_GROUPS, mounted: Path = MOUNTED) -> float | None:
    """Cores' worth of time that this process may use, the least of its groups' quotas; None when none has one."""
    if not groups.exists():
        return None
    return min(filter(None, map(_quota, _cpu_folders(groups.read_text(), mounted))), default=None)


def _cpu_folders(groups: str, mounted: Path) -> Iterator[Path]:
    """The folders of this process's groups, and of those around them, that may hold a quota."""
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            root = mounted / "cpu" if controllers else mounted
            group = root / path.strip("/")
            yield from (group, *(one for one in group.parents if one.is_relative_to(root)))


def _quota(folder: Path) -> float | None:
    """Versions 2 and 1 write the same two numbers, microseconds of time and of the period it is for."""
    names = ("cpu.max",) if (folder / "cpu.max").is_file() else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    if not all((folder / name).is_file() for name in names):
        return None
    quota, period = " ".join((folder / name).read_text() for name in names).split()
    return None if quota in ("max", "-1") else int(quota) / int(period)


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
