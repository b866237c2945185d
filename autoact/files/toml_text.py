"""TOML that others may have written, read within bounds: no text hangs a reader or ends it."""

from __future__ import annotations

import re
import tomllib
from tomllib import TOMLDecodeError
from typing import Any

LONGEST = 1_000_000
"""Characters."""
DEEPEST = 32
"""Parts of a key, and tables or lists within each other."""
_LARGEST = 2**63
_PART = r"(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+"
_DEEP_KEY = re.compile(rf"(?<![\w-]){_PART}(?:\.[ \t]*+{_PART}){{{DEEPEST}}}")
"""The parser's time grows with the square of a key's parts. Text in quotes hardly ever looks like such a key."""


def parse(text: str) -> dict[str, Any]:
    """Returns the tables of a TOML text. Raises TOMLDecodeError, also for what is out of bounds."""
    if len(text) > LONGEST:
        raise TOMLDecodeError(f"longer than {LONGEST:,} characters")
    if deep := _DEEP_KEY.search(text):
        raise TOMLDecodeError(
            f"a key of more than {DEEPEST} parts (at line {text.count(chr(10), 0, deep.start()) + 1})"
        )
    try:
        tables = tomllib.loads(text)
        _check(tables, DEEPEST)
    except TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists without end
        raise TOMLDecodeError(str(error)) from error
    return tables


def _check(value: object, depth: int) -> None:
    """Raises ValueError for whole numbers of more than 64 bits, and for what lies deeper than `depth`."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError("a whole number of more than 64 bits")
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inside and not depth:
        raise ValueError(f"more than {DEEPEST} tables or lists within each other")
    for each in inside:
        _check(each, depth - 1)


__all__ = ["TOMLDecodeError", "parse"]
