"""The table: it asks for what is in sight, and keys move about in it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hosts import Host
from stories import screen_text
from textual.content import Content

from studio.widgets.lists.table import Cell, Column, Table, column_widths

COLUMNS = (Column("question"), Column("steps", 7, right=True), Column("tool", 14, least=60))


class Asked:
    """Rows that remember which of them were asked for."""

    def __init__(self, count: int):
        self.count = count
        self.asked: list[int] = []

    def __len__(self) -> int:
        return self.count

    def row(self, index: int) -> Sequence[Cell]:
        self.asked.append(index)
        return f"question {index} [b]?", Content(str(index % 9)), "BingSearch[x]"

    def key(self, index: int) -> str:
        return f"q-{index}"


def test_columns_share_what_is_left() -> None:
    assert column_widths(COLUMNS, 80) == [58, 7, 14]
    assert column_widths(COLUMNS, 40) == [32, 7, 0]


def test_a_broad_table_gives_a_column_more() -> None:
    columns = (Column("question"), Column("cast", 10, broad=17))
    assert column_widths(columns, 99) == [88, 10]
    assert column_widths(columns, 100) == [82, 17]


@pytest.mark.does("list.cursor_up", "list.last")
async def test_a_million_rows_cost_what_is_in_sight() -> None:
    rows = Asked(1_000_000)
    table = Table(COLUMNS, rows)
    app = Host(table)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = screen_text(app).splitlines()
        assert text[0].split() == ["question", "steps", "tool"]
        assert text[1].startswith(" question 0 [b]?")
        await pilot.press("G")
        await pilot.pause()
        text = screen_text(app).splitlines()
        assert text[23].startswith(" question 999999 [b]?")
        assert "BingSearch[x]" in text[23]
        await pilot.press("pageup", "k", "pagedown", "g")
        await pilot.pause()
        assert screen_text(app).splitlines()[1].startswith(" question 0 ")
        assert len(rows.asked) < 400


async def test_rows_that_stay_in_sight_are_not_asked_for_again() -> None:
    rows = Asked(100)
    table = Table(COLUMNS, rows)
    app = Host(table)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        rows.asked.clear()
        await pilot.press("j")
        await pilot.pause()
        assert sorted(set(rows.asked)) == [0, 1]
        rows.asked.clear()
        rows.count = 120
        table.grow()
        await pilot.pause()
        assert rows.asked == []


async def test_what_grows_in_sight_is_drawn() -> None:
    rows = Asked(3)
    table = Table(COLUMNS, rows)
    app = Host(table)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "question 3" not in screen_text(app)
        rows.count = 5
        table.grow()
        await pilot.pause()
        assert "question 4" in screen_text(app)


@pytest.mark.does("table.open_row", "list.cursor_down", "list.cursor_up")
async def test_the_cursor_stays_with_its_row() -> None:
    rows = Asked(50)
    table = Table(COLUMNS, rows)
    app = Host(table)
    opened: list[str] = []
    async with app.run_test(size=(80, 24), message_hook=lambda m: hook(m, opened)) as pilot:
        table.move_to(7)
        assert table.chosen == "q-7"
        table.reload(key="q-9")
        assert table.chosen == "q-9"
        await pilot.press("enter")
        await pilot.pause()
        assert opened == ["q-9"]
        table.reload(key="q-44")
        assert table.chosen == "q-44"
        await pilot.pause()
        assert "question 44" in screen_text(app)
        table.reload(key="gone")
        assert table.chosen == "q-44"
        table.scroll_to(y=0, animate=False, force=True)
        table.reload(key="q-45")
        assert (table.chosen, table.top) == ("q-45", 0), "who looks elsewhere is left there"
        rows.count = 4
        table.reload()
        assert table.chosen == "q-3"
        rows.count = 0
        table.reload()
        assert table.chosen is None
        await pilot.press("j", "k", "G", "g", "enter", "pagedown")


def hook(message: object, opened: list[str]) -> None:
    if isinstance(message, Table.Opened) and message.key not in opened:
        opened.append(message.key)
