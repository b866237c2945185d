"""Bounds: what one program may take of the machine."""

from __future__ import annotations

from msgspec import Struct

MEGABYTE = 1_000_000


class Bounds(Struct, frozen=True):
    """Limits of one run. Whichever is met first ends it."""

    seconds: float = 10.0
    """From its start to its end, waiting included."""
    cpu_seconds: int = 10
    memory: int = 1_000 * MEGABYTE
    """Bytes of address space."""
    file: int = 16 * MEGABYTE
    """Bytes of one file."""
    folder: int = 64 * MEGABYTE
    """Bytes of all its files together."""
    entries: int = 2_000
    """Files and folders it may have."""
    written: int = 256 * MEGABYTE
    """Bytes it may write in all, to files it has removed as well."""
    open_files: int = 64
    threads: int = 64
    """New tasks; processes are none. The kernel does not hold root to it."""
    output: int = 64_000
    """Bytes of stdout, and of stderr."""
    program: int = 100_000
    """Characters of the program itself."""
