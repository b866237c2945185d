"""Rating two methods without their names, in the studio."""

from __future__ import annotations

import getpass
from pathlib import Path

import orjson
import pytest
from paned import done, pane_of
from stories import screen_text, write
from textual.widgets import Input

import autoact.events as happened
from autoact.trajectory import Question, Step, Trajectory
from studio.screens.rating import RatingScreen


def answered() -> list[happened.Event]:
    """Two methods that answered three questions, the last one alike."""
    solved: list[happened.Event] = []
    for number in range(3):
        question = Question(f"h-{number}", f"[b]Which metal is number {number}?", "iron", choices=("iron", "salt"))
        for cast, said in (("meta", "salt"), ("group", "iron" if number < 2 else "salt")):
            made = Trajectory(f"{cast}-{number}", question, (Step("[b]So.", "Finish", said),), said, cast=cast)
            solved.append(happened.QuestionSolved(cast, made, 0.0, 0.0, True, 1.0, 90))
    return [happened.RunOpened(1, 1, "here"), *solved, happened.RunFinished()]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.does(
    "lab.rate", "rating.left", "rating.right", "rating.same", "rating.neither", "rating.previous", "rating.close"
)
async def test_pairs_are_rated_without_names(opera: Path, size: tuple[int, int]) -> None:
    run = write(opera, answered())
    async with pane_of(opera, "6", size) as (app, pilot):
        await pilot.press("b")
        await done(app, pilot)
        values = [app.screen.query_one(f"#field-{name}", Input).value for name in ("first", "second", "rater")]
        assert values == [f"{run.name}/meta", f"{run.name}/group", getpass.getuser()]
        await pilot.press("enter")
        await done(app, pilot)
        assert isinstance(app.screen, RatingScreen)
        text = screen_text(app)
        assert f"0 of 2 pairs rated by {getpass.getuser()}" in text
        assert "[b]Which metal is number" in text
        assert "Finish[iron]" in text
        assert "Finish[salt]" in text
        assert run.name not in text
        assert "group" not in text
        assert "(A) iron" in text
        assert "which answer is better" in text
        await pilot.press("l", "b", "s", "escape")
        await done(app, pilot)
        await pilot.press("b", "enter")
        await done(app, pilot)
        assert "1 of 2 pairs rated" in screen_text(app)
        await pilot.press("w", "b", "r")
        await done(app, pilot)
        text = screen_text(app)
        assert "2 of 2 pairs rated" in text
        assert f"A  {run.name}/meta" in text
        assert "sign test p 1.000" in text
        await pilot.press("l")
        await done(app, pilot)
    lines = [orjson.loads(line) for line in (opera / "ratings.jsonl").read_text().splitlines()]
    assert [one["choice"] for one in lines] == ["left", "same", "both wrong", "right"]


async def test_each_criterion_has_its_own_ratings(opera: Path) -> None:
    write(opera, answered())
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        for number in range(2):
            await pilot.press("b")
            await done(app, pilot)
            await pilot.press("tab", "tab", *["right"] * number, "enter")
            await done(app, pilot)
            assert "0 of 2 pairs rated" in screen_text(app)
            assert ("which chooses the better tools" in screen_text(app)) == bool(number)
            await pilot.press("l", "escape")
            await done(app, pilot)
    lines = [orjson.loads(line) for line in (opera / "ratings.jsonl").read_text().splitlines()]
    assert [one["criterion"] for one in lines] == ["overall", "action"]


async def test_what_cannot_be_rated(opera: Path) -> None:
    run = write(opera, answered())
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("b")
        await done(app, pilot)
        second = app.screen.query_one("#field-second", Input)
        for typed, said in (
            ("nothing", "no scores of `nothing`; there are"),
            (f"{run.name}/meta", "expected two different runs or methods"),
        ):  # fmt: skip
            second.value = typed
            await pilot.press("enter")
            await done(app, pilot)
            assert said in screen_text(app)
        (opera / "ratings.jsonl").write_text("nonsense\n")
        second.value = f"{run.name}/group"
        await pilot.press("enter")
        await done(app, pilot)
        assert "not a rating" in screen_text(app)


async def test_one_method_alone_offers_no_rating(opera: Path) -> None:
    write(opera, [one for one in answered() if getattr(one, "cast", "meta") == "meta"])
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        await pilot.press("b")
        await done(app, pilot)
        assert "Two runs or methods with scores are needed" in screen_text(app)
