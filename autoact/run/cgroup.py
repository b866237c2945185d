"""What the control group of this process says: kills for want of memory, and its share of the processor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def oom_kills(groups: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> int:
    """A count that only rises, of control groups version 2 or 1; 0 where there are none."""
    if not groups.exists():
        return 0
    for file in _candidates(groups.read_text(), mounted):
        if file.is_file():
            counts = dict(line.split()[:2] for line in file.read_text().splitlines() if " " in line)
            if "oom_kill" in counts:
                return int(counts["oom_kill"])
    return 0


def cpu_quota(groups: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> float | None:
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


def _candidates(groups: str, mounted: Path) -> Iterator[Path]:
    """Where the count may stand: a container often sees its own group as the root of what is mounted."""
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        group = path.strip("/")
        if not controllers:
            yield mounted / group / "memory.events"
            yield mounted / "memory.events"
        elif "memory" in controllers.split(","):
            yield mounted / "memory" / group / "memory.oom_control"
            yield mounted / "memory" / "memory.oom_control"
