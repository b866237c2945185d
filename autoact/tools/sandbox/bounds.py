"""The limits of one program in the sandbox."""

from __future__ import annotations

from msgspec import Struct

MEGABYTE = 1_000_000


class Bounds(Struct, frozen=True):
    """Limits of one program. The first that is exceeded ends it."""

    seconds: float = 10.0
    """Seconds from its start to its end, waiting included."""
    cpu_seconds: int = 10
    memory: int = 1_000 * MEGABYTE
    """Bytes of address space."""
    file: int = 16 * MEGABYTE
    """Bytes of one file."""
    folder: int = 64 * MEGABYTE
    """Bytes of all its files together."""
    entries: int = 2_000
    """Number of its files and folders."""
    written: int = 256 * MEGABYTE
    """Bytes it may write in all, also to files it has removed."""
    open_files: int = 64
    threads: int = 64
    """Number of its threads; it may start no processes. The kernel does not apply the limit to root."""
    output: int = 64_000
    """Bytes of stdout, and of stderr."""
    program: int = 100_000
    """Characters of the program itself."""
