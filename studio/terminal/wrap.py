"""Wraps text into lines of a width in terminal cells, at spaces where possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

NO_BREAK = "\N{NO-BREAK SPACE}"


def wrap(text: str, width: int) -> list[str]:
    """Returns the lines of `text`, at least one, each at most `width` cells wide; `width` below 2 counts as 2."""
    width = max(2, width)
    if len(text) <= width and "\n" not in text and text.isascii():
        return [text]
    lines: list[str] = []
    for row in text.split("\n"):
        if row.isascii():
            _wrap_ascii(row, width, lines)
        else:
            _wrap_wide(row, width, lines)
    return lines


def line_starts(text: str, lines: Sequence[str]) -> list[int]:
    """Returns for each wrapped line of a text the index of its first character. A blank or line end between two lines
    is in neither."""
    starts, at = [], 0
    for number, line in enumerate(lines):
        if number and text[at : at + 1] in (" ", NO_BREAK, "\n"):
            at += 1
        starts.append(at)
        at += len(line)
    return starts


def common_lines(one: Sequence[str], other: Sequence[str]) -> int:
    """Returns the number of equal lines at the beginning of both."""
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))


def _wrap_ascii(row: str, width: int, lines: list[str]) -> None:
    """Wraps a row in which each character is one cell wide."""
    start, end = 0, len(row)
    while end - start > width:
        space = row.rfind(" ", start, start + width + 1)
        if space <= start:
            lines.append(row[start : start + width])
            start += width
        else:
            lines.append(row[start:space])
            start = space + 1
    lines.append(row[start:])


def _wrap_wide(row: str, width: int, lines: list[str]) -> None:
    """Wraps a row of characters 0, 1 or 2 cells wide; a word wider than the line is broken."""
    line, filled = "", 0
    for blank, word in _words(row, width):
        cells = cell_len(word)
        if blank and filled + 1 + cells <= width:
            line, filled = f"{line}{blank}{word}", filled + 1 + cells
            continue
        if blank:
            lines.append(line)
        line, filled = word, cells
        if cells > width:
            *full, line = chop_cells(word, width)
            lines.extend(full)
            filled = cell_len(line)
    lines.append(line)


def _words(row: str, width: int) -> Iterator[tuple[str, str]]:
    """Yields the words of a row, each after the blank before it; a word wider than the line is divided at its no-break
    spaces."""
    for index, word in enumerate(row.split(" ")):
        first, *others = word.split(NO_BREAK) if NO_BREAK in word and cell_len(word) > width else [word]
        yield " " if index else "", first
        yield from ((NO_BREAK, other) for other in others)
