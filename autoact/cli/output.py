"""Prints JSON for programs and aligned columns for people; control characters are made visible."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO, cast

from autoact.security import untrusted_text
from autoact.security.untrusted_text import FilteredStream

if TYPE_CHECKING:
    from autoact.trajectory import Trajectory

_BAR = re.compile(r"\r|\x1b\[[0-9]*[AK]")
"""Cursor movements of progress bars: to the beginning of the line, up, and clearing the line."""

_BEYOND_ASCII = re.compile(r"[^\n\x20-\x7e]")


def raw_stream(stream: TextIO) -> TextIO:
    """Returns the unfiltered stream, for AutoAct's own control sequences and for JSON, which escapes by itself."""
    return stream.stream if isinstance(stream, FilteredStream) else stream


@contextmanager
def progress_bars() -> Iterator[None]:
    """Lets libraries draw progress bars on stderr; other control characters stay visible."""
    before = sys.stderr
    sys.stderr = cast(TextIO, FilteredStream(raw_stream(before), _sanitise_between_moves))
    try:
        yield
    finally:
        sys.stderr = before


def _sanitise_between_moves(text: str) -> str:
    pieces = _BAR.split(text)
    moves = [*_BAR.findall(text), ""]
    return "".join(untrusted_text.whole(piece) + move for piece, move in zip(pieces, moves, strict=True))


def print_json(value: Any) -> None:
    """Prints structs, dataclasses and plain values as indented JSON; NaN becomes null."""
    import orjson
    from msgspec import to_builtins

    plain = to_builtins(value)
    try:
        text = orjson.dumps(plain, option=orjson.OPT_INDENT_2)
    except TypeError:  # a file name that is not UTF-8
        text = orjson.dumps(_encodable(plain), option=orjson.OPT_INDENT_2)
    print_json_text(text.decode())


def _encodable(value: Any) -> Any:
    """Returns plain values with escapes in place of bytes that are not UTF-8."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_encodable(key): _encodable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_encodable(inner) for inner in value]
    return value


def print_json_text(text: str) -> None:
    """Prints JSON text with control and invisible characters as JSON escapes, which does not change its meaning."""
    raw_stream(sys.stdout).write(_BEYOND_ASCII.sub(lambda found: _escaped(found.group()), text) + "\n")


@lru_cache(maxsize=4096)
def _escaped(letter: str) -> str:
    """Returns a character as JSON escapes (two beyond 16 bits); a character that is safe to print unchanged."""
    if letter.isprintable() and untrusted_text.whole(letter) == letter:
        return letter
    code = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{code[at]:02x}{code[at + 1]:02x}" for at in range(0, len(code), 2))


def columns(rows: Sequence[Sequence[str]], align: str = "") -> Iterator[str]:
    """Yields rows as lines. `align` has a letter for each column, r for right; other columns are aligned left."""
    safe = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    for row in safe:
        cells = [
            cell.rjust(width) if align[at : at + 1] == "r" else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def print_columns(rows: Sequence[Sequence[str]], align: str = "") -> None:
    """Prints rows as lines; the first row holds the headings."""
    for line in columns(rows, align):
        print(line)


def format_size(count: int) -> str:
    """Returns a number of bytes with a unit, in powers of ten."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def printable(text: str) -> str:
    """Returns untrusted text as one line, so that it cannot imitate a line of AutoAct."""
    return untrusted_text.one_line(text)


def ask(question: str) -> str:
    """Asks a person a question; returns the answer in lower case, empty at the end of the input."""
    print(question, end="", flush=True)
    return sys.stdin.readline().strip().casefold()


def print_turns(trajectory: Trajectory) -> None:
    """Prints each step, then the answer and the reflect-agent's verdict on it; of a game, the score."""
    for step in trajectory.steps:
        print(f"  {printable(step.thought)}\n  > {printable(step.action)}[{printable(step.argument)}]")
        if step.observation:
            print(f"    {printable(step.observation)}")
    if trajectory.question.played:
        print(f"\nscore {trajectory.reward:.2f}")
        return
    verdict = f" (reflect-agent: {printable(trajectory.verdict)})" if trajectory.verdict else ""
    print(f"\n{printable(trajectory.answer or 'no answer')}{verdict}")
