"""What is said above the footer, and how long it stands there."""

from __future__ import annotations

import pytest
from hosts import Host
from stories import screen_text

from studio.widgets import notice
from studio.widgets.notice import Notice


async def test_a_notice_goes_when_it_is_old_and_a_newer_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "STAYS_S", 2.0)
    app = Host(Notice())
    async with app.run_test() as pilot:
        line = app.query_one(Notice)
        line.show("first [b]words[/b]")
        await pilot.pause(0.2)
        line.show("second")
        await pilot.pause()
        assert "second" in screen_text(app)
        while "second" in screen_text(app):
            await pilot.pause(0.05)
        assert "first" not in screen_text(app)


async def test_a_long_text_takes_up_to_three_lines_and_gives_them_back() -> None:
    app = Host(Notice())
    async with app.run_test(size=(40, 10)) as pilot:
        line = app.query_one(Notice)
        for text, height in (("a word", 1), ("words " * 10, 2), ("words " * 15, 3), ("words " * 99, 3), ("", 1)):
            line.show(text)
            await pilot.pause()
            assert line.size.height == height, text


async def test_a_foreign_text_is_no_markup() -> None:
    app = Host(Notice())
    async with app.run_test() as pilot:
        app.query_one(Notice).show("[b]bold[/b] \x1b[31m")
        await pilot.pause()
        assert "[b]bold[/b]" in screen_text(app)
