"""Measures free memory, estimates what a pass of training needs, and saves memory when there is too little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

MEMINFO = Path("/proc/meminfo")
CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))
UNKNOWN = 4 << 30
"""Bytes that are taken as free where the system does not say."""

USED = 0.8
"""Largest share of the free memory that a pass may need without checkpointing."""
STATES, INNER_STATES = 8, 3
"""Vectors that a layer keeps of each token for the gradient, of the model's size and of its MLP's."""


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


def save_memory(model: Any, tokens: int) -> bool:
    """Switches gradient checkpointing on if a pass over so many tokens would not fit; returns whether it did.

    A layer then keeps only its input and computes the rest again for the gradient: equal bytes, a third more time.
    """
    short = pass_memory(model, tokens) > USED * free_memory(model.device)
    if short and model.supports_gradient_checkpointing:
        model.activation_checkpointing_enable()
        return True
    return False


def pass_memory(model: Any, tokens: int) -> int:
    """Returns about how many bytes a pass over so many tokens keeps for the gradient."""
    config = model.config.get_text_config(decoder=True)
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    inner *= getattr(config, "num_experts_per_tok", None) or 1
    size = torch.finfo(model.dtype).bits // 8 if model.dtype.is_floating_point else 2
    return int(tokens * config.num_hidden_layers * (STATES * config.hidden_size + INNER_STATES * inner) * size)
