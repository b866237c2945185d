"""The lab pane: scores, the funnel, evaluations, and what lies behind a wrong answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from paned import Instead, done, pane_of
from stories import finished, opened, screen_text, write

import autoact.events as happened
from autoact.lab.tally import Score
from autoact.run.state import RunState
from autoact.trajectory import Example, Question, Step, Trajectory, Verdict
from studio.lineage import lineage, wrong
from studio.panes.lab import ScoreRows
from studio.screens.projects import ProjectsScreen

PERU = Question("held-1", "What is the capital of Peru?", "Lima", "heldout", "easy", "one-hop", gold=("Peru",))


def guessed(question: Question, answer: str, unit: str) -> Trajectory:
    return Trajectory(unit, question, (Step("I guess.", "Finish", answer),), answer, "right", cast="group")


def story() -> list[happened.Event]:
    """One practice question about Peru, tried twice; one wrong held-out answer about it."""
    practice = Question("s-1", "In which city is Peru governed?", "Lima", "instructed", gold=("Peru",))
    return [
        happened.RunOpened(1, 1, "here"),
        happened.QuestionAccepted(practice),
        happened.TrajectoryCommitted(guessed(practice, "Lima", "t-s-1-0")),
        happened.TrajectoryCommitted(guessed(practice, "[b]Bonn", "t-s-1-1")),
        happened.TrajectoryJudged(Verdict("t-s-1-0", True, 1.0)),
        happened.TrajectoryJudged(Verdict("t-s-1-1", False, 0.0, "wrong answer")),
        happened.QuestionSolved("group", guessed(PERU, "[b]Bonn", "group-held-1"), 0.0, 0.0, True, 1.0, 90),
        happened.RunFinished(),
    ]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.does("project.lab")
async def test_scores_of_every_run_and_the_funnel(opera: Path, size: tuple[int, int]) -> None:
    write(opera, opened(), minute=10)
    write(opera, finished())
    async with pane_of(opera, "6", size) as (app, _):
        text = screen_text(app)
        for said in ("group     4  75.0 25-100", "meta      4  25.0 0-75", "13 made, 12 accepted", "1  too short"):
            assert said in text
        assert "37 tried, 13 kept" in text
        assert "11-22 14:10" in text
        assert ("gain in F1" in text) == (size[0] > 100)


def test_the_gain_stands_beside_its_interval() -> None:
    rows = ScoreRows()
    score = Score("group", "", 4, 0.5, (0.0, 1.0), 0.5, (0.25, 0.75), 90.0, 2.5, gain=(0.5, -0.1, 0.75))
    rows.rows = [("run", score)]
    assert list(rows.row(0))[3:6] == [" 50.0 0-100", " 50.0 25-75", "+50.0  [-10.0, 75.0]"]


@pytest.mark.does("lab.wrong", "lab.up")
async def test_what_lies_behind_a_wrong_answer(opera: Path) -> None:
    write(opera, story())
    async with pane_of(opera, "6", (120, 36)) as (app, pilot):
        assert "group easy" in screen_text(app)
        await pilot.press("w")
        await done(app, pilot)
        text = screen_text(app)
        for said in ("[b]Bonn; expected Lima", "Finish[[b]Bonn]", "Peru", "In which city is Peru governed?"):
            assert said in text
        assert "2 tries, 1 kept" in text
        assert "Who wrote Fidelio?" in text
        await pilot.press("w")
        await done(app, pilot)
        assert "group easy" in screen_text(app)
        await pilot.press("w")
        await done(app, pilot)
        await pilot.press("escape")
        await done(app, pilot)
        assert "group easy" in screen_text(app)
        await pilot.press("escape")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectsScreen)


async def test_a_run_without_wrong_answers_says_so(opera: Path) -> None:
    write(opera, opened())
    async with pane_of(opera, "6") as (app, pilot):
        await pilot.press("w")
        await done(app, pilot)
        assert "no scored answer of this run is wrong" in screen_text(app)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("", "eval --detach -- "),
        ("my data.jsonl", "--data=/my data.jsonl --"),
        ("data.jsonl meta,group", "--data=/data.jsonl --method=meta,group"),
        ("meta", "eval --detach --method=meta -- "),
    ],
)
@pytest.mark.does("lab.evaluate")
async def test_an_evaluation_is_started(
    opera: Path, instead: Instead, monkeypatch: pytest.MonkeyPatch, typed: str, options: str
) -> None:
    monkeypatch.chdir("/")  # a path is one from where the person stands
    instead("import sys; print(' '.join(sys.argv[1:]))")
    write(opera, opened())
    async with pane_of(opera, "6", (200, 24)) as (app, pilot):
        keys = {" ": "space", ".": "full_stop", ",": "comma"}
        await pilot.press("e", *(keys.get(letter, letter) for letter in typed), "enter")
        await done(app, pilot)
        assert options in screen_text(app)


def test_seeds_of_the_same_type_come_first(opera: Path) -> None:
    state = RunState.of(write(opera, story()).events)
    near = Example(Question("seed-1", "Who wrote Fidelio?", "Beethoven", type="one-hop"))
    far = Example(Question("seed-2", "Is Bonn in Peru?", "no", type="yes-no"))
    (missed,) = wrong(state)
    told = "\n".join(line.plain for line in lineage(state, missed, [near, far]))
    assert "1 seed questions of its type" in told
    assert "Is Bonn in Peru?" not in told
    others = lineage(state, missed, [far, far])
    assert any("2 seed questions of another type" in line.plain for line in others)
