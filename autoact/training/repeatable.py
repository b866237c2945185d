"""Settings under which sums are repeated bit by bit: on a CPU the number of threads, on a GPU the kernels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


def prepare_cublas() -> None:
    """Give cuBLAS a workspace of its own, without which it may sum in any order. It reads this at its first use."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


@contextmanager
def deterministic_sums(device: torch.device, threads: int) -> Iterator[None]:
    """Deterministic sums while it lasts. A kernel that has no such form runs all the same, with a warning."""
    if device.type != "cuda":
        others = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(others)
        return
    before, warning = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with sdpa_kernel(SDPBackend.MATH):  # the fused kernels' backward passes add in any order
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warning)
