"""A terminal's cells as they should be and as they were last sent: only the difference goes out."""

from __future__ import annotations

import re

from rich.cells import split_graphemes

from studio.terminal.cell_style import PLAIN, apply_sgr, blank_style, transition, with_link

_TOKEN = re.compile(
    r"\x1b\[([0-9;]*)m"  # 1: colours and attributes
    r"|\x1b\[([0-9]{1,5});([0-9]{1,5})H"  # 2, 3: go to
    r"|\x1b\]8;[^;\x00-\x1f\x7f]*;([^\x00-\x1f\x7f]*)\x1b\\"  # 4: link
    r"|(\r?\n)"  # 5
    r"|([^\x00-\x1f\x7f]+)"  # 6: text
    r"|[\x00-\x1f\x7f]"  # a control character that no frame has
)
_ACTS = re.compile("[\x80-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e0fff]")
"""What would act on the terminal, reorder its cells, or hide in them. It is not let through."""
_HALF = re.compile("[\ud800-\udfff]")
"""Of a pair that no one can encode."""
_SINGLE = frozenset(
    letter
    for first, last in ((0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x2FF), (0x370, 0x482), (0x2500, 0x25FC), (0x2800, 0x28FF))
    for letter in map(chr, range(first, last + 1))
    if letter.isprintable()
)
"""Letters, lines and dots that take one cell everywhere and have no marks: most of what there is."""
_BRIDGE = 4
"""Cells that are cheaper to send again than to jump over."""


class ScreenCells:
    """What frames draw goes in with `draw`; `changes` is what a terminal must be sent to look like it.

    A wide letter lies in its first cell, the cell after it is the empty string. A letter with its marks is one cell.
    """

    def __init__(self, width: int, height: int):
        self.width = width
        self.height = height
        self._letters = [[" "] * width for _ in range(height)]
        self._pens = [[PLAIN] * width for _ in range(height)]
        self._dirty: set[int] = set()
        self._pen = PLAIN
        """Of the frames."""
        self._x = self._y = 0
        """Of the frames."""
        self._sent_pen = PLAIN
        self._at: tuple[int, int] | None = None
        """Where the terminal's cursor is, x and y; None where that is not certain."""
        self.cleared()

    def resized(self, width: int, height: int) -> ScreenCells:
        """As many cells as the terminal has now; what they have in common is kept, nothing counts as sent."""
        found = ScreenCells(width, height)
        for y in range(min(height, self.height)):
            common = min(width, self.width)
            found._letters[y][:common] = self._letters[y][:common]
            found._pens[y][:common] = self._pens[y][:common]
            if common < self.width and self._letters[y][common] == "":
                found._letters[y][common - 1] = " "
        return found

    # -- frames in -------------------------------------------------------------------------------------------------

    def draw(self, frame: str) -> None:
        """Take in what a frame does to the cells. What a frame cannot have is left out."""
        for token in _TOKEN.finditer(frame):
            match token.lastindex:
                case 6:
                    self._write(token[6])
                case 1:
                    self._pen = apply_sgr(self._pen, token[1])
                case 3:
                    self._y, self._x = int(token[2]) - 1, int(token[3]) - 1
                case 4:
                    self._pen = with_link(self._pen, token[4])
                case 5:
                    self._y, self._x = self._y + 1, 0

    def _write(self, text: str) -> None:
        if _SINGLE.issuperset(text):
            self._put(list(text), len(text))
            return
        text = _HALF.sub("\ufffd", _ACTS.sub("", text))
        spans, total = split_graphemes(text)
        cells: list[str] = []
        for start, end, width in spans:
            if width:
                cells += [text[start:end], *[""] * (width - 1)]
        self._put(cells, total)

    def _put(self, cells: list[str], count: int) -> None:
        """Cells from the place where the frame is; what does not fit is cut off."""
        x, y = self._x, self._y
        self._x = x + count
        if not (0 <= y < self.height and 0 <= x < self.width):
            return
        letters, end = self._letters[y], min(x + count, self.width)
        if letters[x] == "" and x:
            letters[x - 1] = " "  # the first half of a wide letter is no letter
        if end < self.width and letters[end] == "":
            letters[end] = " "
        letters[x:end] = cells[: end - x]
        if x + count > end and cells[end - x] == "":
            letters[end - 1] = " "
        self._pens[y][x:end] = [self._pen] * (end - x)
        self._dirty.add(y)

    # -- changes out -----------------------------------------------------------------------------------------------

    def cleared(self) -> None:
        """The terminal was cleared, with its own colours: everything must be sent again."""
        self._sent_letters = [[" "] * self.width for _ in range(self.height)]
        self._sent_pens = [[PLAIN] * self.width for _ in range(self.height)]
        self._dirty = set(range(self.height))
        self._sent_pen, self._at = PLAIN, None

    def lost(self) -> None:
        """Something else moved the terminal's cursor."""
        self._at = None

    @property
    def stale(self) -> bool:
        """There may be changes to send."""
        return bool(self._dirty)

    def changes(self) -> str:
        """What makes the terminal look like the frames; empty if it does. Taken as sent."""
        out: list[str] = []
        for y in sorted(self._dirty):
            letters, pens = self._letters[y], self._pens[y]
            if letters != self._sent_letters[y] or pens != self._sent_pens[y]:
                self._row(y, out)
                self._sent_letters[y], self._sent_pens[y] = letters[:], pens[:]
        self._dirty.clear()
        if out:
            out.append(self._move(min(max(self._x, 0), self.width - 1), min(max(self._y, 0), self.height - 1)))
        return "".join(out)

    def reset_pen(self) -> str:
        """What makes the terminal write plainly again."""
        said, self._sent_pen = transition(self._sent_pen, PLAIN), PLAIN
        return said

    def _row(self, y: int, out: list[str]) -> None:
        letters, pens = self._letters[y], self._pens[y]
        sent, sent_pens = self._sent_letters[y], self._sent_pens[y]
        x = 0
        while x < self.width:
            letter, pen = letters[x], pens[x]
            if letter == sent[x] and (
                pen is sent_pens[x]
                or pen == sent_pens[x]
                or (letter == " " and blank_style(pen) == blank_style(sent_pens[x]))
            ):
                x += 1
            elif letter == "" and x:
                x = self._send(x - 1, y, out)
            else:
                x = self._send(x, y, out)

    def _send(self, x: int, y: int, out: list[str]) -> int:
        """One letter; the cell after it."""
        letters, pens = self._letters[y], self._pens[y]
        at = self._at
        if at is not None and at[1] == y and 0 < x - at[0] <= _BRIDGE and self._bridged(at[0], x, y):
            out += letters[at[0] : x]
        elif at != (x, y):
            out.append(self._move(x, y))
        letter, pen = letters[x], pens[x]
        if letter == " ":
            seen = blank_style(pen)
            pen = self._sent_pen if seen == blank_style(self._sent_pen) else seen
        if pen != self._sent_pen:
            out.append(transition(self._sent_pen, pen))
            self._sent_pen = pen
        out.append(letter)
        after = x + 1
        while after < self.width and letters[after] == "":
            after += 1
        sure = len(letter) == 1 and letter < "\U0001f000"
        if sure and after == x + 1:
            after = self._run(x, y, out)
        # Terminals differ in the width of emoji and of letters with marks.
        self._at = (after, y) if sure and after < self.width else None
        return after

    def _run(self, x: int, y: int, out: list[str]) -> int:
        """The letters behind one that was just sent, as long as nothing but they must be sent; the cell after them."""
        letters, pens = self._letters[y], self._pens[y]
        sent, sent_pens, pen = self._sent_letters[y], self._sent_pens[y], pens[x]
        if pen != self._sent_pen:
            return x + 1
        after = x + 1
        while after < self.width and pens[after] is pen:
            letter = letters[after]
            same = letter == sent[after]
            if letter not in _SINGLE or (same and (letter == " " or pen == sent_pens[after])):
                break
            after += 1
        out += letters[x + 1 : after]
        return after

    def _bridged(self, left: int, right: int, y: int) -> bool:
        """Whether the cells between can be sent again without another pen."""
        letters, pens = self._letters[y], self._pens[y]
        return all(letters[x].isascii() and letters[x] and pens[x] == self._sent_pen for x in range(left, right))

    def _move(self, x: int, y: int) -> str:
        at, self._at = self._at, (x, y)
        if at == (x, y):
            return ""
        if at is not None and at[1] == y and x > at[0]:
            return "\x1b[C" if x - at[0] == 1 else f"\x1b[{x - at[0]}C"
        if at is not None and x == 0 and y == at[1] + 1:
            return "\r\n"
        return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
