"""Writes and reads training checkpoints: LoRA weights and optimiser state as safetensors, complete or absent."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from autoact.files import disk

KEEP = 2
"""Checkpoints left on disk; the older one is used when the newer one fails its digest."""
STATE, MANIFEST = "state.safetensors", "manifest"


class Checkpoint(NamedTuple):
    """The saved state of a training."""

    step: int
    """Optimiser steps done."""
    state: dict[str, Tensor]


class Damage(NamedTuple):
    """A checkpoint that cannot be used."""

    step: int
    why: str


def save(root: Path, step: int, state: dict[str, Tensor]) -> str:
    """Writes `root/step-NNNNNN`, safe against a power loss, and returns the digest of its state.

    Raises DiskFull, and then leaves the earlier checkpoints as they were.
    """
    with disk.fill_folder(root / f"step-{step:06d}", root / ".part", over=True) as part:
        disk.write(part / STATE, safetensors.torch.save(state))
        digest = disk.sha256(part / STATE)
        disk.write(part / MANIFEST, digest.encode())  # last: it marks the state as complete
    for old in sorted(root.glob("step-*"))[:-KEEP]:
        shutil.rmtree(old)
    return digest


def read_newest(root: Path) -> tuple[Checkpoint | None, list[Damage]]:
    """Returns the newest intact checkpoint (None when there is none), and the newer ones that are damaged."""
    damaged: list[Damage] = []
    for folder in sorted(root.glob("step-*"), reverse=True):
        step = int(folder.name.removeprefix("step-"))
        try:
            return Checkpoint(step, _read(folder)), damaged
        except (OSError, ValueError, SafetensorError) as error:
            damaged.append(Damage(step, str(error)))
    return None, damaged


def _read(folder: Path) -> dict[str, Tensor]:
    """Reads a state. Raises ValueError when it does not match its manifest, OSError for missing files."""
    if disk.sha256(folder / STATE).encode() != (folder / MANIFEST).read_bytes():
        raise ValueError("the state is not the one its manifest names")
    return safetensors.torch.load_file(folder / STATE)
