"""Parses untrusted TOML within limits on length, depth and numbers, so that no text hangs or crashes a reader.

`explain` and `find_line` give the key, the reason and the line of an error in a person's file.

tomlkit edits files that a person keeps, as it preserves comments; it is slower than tomllib and has no such limits.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from tomllib import TOMLDecodeError
from typing import Any

import msgspec

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


def explain(message: str, kind: Any) -> tuple[str, str]:
    """Returns key and reason of a message of msgspec, such as `Expected int, got str - at $.synthesis.samples`.

    `kind` is the Struct into which the tables were converted; its sections are Structs with default values.
    """
    reason, _, path = message.partition(" - at `$")
    path = path.strip("`.")
    if unknown := re.search(r"unknown field `(.+?)`", reason):
        key = ".".join(part for part in (path, unknown[1]) if part)
        known = known_keys(path, kind)
        near = difflib.get_close_matches(unknown[1], known, 1)
        return key, "unknown key" + (f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(known)}")
    return path, reason[:1].lower() + reason[1:]


def known_keys(path: str, kind: Any) -> list[str]:
    """Returns the field names of a section of a Struct; for an empty path, the names of the sections."""
    found = kind
    for part in filter(None, path.split(".")):
        found = next((type(field.default) for field in msgspec.structs.fields(found) if field.name == part), kind)
    return [field.name for field in msgspec.structs.fields(found)]


def find_line(text: str, key: str) -> int | None:
    """Returns the line of `section.key` in a TOML text, or of the inline table that holds it; None when absent."""
    *sections, name = key.partition("[")[0].split(".")
    here = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[([\w.]+)\]", line):
            here = header[1]
            if not sections and here == name:
                return number
        elif here == ".".join(sections) and re.match(rf"\s*{re.escape(name)}\s*=", line):
            return number
    return find_line(text, ".".join(sections)) if len(sections) > 1 else None


def _check(value: object, depth: int) -> None:
    """Raises ValueError for integers of more than 64 bits, and for more than `depth` levels of tables or lists."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError("a whole number of more than 64 bits")
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inside and not depth:
        raise ValueError(f"more than {DEEPEST} tables or lists within each other")
    for each in inside:
        _check(each, depth - 1)


__all__ = ["TOMLDecodeError", "explain", "find_line", "known_keys", "parse", "parse_value"]
