"""Hostile text through every way in: nothing but known sequences reaches the terminal, nothing falls over, and every
action string reads exactly as it was written.

AUTOACT_FAULTS=long tries 200,000 strings instead of 1,000.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

from hosts import Host
from textual.app import App
from textual.content import Content
from textual.widgets import Static

from autoact.events import ModelAnswered, QuestionAccepted, ToolObserved
from autoact.run.log import Record
from autoact.trajectory import Question
from studio import foreign, plain
from studio.cells import Cells
from studio.document import Document, Passage
from studio.series import Series
from studio.widgets.plot import Curve, Plot
from studio.widgets.table import Column, Table
from studio.widgets.transcript import Transcript

COUNT = 200_000 if os.environ.get("AUTOACT_FAULTS") == "long" else 1_000
PICTURE = 100
"""Strings to a picture: all of them are drawn by some widget."""
PIECES = (
    "\x1b[31m", "\x1b[2J", "\x1b]52;c;aGk=\x07", "\x1b]0;title\x1b\\", "\x1bP1$r\x1b\\", "\x9b2J", "\x9d52;c;x\x9c",
    "\x1b", "\x07", "\x08", "\r", "\x00", "\x7f", "[/b]", "[bold]", "[@click=app.quit]x[/]", "[$primary]", "\\[", "[[",
    "]", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\U000e0041", "\ud800", "\udfff", "\u0301" * 40,
    "\u200d", "東京", "👩‍👩‍👧", "العربية", "BingSearch[Woman in Gold]", "Finish[/a/b]", "Lookup[x[y]]", "\n", "\t", " ",
    "x" * 99,
)  # fmt: skip
SENT = re.compile(r"\x1b\[[0-9;]*m|\x1b\[[0-9]+(?:;[0-9]+)?H|\x1b\[[0-9]*C|\r\n|\x1b\]8;;[\x21-\x7e]*\x1b\\")
"""All that the driver's cells may send besides text."""
ACTS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
ACTIONS = (
    "BingSearch[Woman in Gold]",
    "Finish[/a/b]",
    "Retrieve[[b]x]",
    "Calculator[2*(3+4)]",
    "Lookup[yes] [/]",
    "Finish[\\[]",
)


def hostile(source: random.Random) -> str:
    """Pieces that terminals and markup parsers mind, among letters from anywhere and bytes that are no UTF-8."""
    parts = [source.choice(PIECES) for _ in range(source.randrange(1, 8))]
    if source.random() < 0.3:
        parts.append("".join(chr(source.randrange(0x110000)) for _ in range(source.randrange(20))))
    if source.random() < 0.1:
        parts.append(source.randbytes(20).decode("utf-8", source.choice(("replace", "surrogateescape"))))
    if source.random() < 0.01:
        parts.append("A" * 70_000)
    return "".join(parts)


def strings() -> Iterator[list[str]]:
    source = random.Random(20261122)
    for _ in range(0, COUNT, PICTURE):
        yield [hostile(source) for _ in range(PICTURE)]


class Rows:
    """Texts as a table's rows."""

    def __init__(self, texts: list[str]):
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def row(self, index: int) -> tuple[str, str]:
        return self.texts[index], self.texts[-index]

    def key(self, index: int) -> str:
        return str(index)


async def test_no_control_sequence_of_another_reaches_the_terminal() -> None:
    view, table, plot, label = Transcript(folds=()), Table((Column("a"), Column("b", 30))), Plot(), Static()
    app = Host(view, table, plot, label)
    app.CSS = "Transcript { height: 90; } Table { height: 102; } Plot { height: 4; } Static { height: 3; }"
    async with app.run_test(size=(100, 200)) as pilot:
        cells = Cells(100, 200)
        for texts in strings():
            view.show(Document(Passage(text, text, text[:400]) for text in texts))
            streamed(view.document, texts)
            table.show(Rows(texts))
            plot.show([Curve(text, "plan", Series([1.0, 2.0])) for text in texts[:2]])
            label.update(foreign.content(texts[0]))
            app.notify(foreign.line(texts[1]), markup=False, timeout=0.01)
            view.draw()
            await pilot.pause()
            frame = drawn(app)
            assert not ACTS.search(SENT.sub("", frame.replace("\n", "\r\n").replace("\r\r", "\r")))
            cells.draw(frame)
            assert not ACTS.search(SENT.sub("", cells.changes()))


def streamed(document: Document, texts: list[str]) -> None:
    """The same by pieces, cut anywhere."""
    for text in texts[:20]:
        document.begin("tool", text)
        for at in range(0, min(len(text), 200), 3):
            document.write(text[at : at + 3])


def drawn(app: App[str]) -> str:
    return app.screen._compositor.render_full_update().render_segments(app.console)


def test_lines_and_texts_are_safe_to_print() -> None:
    for texts in strings():
        for number, text in enumerate(texts):
            events = (
                ModelAnswered(text, 0, "d", text, text, text),
                ToolObserved(text, 0, "d", text, text, text),
                QuestionAccepted(Question(text, text, text)),
            )
            line = plain.line(Record(number, 0.0, events[number % 3], "t"))
            assert not ACTS.search(line), text
            shown = foreign.clean(text)
            assert not ACTS.search(shown.replace("\n", "")), text
            shown.encode()


def test_the_wall_at_the_driver_stands_by_itself() -> None:
    """Even text that no one made safe leaves the cells as text, colours, places and links."""
    cells = Cells(80, 3)
    for texts in strings():
        for text in texts:
            cells.draw(f"\x1b[1;1H{text[:500]}")
            assert not ACTS.search(SENT.sub("", cells.changes())), text


async def test_action_strings_read_exactly_as_written() -> None:
    source = random.Random(7)
    said = [action.replace("x", source.choice("xyz[]/")) for action in ACTIONS for _ in range(20)]
    view = Transcript(Document(Passage("tool", "action", action) for action in said))
    table, label = Table((Column("a"),), Rows1(said)), Static()
    app = Host(view, table, label)
    app.CSS = "Transcript { height: 130; } Table { height: 122; } Static { height: 120; }"
    async with app.run_test(size=(80, 380)) as pilot:
        label.update(Content("\n").join(map(foreign.content, said)))
        await pilot.pause()
        rows = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        assert [row.removeprefix("T⚙ action      ") for row in rows[: len(said)]] == said
        assert [row[1:] for row in rows[131 : 131 + len(said)]] == said
        assert rows[252 : 252 + len(said)] == said


class Rows1(Rows):
    """One cell a row."""

    def row(self, index: int) -> tuple[str]:  # type: ignore[override]
        return (self.texts[index],)
