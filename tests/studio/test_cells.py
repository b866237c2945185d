"""The driver's cells: whatever frames draw, the changes make another terminal look the same."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pyte
import pytest
from hosts import Host
from rich.cells import cell_len, split_graphemes
from textual.app import App
from textual.pilot import Pilot

from studio.episodes.document import Document, Paragraph
from studio.runs.loss_series import Series
from studio.terminal.cell_style import PLAIN, CellStyle, apply_sgr, transition
from studio.terminal.screen_cells import _SINGLE, ScreenCells
from studio.widgets.charts.plot import Curve, Plot
from studio.widgets.lists.table import Column, Table
from studio.widgets.transcripts.transcript import Transcript

WIDTH, HEIGHT = 40, 10
STYLES = (
    "",
    "1",
    "31",
    "38;2;1;2;3",
    "1;3;38;2;9;9;9;48;2;0;0;80",
    "4",
    "7;32",
    "2;48;5;17",
    "9",
    "38;2;1;2;3;48;2;7;7;7",
)
WORDS = ("plan", "a ", "  ", "BingSearch[x]", "é", "東京", "x", "─│", "⠋⠙")


def look(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """What can be seen: the foreground of a blank cannot."""
    return [
        [seen(screen.buffer[y][x]) for x in range(screen.columns)]
        for y in range(screen.lines)
    ]  # fmt: skip


def seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough):
        return " ", cell.bg
    return cell.data, cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.strikethrough, cell.reverse


class Pair:
    """A terminal that gets the frames, and one that gets the changes."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT):
        self.stock, self.ours = pyte.Screen(width, height), pyte.Screen(width, height)
        self._stock, self._ours = pyte.Stream(self.stock), pyte.Stream(self.ours)
        for stream in (self._stock, self._ours):
            stream.feed("\x1b[?7l")
        self.cells = ScreenCells(width, height)
        self.bytes = self.frames = 0

    def draw(self, frame: str) -> None:
        self._stock.feed(frame)
        self.cells.draw(frame)
        changes = self.cells.changes()
        self.bytes += len(changes.encode())
        self.frames += len(frame.encode())
        self._ours.feed(changes)

    def same(self) -> bool:
        return look(self.stock) == look(self.ours) and self._cursor(self.stock) == self._cursor(self.ours)

    @staticmethod
    def _cursor(screen: pyte.Screen) -> tuple[int, int]:
        return min(screen.cursor.x, screen.columns - 1), screen.cursor.y


def row_of(source: random.Random, width: int) -> str:
    """A whole row as Textual writes it."""
    parts, filled = [], 0
    while filled < width:
        word = source.choice(WORDS)
        word = word if filled + cell_len(word) <= width else " " * (width - filled)
        filled += cell_len(word)
        style = source.choice(STYLES)
        parts.append(f"\x1b[{style}m{word}\x1b[0m" if style else word)
    return "".join(parts)


def frames(source: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        rows = source.sample(range(HEIGHT), source.randrange(1, HEIGHT))
        drawn = "".join(f"\x1b[{y + 1};1H{row_of(source, WIDTH)}" for y in rows)
        yield f"{drawn}\x1b[{source.randrange(1, HEIGHT)};{source.randrange(1, WIDTH)}H"


def test_random_frames_look_the_same() -> None:
    pair = Pair()
    for frame in frames(random.Random(1), 200):
        pair.draw(frame)
        assert pair.same(), frame


def test_nothing_is_sent_for_the_same_frame() -> None:
    cells = ScreenCells(WIDTH, HEIGHT)
    frame = next(frames(random.Random(2), 1))
    cells.draw(frame)
    assert cells.changes()
    cells.draw(frame)
    assert cells.changes() == ""


def test_letters_taken_for_single_cells_are_such() -> None:
    for letter in _SINGLE:
        assert split_graphemes(f"a{letter}b") == ([(0, 1, 1), (1, 2, 1), (2, 3, 1)], 3), ascii(letter)


def test_after_a_change_of_size_everything_is_sent() -> None:
    pair = Pair()
    for frame in frames(random.Random(3), 20):
        pair.draw(frame)
    smaller = Pair(WIDTH, HEIGHT - 3)
    smaller._stock.feed(pair.cells.resize(WIDTH, HEIGHT - 3).changes())
    assert look(smaller.stock) == look(pair.ours)[: HEIGHT - 3]


def test_half_a_wide_letter_is_no_letter() -> None:
    cells = ScreenCells(8, 1)
    cells.draw("\x1b[1;1H東京東京")
    cells.changes()
    cells.draw("\x1b[1;2Hx")
    screen = pyte.Screen(8, 1)
    pyte.Stream(screen).feed(cells.resize(8, 1).changes())
    assert screen.display[0].rstrip() == " x京東京"
    cells.draw("\x1b[1;8H東")
    assert cells._letters[0][6:] == [" ", " "]


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b]52;c;aGk=\x07",
        "\x1b[2J",
        "\x9b2J",
        "\x1bP1$r\x1b\\",
        "a\x07b",
        "\u202eabc",
        "\x1b]0;t\x07",
        "\ud800",
        "\x1bc",
    ],
)
def test_a_frame_carries_no_other_sequence(hostile: str) -> None:
    cells = ScreenCells(WIDTH, HEIGHT)
    cells.draw(f"\x1b[1;1H{hostile}ok")
    sent = cells.changes()
    rest = re.sub(r"\x1b\[[0-9;]*[mHC]|\r\n", "", sent)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", rest)
    assert "ok" in rest


def test_links_are_kept_if_they_are_addresses() -> None:
    cells = ScreenCells(WIDTH, HEIGHT)
    cells.draw("\x1b[1;1H\x1b]8;id=7;https://example.org/a\x1b\\\x1b[1mx\x1b[0m\x1b]8;;\x1b\\y")
    assert "\x1b]8;;https://example.org/a\x1b\\x" in cells.changes()
    cells.draw("\x1b[2;1H\x1b]8;id=7;javascript:x\x1b\\x\x1b]8;;\x1b\\")
    assert "javascript" not in cells.changes()


def test_pens_change_by_the_shortest_way() -> None:
    red = apply_sgr(PLAIN, "1;38;2;200;0;0;48;2;1;1;1")
    blue = apply_sgr(PLAIN, "1;38;2;0;0;200;48;2;1;1;1")
    assert transition(red, blue) == "\x1b[38;2;0;0;200m"
    assert transition(red, PLAIN) == "\x1b[m"
    assert transition(apply_sgr(PLAIN, "1;2"), apply_sgr(PLAIN, "2")) == "\x1b[0;2m"
    assert apply_sgr(red, "0") == PLAIN == apply_sgr(red, "")
    assert apply_sgr(PLAIN, "38;5;300000") == PLAIN
    assert apply_sgr(PLAIN, "97;104") == CellStyle("97", "104")


async def test_every_widget_looks_the_same() -> None:
    """The frames of real widgets, of keys pressed in them and of text that streams in."""
    document = Document(Paragraph("plan", "thought", f"thought {n} 東京 e\u0301 " * (n % 9), n) for n in range(300))
    plot = Plot([Curve("loss", "plan", Series([3 / (1 + n) for n in range(50)]))])
    table = Table((Column("a"), Column("b", 9, right=True)))
    app = Host(Transcript(document, folds=()), table, plot)
    async with app.run_test(size=(80, 30)) as pilot:
        pair = Pair(80, 30)
        for key in ("g", "j", "pagedown", "pagedown", "G", "tab", "tab", "l", "left", "left", "shift+tab"):
            await pressed(app, pilot, key)
            document.begin("tool", "action")
            for _ in range(5):
                document.write("BingSearch[Woman in Gold] ")
                app.query_one(Transcript).draw()
                await pilot.pause()
            pair.draw(whole(app))
            assert pair.same()
        assert pair.bytes < pair.frames / 4


async def pressed(app: App[str], pilot: Pilot[str], key: str) -> None:
    await pilot.press(key)
    await pilot.pause()


def whole(app: App[str]) -> str:
    """The screen as Textual would write all of it, its cursor at the top."""
    return app.screen._compositor.render_full_update().render_segments(app.console) + "\x1b[1;1H"
