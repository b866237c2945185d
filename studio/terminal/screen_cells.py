"""The terminal's cells as they should be and as they were last sent; only the difference is sent."""

from __future__ import annotations

import re

from rich.cells import split_graphemes

from studio.terminal.cell_style import PLAIN, apply_sgr, blank_style, transition, with_link

_TOKEN = re.compile(
    r"\x1b\[([0-9;]*)m"  # 1: colours and attributes
    r"|\x1b\[([0-9]{1,5});([0-9]{1,5})H"  # 2, 3: cursor position
    r"|\x1b\]8;[^;\x00-\x1f\x7f]*;([^\x00-\x1f\x7f]*)\x1b\\"  # 4: link
    r"|(\r?\n)"  # 5
    r"|([^\x00-\x1f\x7f]+)"  # 6: text
    r"|[\x00-\x1f\x7f]"  # a control character that no frame has
)
_ACTS = re.compile("[\x80-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e0fff]")
"""Characters that control the terminal, reorder its cells or are invisible; they are removed."""
_HALF = re.compile("[\ud800-\udfff]")
"""Single surrogates, which cannot be encoded."""
_SINGLE = frozenset(
    letter
    for first, last in ((0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x2FF), (0x370, 0x482), (0x2500, 0x25FC), (0x2800, 0x28FF))
    for letter in map(chr, range(first, last + 1))
    if letter.isprintable()
)
"""Letters, lines and dots that are one cell wide in every terminal; most text consists of them."""
_BRIDGE = 4
"""Most cells that are sent again instead of moving the cursor over them."""


class ScreenCells:
    """`draw` takes a frame; `changes` returns the output that makes the terminal show all frames so far.

    A wide letter is in its first cell, and the cell after it is an empty string. A letter with its marks is one cell.
    """

    def __init__(self, width: int, height: int):
        self.width = width
        self.height = height
        self._letters = [[" "] * width for _ in range(height)]
        self._styles = [[PLAIN] * width for _ in range(height)]
        self._dirty: set[int] = set()
        self._style = PLAIN
        """Style of the text that frames draw."""
        self._x = self._y = 0
        """Position at which frames draw."""
        self._sent_style = PLAIN
        self._at: tuple[int, int] | None = None
        """Position of the terminal's cursor, x and y; None when it is not certain."""
        self.mark_cleared()

    def resize(self, width: int, height: int) -> ScreenCells:
        """Returns cells of another size with the common part of the text; none of them counts as sent."""
        found = ScreenCells(width, height)
        for y in range(min(height, self.height)):
            common = min(width, self.width)
            found._letters[y][:common] = self._letters[y][:common]
            found._styles[y][:common] = self._styles[y][:common]
            if common < self.width and self._letters[y][common] == "":
                found._letters[y][common - 1] = " "
        return found

    # -- frames ----------------------------------------------------------------------------------------------------

    def draw(self, frame: str) -> None:
        """Draws a frame into the cells. Control characters that frames never have are ignored."""
        for token in _TOKEN.finditer(frame):
            match token.lastindex:
                case 6:
                    self._write(token[6])
                case 1:
                    self._style = apply_sgr(self._style, token[1])
                case 3:
                    self._y, self._x = int(token[2]) - 1, int(token[3]) - 1
                case 4:
                    self._style = with_link(self._style, token[4])
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
        """Writes cells at the frame's position; those beyond the edge are dropped."""
        x, y = self._x, self._y
        self._x = x + count
        if not (0 <= y < self.height and 0 <= x < self.width):
            return
        letters, end = self._letters[y], min(x + count, self.width)
        if letters[x] == "" and x:
            letters[x - 1] = " "  # half of a wide letter is overwritten, so the other half becomes a blank
        if end < self.width and letters[end] == "":
            letters[end] = " "
        letters[x:end] = cells[: end - x]
        if x + count > end and cells[end - x] == "":
            letters[end - 1] = " "
        self._styles[y][x:end] = [self._style] * (end - x)
        self._dirty.add(y)

    # -- output ----------------------------------------------------------------------------------------------------

    def mark_cleared(self) -> None:
        """Notes that the terminal was cleared with its own colours: everything must be sent again."""
        self._sent_letters = [[" "] * self.width for _ in range(self.height)]
        self._sent_styles = [[PLAIN] * self.width for _ in range(self.height)]
        self._dirty = set(range(self.height))
        self._sent_style, self._at = PLAIN, None

    @property
    def stale(self) -> bool:
        """True if there may be changes to send."""
        return bool(self._dirty)

    def changes(self) -> str:
        """Returns the output that makes the terminal show the cells, empty if it does; they then count as sent."""
        out: list[str] = []
        for y in sorted(self._dirty):
            letters, styles = self._letters[y], self._styles[y]
            if letters != self._sent_letters[y] or styles != self._sent_styles[y]:
                self._row(y, out)
                self._sent_letters[y], self._sent_styles[y] = letters[:], styles[:]
        self._dirty.clear()
        if out:
            out.append(self._move(min(max(self._x, 0), self.width - 1), min(max(self._y, 0), self.height - 1)))
        return "".join(out)

    def reset_style(self) -> str:
        """Returns the output that resets the terminal to its own colours."""
        codes, self._sent_style = transition(self._sent_style, PLAIN), PLAIN
        return codes

    def _row(self, y: int, out: list[str]) -> None:
        letters, styles = self._letters[y], self._styles[y]
        sent, sent_styles = self._sent_letters[y], self._sent_styles[y]
        x = 0
        while x < self.width:
            letter, style = letters[x], styles[x]
            if letter == sent[x] and (
                style is sent_styles[x]
                or style == sent_styles[x]
                or (letter == " " and blank_style(style) == blank_style(sent_styles[x]))
            ):
                x += 1
            elif letter == "" and x:
                x = self._send(x - 1, y, out)
            else:
                x = self._send(x, y, out)

    def _send(self, x: int, y: int, out: list[str]) -> int:
        """Sends the letter at a cell and maybe those after it; returns the next cell."""
        letters, styles = self._letters[y], self._styles[y]
        at = self._at
        if at is not None and at[1] == y and 0 < x - at[0] <= _BRIDGE and self._can_bridge(at[0], x, y):
            out += letters[at[0] : x]
        elif at != (x, y):
            out.append(self._move(x, y))
        letter, style = letters[x], styles[x]
        if letter == " ":
            visible = blank_style(style)
            style = self._sent_style if visible == blank_style(self._sent_style) else visible
        if style != self._sent_style:
            out.append(transition(self._sent_style, style))
            self._sent_style = style
        out.append(letter)
        after = x + 1
        while after < self.width and letters[after] == "":
            after += 1
        certain = len(letter) == 1 and letter < "\U0001f000"
        if certain and after == x + 1:
            after = self._run(x, y, out)
        # Terminals differ in the width of emoji and of letters with marks.
        self._at = (after, y) if certain and after < self.width else None
        return after

    def _run(self, x: int, y: int, out: list[str]) -> int:
        """Sends the letters after one that was just sent while the style is the same; returns the next cell."""
        letters, styles = self._letters[y], self._styles[y]
        sent, sent_styles, style = self._sent_letters[y], self._sent_styles[y], styles[x]
        if style != self._sent_style:
            return x + 1
        after = x + 1
        while after < self.width and styles[after] is style:
            letter = letters[after]
            same = letter == sent[after]
            if letter not in _SINGLE or (same and (letter == " " or style == sent_styles[after])):
                break
            after += 1
        out += letters[x + 1 : after]
        return after

    def _can_bridge(self, left: int, right: int, y: int) -> bool:
        """Returns whether the cells between can be sent again without a change of style."""
        letters, styles = self._letters[y], self._styles[y]
        return all(letters[x].isascii() and letters[x] and styles[x] == self._sent_style for x in range(left, right))

    def _move(self, x: int, y: int) -> str:
        at, self._at = self._at, (x, y)
        if at == (x, y):
            return ""
        if at is not None and at[1] == y and x > at[0]:
            return "\x1b[C" if x - at[0] == 1 else f"\x1b[{x - at[0]}C"
        if at is not None and x == 0 and y == at[1] + 1:
            return "\r\n"
        return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
