"""Files in which programs remember things between two starts: written whole, and set aside when they are damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from autoact.errors import AutoActError, BadInput
from autoact.files import disk

T = TypeVar("T")


def read_state(file: Path, empty: T) -> tuple[T, str]:
    """Returns the content of a JSON file, `empty` when there is none, and a line about the file if it is not usable.

    A damaged file is renamed, so that nothing in it is lost and a new one can be written.
    """
    try:
        return msgspec.convert(json.loads(disk.read_file(file)), type=type(empty)), ""
    except FileNotFoundError:
        return empty, ""
    except (ValueError, RecursionError, BadInput) as error:  # no JSON, not UTF-8, or other values
        return empty, f"{file} is damaged ({error}); {_set_aside(file)}"
    except OSError as error:
        return empty, f"{file} cannot be read: {error.strerror}"


def change_state(file: Path, empty: T, change: Callable[[T], T]) -> str:
    """Replaces the content of a file with what `change` returns for it; returns a line about it if that failed.

    The folder is locked meanwhile, so that two programs at once lose no change. What is remembered is not worth an
    error, so none is raised.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with disk.lock_folder(file.parent):
            before, problem = read_state(file, empty)
            after = change(before)
            if after != before:
                # as ASCII: the name of a folder may have bytes that are not UTF-8
                disk.replace(file, json.dumps(msgspec.to_builtins(after)).encode(), durable=False)
        return problem
    except (AutoActError, OSError) as error:
        return f"{file} could not be written: {error}"


def _set_aside(file: Path) -> str:
    """Renames a file; returns what became of it in words."""
    number = 1
    while (aside := file.with_name(f"{file.name}.damaged{number}")).exists():
        number += 1
    try:
        file.rename(aside)
    except OSError as error:
        return f"it could not be set aside: {error.strerror}"
    return f"it is now {aside.name}, and a new one is begun"
