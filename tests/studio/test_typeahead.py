"""Keys in one burst, as a slow line delivers them: each reaches what the one before it opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from paned import Instead, done, pane_of, until
from textual.dom import DOMNode
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from studio.app import StudioApp
from studio.panes.task import TaskPane
from studio.screens.form import Form
from studio.terminal import typeahead
from studio.widgets.lists.table import Table


async def burst(app: StudioApp, pilot: Pilot[str], *events: str | Paste) -> None:
    """Keys by name, and pasted text, all of them before the app handles the first."""
    for event in events:
        app.post_message(event if isinstance(event, Paste) else Key(event, event if len(event) == 1 else None))
    await done(app, pilot)


async def test_letters_behind_the_key_of_a_line_are_typed_on_it(opera: Path) -> None:
    async with pane_of(opera, "5") as (app, pilot):
        await burst(app, pilot, "a", *"1qXe")
        assert app.is_running
        assert app.screen.query_one("#ask", Input).value == "1qXe"


async def test_a_tab_between_two_fields_parts_what_is_typed(opera: Path) -> None:
    async with pane_of(opera, "1") as (app, pilot):
        await burst(app, pilot, "a", *"Who?", "tab", *"Verdi", "enter")
        assert not isinstance(app.screen, Form)
        assert [row.answer for row in app.screen.query_one(TaskPane).rows] == ["Beethoven", "Verdi"]


async def test_a_key_behind_a_submitted_line_is_meant_for_the_pane(opera: Path, instead: Instead) -> None:
    instead("raise SystemExit(1)")
    async with pane_of(opera, "2") as (app, pilot):
        await burst(app, pilot, "slash", *"ret", "enter", "7")
        assert app.screen.query_one("#letters", Input).value == "ret"
        assert app.screen.query_one("#runs-table", Table).has_focus


async def test_a_paste_behind_its_key_goes_into_the_field(opera: Path) -> None:
    async with pane_of(opera, "1") as (app, pilot):
        await burst(app, pilot, "p", Paste("Who wrote Aida?\tVerdi\rWho wrote Norma?\tBellini\r"))
        assert app.screen.query_one(TextArea).text == "Who wrote Aida?\tVerdi\nWho wrote Norma?\tBellini\n"


async def test_a_field_of_one_line_takes_all_lines_of_a_paste(opera: Path) -> None:
    async with pane_of(opera, "5") as (app, pilot):
        await burst(app, pilot, "a", Paste("Who wrote\r  Fidelio?\r"))
        assert app.screen.query_one("#ask", Input).value == "Who wrote Fidelio?"


async def test_a_key_that_never_ends_does_not_block_the_next(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a widget that is removed while its key waits in its queue."""
    monkeypatch.setattr(typeahead, "KEY_TIMEOUT_S", 0.01)
    async with pane_of(opera, "1") as (app, pilot):
        follow, lost = app._typeahead._wait_behind, list[float]()

        def lose_the_first(begun: float, way: Sequence[DOMNode]) -> None:
            if lost:
                follow(begun, way)
            lost.append(begun)

        monkeypatch.setattr(app._typeahead, "_wait_behind", lose_the_first)
        await burst(app, pilot, "j", "7")
        await until(pilot, lambda: bool(app.screen.query("#runs-table:focus")))
