"""How often the kernel killed for want of memory in this process's control group."""

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
