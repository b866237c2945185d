"""Training checkpoints that are whole or absent: LoRA weights and optimiser state, never a pickle."""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from autoact import disk

KEPT = 2
"""Checkpoints left on disk; the older of the two serves when the newer fails its digest."""
STATE, MANIFEST = "state.safetensors", "manifest"


def save(root: Path, step: int, state: dict[str, Tensor]) -> str:
    """Write `root/step-NNNNNN` and return the digest of its state. After this returns it survives a power loss."""
    part = root / ".part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        save_file(state, part / STATE)
        digest = disk.sha256(part / STATE)
        (part / MANIFEST).write_text(digest)  # last: its presence says the state is complete
        for file in part.iterdir():
            disk.sync_file(file)
        target = root / f"step-{step:06d}"
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    disk.sync_folder(root)
    for old in sorted(root.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old)
    return digest


def load(root: Path) -> tuple[int, dict[str, Tensor]] | None:
    """Step and state of the newest checkpoint whose digest holds; None when there is none."""
    for folder in sorted(root.glob("step-*"), reverse=True):
        state, manifest = folder / STATE, folder / MANIFEST
        if state.exists() and manifest.exists() and disk.sha256(state) == manifest.read_text():
            return int(folder.name.removeprefix("step-")), load_file(state)
    return None
