"""The heap of the C library: what was freed and is kept for later, given back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def release_memory() -> None:
    """Give back what nothing uses; where the C library has no such call, nothing happens.

    Tensors of ever different lengths leave holes in the heap: some 17 MB a step of training, with the embedded model.
    """
    with suppress(AttributeError, OSError):  # glibc has it, others do not
        ctypes.CDLL(None).malloc_trim(0)
