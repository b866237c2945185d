"""Makes sums equal bit by bit when repeated: on a CPU by the number of threads, on a GPU by the kernels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


def prepare_cublas() -> None:
    """Sets the workspace that cuBLAS needs for a fixed order of sums. Call it before the first use of cuBLAS."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


@contextmanager
def deterministic_sums(device: torch.device, threads: int) -> Iterator[None]:
    """Makes sums deterministic inside the block. A kernel without a deterministic form runs with a warning."""
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
