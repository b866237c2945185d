"""Text broken into lines of so many terminal cells, at spaces where there are any."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells


def wrap(text: str, width: int) -> list[str]:
    """The lines of `text`, each at most `width` cells (at least 2) wide; never empty."""
    width = max(2, width)
    if len(text) <= width and "\n" not in text and text.isascii():
        return [text]
    lines: list[str] = []
    for row in text.split("\n"):
        if row.isascii():
            _ascii(row, width, lines)
        else:
            _wide(row, width, lines)
    return lines


def _ascii(row: str, width: int, lines: list[str]) -> None:
    """One letter, one cell."""
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


def _wide(row: str, width: int, lines: list[str]) -> None:
    """Letters of 0, 1 or 2 cells; a word that fits no line is broken where it must be."""
    line, filled = "", 0
    for index, word in enumerate(row.split(" ")):
        cells = cell_len(word)
        if index and filled + 1 + cells <= width:
            line, filled = f"{line} {word}", filled + 1 + cells
            continue
        if index:
            lines.append(line)
        line, filled = word, cells
        if cells > width:
            *full, line = chop_cells(word, width)
            lines.extend(full)
            filled = cell_len(line)
    lines.append(line)
