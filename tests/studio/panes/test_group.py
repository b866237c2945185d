"""The console over sessions as a job writes them, and over one that a scripted model answers."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path

import pytest
from hostile import acting
from msgspec.structs import replace
from paned import Instead, done, pane_of, until
from stories import alive, finished, screen_text, trained, write
from textual.widgets import Input

import autoact.events as happened
from autoact.events import Event, TokenSpoken
from autoact.registry.methods import METHODS
from autoact.run.control.command import Command, Reply
from autoact.run.control.control_socket import ControlServer
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import seal_event
from autoact.trajectory import Question, Step, Trajectory
from studio.actions import action_table
from studio.episodes.answer_sides import Replay
from studio.episodes.session import SessionLog, sessions
from studio.panes import group
from studio.panes.group import GroupPane
from studio.panes.rows.asked_questions import AskedRows
from studio.panes.rows.method_choices import method_choices
from studio.screens.projects import ProjectsScreen
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table
from studio.widgets.status import short_name
from studio.widgets.transcripts.transcript import Transcript

ASKED = Question("asked-0001", "Who wrote [b]Fidelio?")
SECONDS = 2.0
"""Between two events of a told session."""


def session(root: Path, events: list[Event], minute: int = 30) -> RunFolder:
    """A session's folder, an event every two seconds from the unix second 1000 on."""
    config = {"run": {"stages": ["session"]}}
    folder = new_run(root, "session", config, now=datetime(2026, 11, 22, 15, minute))
    told = [happened.RunOpened(1, 77, "here"), happened.StageStarted("session"), *events]
    lines = [seal_event(seq, 1000 + SECONDS * seq, event) for seq, event in enumerate(told)]
    folder.events.write_bytes(b"".join(lines))
    return folder


def turns(unit: str, cast: str, upto: int = 6) -> list[Event]:
    """A question and its turns."""
    plan, tool, reflect = ("plan", "tool", "reflect") if cast == "group" else ("meta",) * 3
    said: list[Event] = [
        happened.ModelAnswered(unit, 0, "d", plan, "thought", "I look it up.", (1, 2, 3), ms=500),
        happened.ModelAnswered(unit, 1, "d", plan, "action", " Retrieve\n", (1,), ms=100),
        happened.ModelAnswered(unit, 2, "d", tool, "argument", "Fidelio", (1, 2), ms=1500),
        happened.ToolObserved(unit, 3, "d", "Retrieve", "Fidelio", "An opera by Beethoven.", ms=20),
        happened.ModelAnswered(unit, 4, "d", reflect, "reflection", "The page says so.", (1,), ms=300),
        happened.ModelAnswered(unit, 5, "d", reflect, "verdict", " right", (1,), ms=100),
    ]
    return [happened.QuestionInjected(unit, ASKED, cast, f"c-{unit}"), *said[:upto]]


def answered(unit: str, cast: str) -> list[Event]:
    steps = (Step("I look it up.", "Retrieve", "Fidelio", "An opera by Beethoven."),)
    made = Trajectory(unit, ASKED, steps, "Beethoven", "right", cast=cast)
    return [*turns(unit, cast), happened.QuestionSolved(cast, made)]


class Desk:
    """Takes commands as a job does, and remembers them."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, int, str, str]] = []

    def submit(self, command: Command) -> Future[Reply]:
        self.got.append((command.do, command.unit, command.n, command.text, command.cast))
        reply: Future[Reply] = Future()
        reply.set_result(Reply(command.id, 7))
        return reply


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.does("project.group")
async def test_a_question_with_its_turns_and_what_each_cost(opera: Path, size: tuple[int, int]) -> None:
    session(opera, answered("group-asked-0001", "group"))
    async with pane_of(opera, "5", size) as (app, _):
        text = screen_text(app)
        for said in ("Who wrote [b]Fidelio?", "P› thought", "T⚙ argument", "R↺ verdict", "Retrieve[Fidelio]"):
            assert said in text
        assert "Retrieve[Fidelio]   · 2 tok  1.5 s" in text
        assert "Beethoven   · reflect-agent: right" in text
        assert "session over" in text


async def test_two_casts_side_by_side(opera: Path) -> None:
    session(opera, [*answered("group-asked-0001", "group"), *answered("meta-asked-0002", "meta")])
    async with pane_of(opera, "5", (120, 36)) as (app, _):
        lanes = [[one.document[at].role for at in range(1, 4)] for one in app.screen.query(Transcript)]
        assert lanes == [["plan", "plan", "tool"], ["meta"] * 3]
        left, right = halves(screen_text(app), "the group")
        assert left.strip() == "the group"
        assert right.strip() == "the meta-agent alone"


async def test_an_adapter_of_one_tool_has_the_sign_of_the_tool_agent(opera: Path) -> None:
    asked, *said = turns("group-asked-0001", "group", 3)
    events = [replace(one, role="r") if getattr(one, "part", "") == "argument" else one for one in said]
    session(opera, [asked, *events])
    async with pane_of(opera, "5") as (app, _):
        assert "T⚙ argument    Retrieve[Fidelio]" in screen_text(app)


@pytest.mark.parametrize(
    ("cast", "edit", "said"),
    [
        ("group", [], "Beethoven   · reflect-agent: right"),
        ("group", [happened.AnswerEdited("x-asked-0001", 5, " right")], "Beethoven   · right, edited by a person"),
        ("meta", [], "Beethoven"),
    ],
)
def test_the_answer_says_who_judged_it(tmp_path: Path, cast: str, edit: list[Event], said: str) -> None:
    log = SessionLog(session(tmp_path, [*answered("x-asked-0001", cast), *edit]))
    log.read()
    assert log.asked["x-asked-0001"].paragraphs()[-1].text == said


def test_an_answer_without_an_action_stands_without_brackets(tmp_path: Path) -> None:
    said = happened.ModelAnswered("direct-asked-0001", 0, "d", "meta", "argument", "Beethoven", (1,), ms=100)
    log = SessionLog(session(tmp_path, [happened.QuestionInjected(said.unit, ASKED, "direct", "c-1"), said]))
    log.read()
    asked = log.asked[said.unit]
    assert asked.side == "the method direct"
    assert asked.paragraphs()[1].text.startswith("Beethoven ")


def test_the_casts_are_every_method_that_needs_no_gold_answer_and_pairs_with_the_group() -> None:
    choices = method_choices()
    assert choices[:3] == (("group",), ("meta",), ("group", "meta"))
    alone = {names[0] for names in choices if len(names) == 1}
    assert alone == {method.name for method in METHODS if not method.gold}
    assert ("group", "react") in choices
    assert len(set(choices)) == len(choices)


async def test_an_answer_is_shown_while_it_is_said(opera: Path) -> None:
    run = session(opera, turns("group-asked-0001", "group", 2))
    run.live.write_bytes(seal_event(0, 1010.0, TokenSpoken("group-asked-0001", 2, "argument", "Fide")))
    with alive(run):
        async with pane_of(opera, "5") as (app, pilot):
            assert "Fide ..." in screen_text(app)
            assert "1 in flight" in screen_text(app)
            tell(run, turns("group-asked-0001", "group")[3])
            await until(pilot, lambda: "Retrieve[Fidelio]" in screen_text(app))
            assert "Fide ..." not in screen_text(app)


@pytest.mark.does("line.submit", "group.ask", "group.hold", "group.step", "group.edit", "group.fork")
async def test_commands_reach_the_session(opera: Path) -> None:
    run, desk = session(opera, turns("group-asked-0001", "group", 4)), Desk()
    with alive(run), ControlServer(run, desk.submit):
        async with pane_of(opera, "5") as (app, pilot):
            for key, said in (("space", " paused"), ("s", " stepped group-asked-0001")):
                await pilot.press(key)
                await done(app, pilot)
                assert said in screen_text(app)
            view = app.screen.query_one("#first", Transcript)
            view.focus()
            view.move_to(3)
            for key in ("e", "f"):
                await pilot.press(key)
                await pilot.pause()
                assert app.screen.query_one("#ask", Input).value == "Fidelio"
                await pilot.press("!", "enter")
                await done(app, pilot)
            await pilot.press("f", "enter")
            await done(app, pilot)
            await pilot.press("c", "j", "j", "enter", "a", *"why?", "enter")
            await done(app, pilot)
    unit = "group-asked-0001"
    assert desk.got[:5] == [
        ("pause", "", -1, "", "group"),
        ("step", unit, -1, "", "group"),
        ("edit", unit, 2, "Fidelio!", "group"),
        ("fork", unit, 2, "Fidelio!", "group"),
        ("fork", unit, 2, "", "group"),
    ]
    assert sorted(desk.got[5:]) == [("inject", "", -1, "why?", "group"), ("inject", "", -1, "why?", "meta")]


@pytest.mark.does("group.ask", "group.cast")
async def test_a_question_starts_a_session_when_there_is_none(opera: Path, instead: Instead) -> None:
    instead("import sys; sys.exit('autoact: ' + ' '.join(sys.argv[1:]))")
    async with pane_of(opera, "5", (120, 36)) as (app, pilot):
        assert "no session yet" in screen_text(app)
        await pilot.press("c")
        await done(app, pilot)
        assert "the meta-agent alone" in screen_text(app)
        await pilot.press("j", "enter", "a", *"why?", "enter")
        await done(app, pilot)
        assert f"ask --session --method=meta -- {opera} why?" in screen_text(app)


async def test_the_adapters_are_those_of_the_run_that_is_shown_and_are_named(opera: Path, instead: Instead) -> None:
    instead("import sys; sys.exit('autoact: ' + ' '.join(sys.argv[1:]))")
    older = trained(opera, 10)
    answering, newer = trained(opera, 20, base=older.name), trained(opera, 30)
    story = write(opera, finished(), 40)
    async with pane_of(opera, "5", (120, 36)) as (app, pilot):
        for shown, base in ((answering, older), (older, older), (story, newer)):
            app.screen.follow_run(shown.name)
            await until(pilot, lambda base=base: f"next: group of {short_name(base.name)}" in screen_text(app))
            await pilot.press("a", *"why?", "enter")
            await done(app, pilot)
            assert f"--base={base.name} --" in screen_text(app)
            await pilot.press("escape")


async def test_a_session_that_goes_on_is_named_by_its_own_base(opera: Path) -> None:
    older, newer = trained(opera, 10), trained(opera, 20)
    asked = session(opera, [])
    lines = asked.events.read_bytes().splitlines(keepends=True)
    opening = happened.RunOpened(1, 77, "here", config={"run": {"stages": ["session"], "base": older.name}})
    asked.events.write_bytes(seal_event(0, 1000.0, opening) + b"".join(lines[1:]))
    with alive(asked):
        async with pane_of(opera, "5", (120, 36)) as (app, _):
            assert newer.name != older.name
            assert f"next: group of {short_name(older.name)}   session running" in screen_text(app)


@pytest.mark.does("group.cast", "pick.close")
@pytest.mark.parametrize("size", [(60, 15), (80, 24), (160, 48)])
async def test_the_list_of_methods_closes_without_a_choice(opera: Path, size: tuple[int, int]) -> None:
    async with pane_of(opera, "5", size) as (app, pilot):
        await pilot.press("c")
        await done(app, pilot)
        assert "Who answers the next question" in screen_text(app)
        await pilot.press("j", "j", "escape")
        await done(app, pilot)
        assert "next: group" in screen_text(app)
        assert "next: group +" not in screen_text(app)


@pytest.mark.does("group.replay", "group.slower", "group.faster")
async def test_replay_and_its_speed(opera: Path) -> None:
    session(opera, answered("group-asked-0001", "group"))
    async with pane_of(opera, "5") as (app, pilot):
        pane = app.screen.query_one(GroupPane)
        (help_line,) = [action.help for action in action_table.ACTIONS if action.id == "group.replay"]
        assert f"at first {pane.speed} times as fast" in help_line
        await pilot.press("<", "<", "<", "<", "p")
        assert pane.speed == 1
        await pilot.pause()
        assert "replay 0/12 s x1" in screen_text(app)
        assert "Retrieve[Fidelio]" not in screen_text(app)
        assert "p stop replay" in screen_text(app)
        await pilot.press("p")
        await done(app, pilot)
        assert_whole(screen_text(app))
        await pilot.press("p", *(">" * 9))
        assert pane.speed == 64
        await until(pilot, lambda: "stop replay" not in screen_text(app))
        text = screen_text(app)
        assert_whole(text)
        assert "12 s x64" not in text
        assert "The replay is over; p shows it again." in text
        await pilot.press(*("<" * 9), "p")
        await done(app, pilot)
        assert "12 s x1" in screen_text(app), "the same key replays it again"
        assert "The replay is over" not in screen_text(app)
        await pilot.press("escape")
        await done(app, pilot)
        assert_whole(screen_text(app))
        assert "12 s x1" not in screen_text(app)


def test_a_replay_follows_the_log(tmp_path: Path) -> None:
    told = SessionLog(session(tmp_path, answered("group-asked-0001", "group")))
    told.read()
    replay = Replay(told.asked["group-asked-0001"])
    assert [replay.turns(seconds) for seconds in (0, 1.9, 2.0, 7, 99)] == [0, 0, 1, 3, 6]
    assert replay.length == 6 * SECONDS


def assert_whole(text: str) -> None:
    """Every row of the answered question is there: what was said once is drawn again when it is said again."""
    for said in ("Who wrote [b]Fidelio?", "I look it up.", "Retrieve   ·", "Retrieve[Fidelio]", "The page says so."):
        assert said in text.partition("next: group")[2], text


def halves(text: str, row: str) -> tuple[str, str]:
    """The two sides of the row that holds some words."""
    left, _, right = next(line for line in text.splitlines() if row in line and "│" in line).partition("│")
    return left, right


@pytest.mark.does("group.export")
async def test_export(opera: Path) -> None:
    run = session(opera, answered("group-asked-0001", "group"))
    async with pane_of(opera, "5") as (app, pilot):
        await pilot.press("E")
        await done(app, pilot)
        assert "Written to" in screen_text(app)
    (answer,) = json.loads((opera / "exports" / f"{run.name}-group-asked-0001.json").read_text())["answers"]
    assert [turn["part"] for turn in answer["turns"]][:3] == ["thought", "action", "argument"]
    assert answer["trajectory"]["answer"] == "Beethoven"


async def test_earlier_sessions_are_found_again(opera: Path) -> None:
    other = Question("asked-0001", "What is Leonore?")
    session(opera, [happened.QuestionInjected("meta-asked-0001", other, "meta", "c")], minute=10)
    session(opera, answered("group-asked-0001", "group"))
    async with pane_of(opera, "5") as (app, pilot):
        assert app.screen.query_one("#first", Transcript).document[0].text == ASKED.text
        await pilot.press("j")
        await done(app, pilot)
        assert app.screen.query_one("#first", Transcript).document[0].text == "What is Leonore?"


@pytest.mark.does("group.edit", "group.up", "table.open_row")
async def test_enter_leads_to_the_turns_and_escape_back(opera: Path) -> None:
    run, desk = session(opera, turns("group-asked-0001", "group", 4)), Desk()
    with alive(run), ControlServer(run, desk.submit):
        async with pane_of(opera, "5") as (app, pilot):
            table, view = app.screen.query_one("#history", Table), app.screen.query_one("#first", Transcript)
            table.focus()
            await pilot.press("e")
            await pilot.pause()
            assert app.screen.query_one("#ask", Input).value == "An opera by Beethoven.", "the last turn is meant"
            await pilot.press("escape", "escape")
            assert table.has_focus
            await pilot.press("enter", "g", "e")
            await done(app, pilot)
            assert view.has_focus
            assert "Put the cursor on a turn first." in screen_text(app)
            await pilot.press("escape", "escape")
            await done(app, pilot)
            assert "esc again goes back to the projects" in screen_text(app)
            await pilot.press("escape")
            await done(app, pilot)
            assert isinstance(app.screen, ProjectsScreen)


@pytest.mark.parametrize("key", ["e", "f"])
async def test_a_verdict_that_is_none_is_refused_and_stays_on_the_line(opera: Path, key: str) -> None:
    run, desk = session(opera, turns("group-asked-0001", "group")), Desk()
    with alive(run), ControlServer(run, desk.submit):
        async with pane_of(opera, "5", (120, 36)) as (app, pilot):
            await pilot.press(key, *["backspace"] * 5, *"maybe", "enter")
            await done(app, pilot)
            assert "expected the verdict right or wrong, found maybe" in screen_text(app)
            assert app.screen.query_one("#ask", Input).value == "maybe"
            await pilot.press(*["backspace"] * 5, *"Wrong", "enter")
            await done(app, pilot)
    assert [text for _, _, _, text, _ in desk.got] == [" wrong"]


@pytest.mark.parametrize("change", ["", "!"])
async def test_a_turn_of_any_text_is_safe_to_edit_and_unchanged_when_left_alone(opera: Path, change: str) -> None:
    said = "\u200b東京\x00 [@click=app.quit]x[/]\nBingSearch[Woman in Gold]\x1b[2J"
    asked, run = "group-asked-0001", session(opera, turns("group-asked-0001", "group", 2))
    tell(run, happened.ModelAnswered(asked, 2, "d", "tool", "argument", said, (1,), ms=100))
    desk = Desk()
    with alive(run), ControlServer(run, desk.submit):
        async with pane_of(opera, "5", (120, 36)) as (app, pilot):
            for key in ("e", "f"):
                await pilot.press(key)
                await pilot.pause()
                shown = app.screen.query_one("#ask", Input).value
                assert not acting(shown)
                assert "BingSearch[Woman in Gold]" in shown
                await pilot.press(*change, "enter")
                await done(app, pilot)
    texts = [text for _, _, _, text, _ in desk.got]
    if change:
        assert all(text.endswith("␛[2J!") and "\nBingSearch[Woman in Gold]" in text for text in texts)
    else:
        assert texts == [said, ""]


async def test_the_overview_of_stages_has_the_session_in_place_of_group_planning(opera: Path) -> None:
    run = session(opera, answered("group-asked-0001", "group"))
    with alive(run):
        async with pane_of(opera, "1", (120, 36)) as (app, _):
            text = screen_text(app).partition(f"Stages of {short_name(run.name)}")[2]
            assert [line.split()[1] for line in text.splitlines()[1:7]][-2:] == ["differentiation", "session"]
            assert "of another run" not in text


def test_forks_edits_and_restarts(tmp_path: Path) -> None:
    unit = "group-asked-0001"
    run = session(
        tmp_path,
        [
            *answered(unit, "group"),
            happened.UnitForked(f"{unit}~1", unit, 3),
            happened.AnswerEdited(f"{unit}~1", 2, "Leonore"),
            happened.UnitRestarted(unit, 4, "edited"),
        ],
    )
    (folder,) = sessions(tmp_path)
    assert folder == run
    told = SessionLog(folder)
    assert told.read()
    assert [turn.text for turn in told.asked[f"{unit}~1"].turns] == ["I look it up.", " Retrieve\n", "Leonore"]
    assert (
        "edited\N{NO-BREAK SPACE}by\N{NO-BREAK SPACE}a\N{NO-BREAK SPACE}person"
        in told.asked[f"{unit}~1"].paragraphs()[3].text
    )
    assert [len(one.turns) for one in told.beside(f"{unit}~1")] == [4, 3]
    assert told.asked[f"{unit}~1"].side == "the group: fork at turn 2"
    rows = AskedRows()
    rows.set_sessions([told])
    assert rows.row(0)[:2] == ("└", "turn 2: Who wrote [b]Fidelio?")
    assert told.unfinished == [unit, f"{unit}~1"]


def tell(folder: RunFolder, event: Event) -> None:
    """One more event in a log that no writer holds."""
    seq = len(folder.events.read_bytes().splitlines())
    with folder.events.open("ab") as log:
        log.write(seal_event(seq, 1000 + SECONDS * seq, event))


async def test_a_slow_disk_is_not_asked_again_before_it_has_answered(
    opera: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = [], threading.Event()

    def slow(root: Path) -> list[RunFolder]:
        asked.append(root)
        answered.wait(20)
        return sessions(root)

    async with pane_of(opera, "5") as (app, pilot):
        monkeypatch.setattr(group, "sessions", slow)
        monkeypatch.setattr(group, "FIND_S", 0.0)
        session(opera, turns("group-asked-0001", "group"))
        pane = app.screen.query_one(GroupPane)
        for _ in range(5):
            pane.update()
            await pilot.pause()
        assert len(asked) == 1
        answered.set()
        await done(app, pilot)
        assert len(pane.sessions) == 1


async def test_both_sides_are_stepped(opera: Path) -> None:
    asked = [*turns("group-asked-0001", "group", 2), *turns("meta-asked-0002", "meta", 2)]
    run, desk = session(opera, asked), Desk()
    with alive(run), ControlServer(run, desk.submit):
        async with pane_of(opera, "5", (120, 36)) as (app, pilot):
            await pilot.press("s")
            await done(app, pilot)
            assert "stepped" in screen_text(app)
    assert sorted(do + " " + unit for do, unit, *_ in desk.got) == ["step group-asked-0001", "step meta-asked-0002"]


async def test_a_fork_stands_beside_its_original_and_each_side_says_what_it_is(opera: Path) -> None:
    unit = "group-asked-0001"
    session(opera, [*answered(unit, "group"), happened.UnitForked(f"{unit}~1", unit, 3)])
    async with pane_of(opera, "5", (120, 36)) as (app, _):
        left, right = halves(screen_text(app), "original")
        assert left.strip() == "the group: original"
        assert right.strip() == "the group: fork at turn 3"


async def test_an_edit_goes_to_the_session_it_was_begun_in(opera: Path) -> None:
    """Every session has a group-asked-0001: what is typed is for the one that was in sight when the line opened."""
    older, desk, other = session(opera, turns("group-asked-0001", "group", 4), minute=10), Desk(), Desk()
    with alive(older), ControlServer(older, desk.submit):
        async with pane_of(opera, "5") as (app, pilot):
            await pilot.press("e")
            await done(app, pilot)
            newer = session(opera, turns("group-asked-0001", "group", 2), minute=20)
            with alive(newer), ControlServer(newer, other.submit):
                pane = app.screen.query_one(GroupPane)
                pane._searched = -99.0
                pane.update()
                await done(app, pilot)
                assert pane.shown.startswith(newer.name), "the newer session is in sight by now"
                await pilot.press("!", "enter")
                await done(app, pilot)
    assert other.got == []
    assert desk.got == [("edit", "group-asked-0001", 3, "An opera by Beethoven.!", "group")]


async def test_an_edit_of_a_turn_that_was_taken_back_meanwhile_is_sent_all_the_same(opera: Path) -> None:
    unit = "group-asked-0001"
    run, desk = session(opera, turns(unit, "group", 4)), Desk()
    with alive(run), ControlServer(run, desk.submit):
        async with pane_of(opera, "5") as (app, pilot):
            await pilot.press("e")
            await done(app, pilot)
            tell(run, happened.UnitRestarted(unit, 1, "edited"))
            await until(pilot, lambda: "Retrieve   ·" not in screen_text(app))
            await pilot.press("enter")
            await done(app, pilot)
    assert desk.got == [("edit", unit, 3, "An opera by Beethoven.", "group")]


async def test_a_question_that_is_not_taken_is_on_the_line_again(opera: Path, instead: Instead) -> None:
    instead("import sys; sys.exit('autoact: the disk is full')")
    async with pane_of(opera, "5") as (app, pilot):
        await pilot.press("a", *"why?", "enter")
        await done(app, pilot)
        text = screen_text(app)
        assert "the disk is full" in text
        assert app.screen.query_one("#ask", Input).has_focus
        assert "why?" in text.splitlines()[-3]


async def test_a_session_that_loads_its_model_says_how_long_the_question_waits(opera: Path) -> None:
    config = {"run": {"stages": ["session"]}}
    run = new_run(opera, "session", config, now=datetime(2026, 11, 22, 15, 30))
    run.events.write_bytes(seal_event(0, 1000.0, happened.RunOpened(1, 77, "here")))
    with alive(run):
        async with pane_of(opera, "5", (120, 36)) as (app, pilot):
            await pilot.press("a", *"why?", "enter")
            await until(pilot, lambda: "question sent; it is answered when the model is loaded" in screen_text(app))
            text = screen_text(app)
            assert "session: loading the model" in text
            assert re.search(r"asked \d+ s ago: why\?", text)
    assert len(list(run.control.glob("*.json"))) == 1


async def test_the_turns_of_a_question_are_searched(opera: Path) -> None:
    session(opera, turns("asked-0001.0", "group"))
    async with pane_of(opera, "5") as (app, pilot):
        await until(pilot, lambda: "An opera by Beethoven." in screen_text(app))
        await pilot.press("enter", "slash", *"page", "enter")
        await done(app, pilot)
        assert "1 of 1" in screen_text(app)
        assert "n next match" in screen_text(app).splitlines()[-1]


@pytest.mark.does("group.prompt")
async def test_the_prompt_of_a_turn_of_a_session(opera: Path, instead: Instead, tmp_path: Path) -> None:
    instead(
        f"import sys; open({str(tmp_path / 'asked')!r}, 'w').write(' '.join(sys.argv[1:])); sys.exit('autoact: no')"
    )
    folder = session(opera, turns("asked-0001.0", "group"))
    async with pane_of(opera, "5") as (app, pilot):
        await until(pilot, lambda: "An opera by Beethoven." in screen_text(app))
        await pilot.press("enter", "P")
        await done(app, pilot)
        assert "Prompt of answer 5 of asked-0001.0" in screen_text(app)
    assert (tmp_path / "asked").read_text() == f"prompt --json -- {folder.path} asked-0001.0 5"


@pytest.mark.parametrize("key", ["f", "e"])
async def test_nothing_stays_of_a_line_that_is_left(opera: Path, key: str) -> None:
    run = session(opera, turns("group-asked-0001", "group"))
    with alive(run):
        async with pane_of(opera, "5") as (app, pilot):
            before = screen_text(app)
            await pilot.press("enter", key)
            await done(app, pilot)
            assert "turn 5 of group-asked-0001, verdict: enter sends it, esc cancels" in screen_text(app)
            await pilot.press("escape")
            await done(app, pilot)
            assert screen_text(app).splitlines()[-3:-1] == before.splitlines()[-3:-1]
            assert "enter sends it" not in screen_text(app)


async def test_a_question_that_was_left_is_on_the_line_again(opera: Path) -> None:
    with alive(session(opera, turns("group-asked-0001", "group"))):
        async with pane_of(opera, "5") as (app, pilot):
            line = app.screen.query_one("#ask", InputLine)
            await pilot.press("a", *"Why?", "escape", "a")
            assert line.value == "Why?"
            await pilot.press("escape", "enter", "e", "escape", "a")
            assert line.value == "", "the text of a turn is no question"


@pytest.mark.does("group.differ")
async def test_what_differs_between_two_casts(opera: Path) -> None:
    session(opera, [*turns("asked-0001.0", "group"), *turns("asked-0001.1", "meta", 4)])
    async with pane_of(opera, "5") as (app, pilot):
        await until(pilot, lambda: "An opera by Beethoven." in screen_text(app))
        await pilot.press("d")
        await done(app, pilot)
        assert "4 the same, 2 only in -" in screen_text(app)
        assert "P› thought     I look it up.   · + by meta" in screen_text(app)
        assert "[- The page says so." not in screen_text(app)
        assert "The page says so." in screen_text(app)
