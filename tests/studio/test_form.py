"""Forms: what is accepted once, and errors that keep the form open."""

from __future__ import annotations

import asyncio
from pathlib import Path

from paned import done, pane_of
from stories import screen_text

from autoact.files import disk
from studio.screens.form import Field, Form, Values


async def test_a_second_enter_starts_nothing_again(opera: Path) -> None:
    begun, go_on = 0, asyncio.Event()

    async def accept(values: Values) -> str:
        nonlocal begun
        begun += 1
        await go_on.wait()
        return ""

    async with pane_of(opera, "1") as (app, pilot):
        app.push_screen(Form("Start", (Field("name", "name", "x"),), accept))
        await pilot.pause()
        await pilot.press("enter", "enter", "ctrl+o")
        assert "working ..." in screen_text(app)
        go_on.set()
        await done(app, pilot)
        assert not isinstance(app.screen, Form)
    assert begun == 1


async def test_a_label_is_shown_in_full(opera: Path) -> None:
    async def accept(values: Values) -> str:
        return ""

    async with pane_of(opera, "1", (60, 15)) as (app, pilot):
        label = "FILE.py:FUNCTION, a langchain class, a server's command, or an address that begins with http"
        app.push_screen(Form("Add", (Field("what", label), Field("name", "name")), accept))
        await pilot.pause()
        assert label in " ".join(screen_text(app).split())


async def test_an_error_about_what_was_typed_is_shown_and_it_can_be_typed_again(opera: Path) -> None:
    async def accept(values: Values) -> str:
        return str(disk.expand_user(values["name"])) and ""

    async with pane_of(opera, "1") as (app, pilot):
        app.push_screen(Form("Open", (Field("name", "name", "~no-such-user-here/x"),), accept))
        await pilot.pause()
        await pilot.press("enter")
        await done(app, pilot)
        assert "no such user" in screen_text(app)
        await pilot.press(*["backspace"] * 25, "x", "enter")
        await done(app, pilot)
        assert not isinstance(app.screen, Form)


async def test_what_was_typed_is_left_only_by_a_second_escape(opera: Path) -> None:
    async def accept(values: Values) -> str:
        return "never reached"

    async with pane_of(opera, "1") as (app, pilot):
        fields = (
            Field("name", "name", "x\x1by"),
            Field("text", "text", "one\ntwo", 4),
            Field("word", "word", "a", 1, ("a", "b")),
        )
        app.push_screen(Form("Open", fields, accept))
        await pilot.pause()
        await pilot.press("escape")
        assert not isinstance(app.screen, Form), "nothing was typed"
        app.push_screen(Form("Open", fields, accept))
        await pilot.pause()
        await pilot.press("z", "escape")
        await pilot.pause()
        assert "Unsaved changes: esc again discards them." in screen_text(app)
        await pilot.press("z", "escape")
        assert isinstance(app.screen, Form), "more was typed since it warned"
        await pilot.press("escape")
        assert not isinstance(app.screen, Form)
