"""Readings from this process's control groups: the count of out-of-memory kills, and the processor quota."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

OWN_GROUPS = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")
_COUNTS = ("memory.events", "memory.oom_control")
"""The files that hold the count of kills, in control groups version 2 and 1."""


def oom_kills(groups: Path = OWN_GROUPS, mounted: Path = MOUNTED) -> int:
    """Returns the count of out-of-memory kills, which never falls; 0 where there are no control groups."""
    counts = (read_oom_kills(folder) for folder in memory_folders(groups, mounted))
    return next((count for count in counts if count is not None), 0)


def read_oom_kills(folder: Path) -> int | None:
    """Returns the count of one group; None where the kernel has none."""
    for name in _COUNTS:
        if (folder / name).is_file():
            counts = dict(line.split()[:2] for line in (folder / name).read_text().splitlines() if " " in line)
            if "oom_kill" in counts:
                return int(counts["oom_kill"])
    return None


def cpu_quota(groups: Path = OWN_GROUPS, mounted: Path = MOUNTED) -> float | None:
    """Returns the number of cores that this process may use, the lowest quota of its groups; None without a quota."""
    if not groups.exists():
        return None
    return min(filter(None, map(_quota, _cpu_folders(groups.read_text(), mounted))), default=None)


def _cpu_folders(groups: str, mounted: Path) -> Iterator[Path]:
    """Yields the folders of this process's groups and their parents, which may hold a quota."""
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            root = mounted / "cpu" if controllers else mounted
            group = root / path.strip("/")
            yield from (group, *(one for one in group.parents if one.is_relative_to(root)))


def _quota(folder: Path) -> float | None:
    """Returns a group's quota in cores. Versions 2 and 1 both give microseconds of time, and of the period."""
    names = ("cpu.max",) if (folder / "cpu.max").is_file() else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    if not all((folder / name).is_file() for name in names):
        return None
    quota, period = " ".join((folder / name).read_text() for name in names).split()
    return None if quota in ("max", "-1") else int(quota) / int(period)


def memory_folders(groups: Path = OWN_GROUPS, mounted: Path = MOUNTED) -> Iterator[Path]:
    """Yields the possible folders of the group; inside a container the mounted root is often its own group."""
    if not groups.exists():
        return
    for line in groups.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            top = mounted / "memory" if controllers else mounted
            yield top / path.strip("/")
            yield top
