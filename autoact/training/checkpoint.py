"""Training checkpoints that are whole or absent: LoRA weights and optimiser state, never a pickle."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from autoact.files import disk

KEPT = 2
"""Checkpoints left on disk; the older of the two serves when the newer fails its digest."""
STATE, MANIFEST = "state.safetensors", "manifest"


class Checkpoint(NamedTuple):
    """What a training goes on from."""

    step: int
    """Optimiser steps done."""
    state: dict[str, Tensor]


class Damage(NamedTuple):
    """A checkpoint that cannot be used."""

    step: int
    why: str


def save(root: Path, step: int, state: dict[str, Tensor]) -> str:
    """Write `root/step-NNNNNN` and return the digest of its state. After this returns it survives a power loss.

    Raises DiskFull when there is no room, and then leaves the checkpoints as they were.
    """
    with disk.fill_folder(root / f"step-{step:06d}", root / ".part", over=True) as part:
        disk.write(part / STATE, safetensors.torch.save(state))
        digest = disk.sha256(part / STATE)
        disk.write(part / MANIFEST, digest.encode())  # last: its presence says the state is complete
    for old in sorted(root.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old)
    return digest


def read_newest(root: Path) -> tuple[Checkpoint | None, list[Damage]]:
    """The newest checkpoint whose digest holds, None when there is none; and the newer ones that were passed over."""
    damaged: list[Damage] = []
    for folder in sorted(root.glob("step-*"), reverse=True):
        step = int(folder.name.removeprefix("step-"))
        try:
            return Checkpoint(step, _read(folder)), damaged
        except (OSError, ValueError, SafetensorError) as error:
            damaged.append(Damage(step, str(error)))
    return None, damaged


def _read(folder: Path) -> dict[str, Tensor]:
    """Raises ValueError for bytes that are not those of the manifest, OSError for files that are not there."""
    if disk.sha256(folder / STATE).encode() != (folder / MANIFEST).read_bytes():
        raise ValueError("the state is not the one its manifest names")
    return safetensors.torch.load_file(folder / STATE)
