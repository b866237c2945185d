"""A choice among a few words: all of them in sight, one of them marked."""

from __future__ import annotations

import pytest
from hosts import Host
from stories import screen_text

from studio.widgets.choice import Choice

STAGES = ("self_instruct", "tool_selection", "synthesis", "filtering", "differentiation", "group_planning")


@pytest.mark.does("choice.previous_word", "choice.next_word")
async def test_every_word_is_in_sight_on_a_narrow_screen() -> None:
    app = Host(Choice(STAGES, "group_planning"))
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.pause()
        shown = screen_text(app)
        assert all(stage in shown for stage in STAGES)
        assert "[group_planning]" in shown
        await pilot.press("right")
        assert app.query_one(Choice).value == "self_instruct"
        await pilot.press("left", "left")
        assert app.query_one(Choice).value == "differentiation"
