"""What commands print: JSON for programs, aligned columns for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any


def print_json(value: Any) -> None:
    """Structs, dataclasses and plain values, indented. What is not a number becomes null."""
    import orjson
    from msgspec import to_builtins

    sys.stdout.write(orjson.dumps(to_builtins(value), option=orjson.OPT_INDENT_2).decode() + "\n")


def columns(rows: Sequence[Sequence[str]], align: str = "") -> Iterator[str]:
    """Rows as lines. `align` has a letter for each column, r for right; the rest stand left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if align[at : at + 1] == "r" else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def print_columns(rows: Sequence[Sequence[str]], align: str = "") -> None:
    """Print rows as lines; the first is the headings."""
    for line in columns(rows, align):
        print(line)


def size(count: int) -> str:
    """Bytes as a person says them, in powers of ten."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def printable(text: str) -> str:
    """Text of a model, a tool or a program as one line that no terminal acts upon."""
    return "".join(letter if letter.isprintable() else "⏎" if letter == "\n" else "�" for letter in text)
