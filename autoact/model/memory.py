"""The memory for a model: what is free on a device, what a token's keys and values take, and what is given back."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import Any

from autoact.run.process.cgroup import memory_folders

SHARE = 0.7
"""The fraction of the free memory that caches may take; the rest is for the passes themselves."""
EPISODE = 2_048
"""Tokens of an episode for which every lane has to have space."""
MEMORY = Path("/proc/meminfo")
LIMITS = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
"""The files of a limit and of its use, in control groups version 2 and 1."""


def free_memory(device: Any) -> int | None:
    """Returns the free bytes of a torch device; None where the system does not tell."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    found = [_free_of_system(MEMORY), *map(_free_of_group, memory_folders())]
    return min((free for free in found if free is not None), default=None)


def token_bytes(config: Any, dtype: Any) -> int:
    """Returns the bytes of the keys and values of one token in all layers."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * dtype.itemsize)


def release_memory() -> None:
    """Returns unused memory of the C library's heap to the system; does nothing where the library has no such call.

    Tensors of varying lengths fragment the heap: about 17 MB for each training step of the embedded model.
    """
    with suppress(AttributeError, OSError):  # glibc has it, others do not
        ctypes.CDLL(None).malloc_trim(0)


def _free_of_system(file: Path) -> int | None:
    """Returns the available bytes that a file like /proc/meminfo has, with what the system would free for programs."""
    if not file.is_file():
        return None
    lines = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
    return int(lines["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in lines else None


def _free_of_group(folder: Path) -> int | None:
    """Returns the bytes that a control group may still use; None without a limit."""
    for limit, use in LIMITS:
        if (folder / limit).is_file() and (text := (folder / limit).read_text().strip()) != "max":
            return int(text) - int((folder / use).read_text())
    return None
