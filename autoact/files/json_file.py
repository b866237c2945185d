"""Reads small JSON files into structs."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from autoact.errors import BadInput
from autoact.files import disk

T = TypeVar("T")


def read_struct(path: Path, kind: type[T]) -> T | None:
    """Reads a small JSON file as a `kind`; None when the file is absent or does not hold one.

    Raises BadInput for anything but a regular file, OSError for one that may not be read.
    """
    try:
        return msgspec.json.decode(disk.read_file(path), type=kind)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def try_read_struct(path: Path, kind: type[T]) -> T | None:
    """Does as `read_struct`, with None also where that raises."""
    try:
        return read_struct(path, kind)
    except (OSError, BadInput):
        return None
