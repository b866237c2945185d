"""Measures free memory, and estimates what a pass of training needs."""

from __future__ import annotations

from pathlib import Path

import torch

MEMINFO = Path("/proc/meminfo")
CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))
UNKNOWN = 4 << 30
"""Bytes that are taken as free where the system does not say."""


def free_memory(device: torch.device) -> int:
    """Returns the bytes that this process may still allocate on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = dict(line.split(":") for line in MEMINFO.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return UNKNOWN
    limit, used = (_read_count(file) for file in CONTAINER)
    return free if limit is None or used is None else max(0, min(free, limit - used))


def _read_count(file: Path) -> int | None:
    """Returns the number in a file of a control group; None when there is no limit."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
