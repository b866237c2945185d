"""Parses untrusted TOML within limits on length, depth and numbers, so that no text hangs or crashes a reader.

tomlkit edits files that a person keeps, as it preserves comments; it is slower than tomllib and has no such limits.
"""

from __future__ import annotations

import re
import tomllib
from tomllib import TOMLDecodeError
from typing import Any

LONGEST = 1_000_000
"""The most characters of a text."""
DEEPEST = 32
"""The most parts of a key, and levels of nested tables or lists."""
_LARGEST = 2**63
_PART = r"(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+"
_DEEP_KEY = re.compile(rf"(?<![\w-]){_PART}(?:\.[ \t]*+{_PART}){{{DEEPEST}}}")
"""A key of more parts. tomllib's time grows with the square of their number. Quoted text rarely matches."""


def parse(text: str) -> dict[str, Any]:
    """Returns the tables of a TOML text. Raises TOMLDecodeError, also for a text beyond the limits."""
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
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, unclosed lists
        raise TOMLDecodeError(str(error)) from error
    return tables


def parse_value(text: str) -> Any:
    """Returns one TOML value, such as 8 or ["a", "b"]; a text that is not TOML is returned as it is."""
    try:
        return parse(f"value = {text}")["value"]
    except TOMLDecodeError:
        return text


def _check(value: object, depth: int) -> None:
    """Raises ValueError for integers of more than 64 bits, and for more than `depth` levels of tables or lists."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError("a whole number of more than 64 bits")
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inside and not depth:
        raise ValueError(f"more than {DEEPEST} tables or lists within each other")
    for each in inside:
        _check(each, depth - 1)


__all__ = ["TOMLDecodeError", "parse", "parse_value"]
