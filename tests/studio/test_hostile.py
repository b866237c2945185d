"""Hostile text through every way in: nothing but known sequences reaches the terminal, nothing falls over, and every
action string reads exactly as it was written.

AUTOACT_FAULTS=long tries 200,000 strings instead of 1,000.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from hostile import ACTIONS, ACTS, LONG, SEED, SENT, acting, hostile
from hosts import Host
from textual.app import App
from textual.content import Content
from textual.widgets import Static

from autoact.events import EpisodeBegun, ModelAnswered, QuestionAccepted, ToolObserved
from autoact.run.record.log import Record
from autoact.trajectory import Question
from studio import plain
from studio.episodes.document import Document, Paragraph
from studio.runs.loss_series import Series
from studio.terminal import untrusted_text
from studio.terminal.screen_cells import ScreenCells
from studio.widgets.charts.plot import Curve, Plot
from studio.widgets.lists.table import Column, Table
from studio.widgets.transcripts.transcript import Transcript

COUNT = 200_000 if LONG else 1_000
PICTURES = 500 if LONG else 10
"""Pictures that are drawn in full."""
PICTURE = 100
"""Strings to a picture: all of them are drawn by some widget."""


def strings() -> Iterator[list[str]]:
    source = random.Random(SEED)
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
        cells = ScreenCells(100, 200)
        for texts in islice(strings(), PICTURES):
            view.show(Document(Paragraph(text, text, text[:400]) for text in texts))
            streamed(view.document, texts)
            table.show(Rows(texts))
            plot.curves = [Curve(text, "plan", Series([1.0, 2.0])) for text in texts[:2]]
            plot.draw()
            label.update(untrusted_text.content(texts[0]))
            app.notify(untrusted_text.line(texts[1]), markup=False, timeout=0.01)
            view.draw()
            await pilot.pause()
            frame = drawn(app)
            assert not acting(frame.replace("\n", "\r\n").replace("\r\r", "\r")), SEED
            cells.draw(frame)
            assert not acting(cells.changes()), SEED
    print(f"\n{PICTURES * PICTURE} texts drawn by transcript, table, plot, label and toast: 0 acted")


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
                EpisodeBegun(text, Question(text, text, text)),
            )
            line = plain.line(Record(number, 0.0, events[number % len(events)], "t"))
            assert not ACTS.search(line), text
            shown = untrusted_text.clean(text)
            assert not ACTS.search(shown.replace("\n", "")), text
            shown.encode()
    print(f"\n{COUNT} texts made a line and a page: 0 acted")


def test_the_wall_at_the_driver_stands_by_itself() -> None:
    """Even text that no one made safe leaves the cells as text, colours, places and links."""
    cells = ScreenCells(80, 3)
    for texts in strings():
        for text in texts:
            cells.draw(f"\x1b[1;1H{text[:500]}")
            assert not ACTS.search(SENT.sub("", cells.changes())), text
    print(f"\n{COUNT} texts drawn as they came: 0 acted behind the driver")


async def test_action_strings_read_exactly_as_written() -> None:
    source = random.Random(7)
    said = [action.replace("x", source.choice("xyz[]/")) for action in ACTIONS for _ in range(20)]
    view = Transcript(Document(Paragraph("tool", "action", action) for action in said))
    table, label = Table((Column("a"),), Rows1(said)), Static()
    app = Host(view, table, label)
    app.CSS = "Transcript { height: 130; } Table { height: 122; } Static { height: 120; }"
    async with app.run_test(size=(80, 380)) as pilot:
        label.update(Content("\n").join(map(untrusted_text.content, said)))
        await pilot.pause()
        rows = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        assert [row.removeprefix("T⚙ action      ") for row in rows[: len(said)]] == said
        assert [row[1:] for row in rows[131 : 131 + len(said)]] == said
        assert rows[252 : 252 + len(said)] == said


class Rows1(Rows):
    """One cell a row."""

    def row(self, index: int) -> tuple[str]:  # type: ignore[override]
        return (self.texts[index],)
