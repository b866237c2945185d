"""The trajectories pane over a log as a job writes it, and commands as a job takes them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path

import pytest
from paned import done, pane_of, until
from stories import HOSTILE, alive, finished, screen_text, synthesis, training, trajectory, write
from textual.widgets import Static

import autoact.events as happened
from autoact.run.control.command import Command, Reply
from autoact.run.control.control_socket import ControlServer
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.live import LiveWriter
from autoact.run.record.log import LogWriter
from autoact.run.record.state import RunState
from autoact.trajectory import FINISH, FROM_FACTS, REFLECT, Question, Step, Trajectory
from studio.actions import run_command
from studio.episodes.episode_list import EpisodeFilter, EpisodeList
from studio.episodes.episode_log import EpisodeLog
from studio.screens.form import Form
from studio.widgets.lists.table import Table


@contextlib.contextmanager
def job(run: RunFolder, why: str = "") -> Iterator[list[Command]]:
    """A job that notes its commands; it refuses them when there is a reason to."""
    taken: list[Command] = []

    def submit(command: Command) -> Future[Reply]:
        taken.append(command)
        reply: Future[Reply] = Future()
        reply.set_result(Reply(command.id, why=why) if why else Reply(command.id, seq=1))
        return reply

    with alive(run), ControlServer(run, submit):
        yield taken


@pytest.mark.parametrize("size", [(59, 20), (80, 24), (120, 40), (200, 60)])
@pytest.mark.does("project.trajectories")
async def test_list_and_transcript(opera: Path, size: tuple[int, int]) -> None:
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "3", size) as (app, pilot):
            text = screen_text(app)
            assert "in flight" in text
            assert "thought" in text
            assert "Woman in Gold" in text
            assert "Klimt ␛[31m(1907)." in text


async def test_what_an_episode_in_flight_is_to_answer(opera: Path) -> None:
    """In the list, above the transcript and in the lanes; a fork has its parent's."""
    forked = happened.UnitForked("q-0038.1~1", "q-0038.1", 2)
    with alive(write(opera, [*synthesis(), forked])):
        async with pane_of(opera, "3", (200, 60)) as (app, pilot):
            text = screen_text(app)
            assert text.count("Who painted the Woman in Gold?") == 4, "three in flight, and the one that is read"
            assert "└ Who painted" in text
            assert "q-0038.1  Who painted" in text
            await pilot.press("L")
            await done(app, pilot)
            assert "q-0039.0  Who painted" in screen_text(app)


@pytest.mark.parametrize(
    ("keys", "unit"),
    [
        ((), "q-0039.0"),
        (("s",), "q-0038.1"),
        (("j",), "q-0039.0"),
        (("j", "k", "enter"), "q-0038.1"),
        (("j", "j"), "x-0001"),
    ],
)
async def test_who_has_chosen_an_episode_stays_with_it(opera: Path, keys: tuple[str, ...], unit: str) -> None:
    """At the top one sees what has been in flight longest; elsewhere, and within a text, what one came to read."""
    third = happened.EpisodeBegun("x-0001", Question("x", "Who wrote the opera Fidelio?", "Beethoven"))
    run = write(opera, [*synthesis(), third, happened.ModelAnswered("x-0001", 0, "d", "meta", "thought", "I know.")])
    with alive(run):
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            await pilot.press(*keys)
            await done(app, pilot)
            over = ("q-0038.1", "q-0039.0", "x-0001") if keys else ("q-0038.1",)
            for number, ended in enumerate(over, 38):  # it rises to the top of the list before it ends
                with LogWriter(run) as log:
                    log.append(happened.TrajectoryCommitted(trajectory(ended)))
                    log.append(happened.StageProgressed("synthesis", number, 120))
                await until(pilot, lambda number=number: f"synthesis {number}/120" in screen_text(app))  # type: ignore[misc]
                await done(app, pilot)
                assert f"{unit}  Who" in screen_text(app)


@pytest.mark.parametrize(("key", "do"), [("e", "edit"), ("f", "fork")])
async def test_what_is_being_typed_is_about_the_episode_it_was_begun_for(opera: Path, key: str, do: str) -> None:
    run = write(opera, synthesis())
    with job(run) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press(key)
            await done(app, pilot)
            with LogWriter(run) as log:
                log.append(happened.TrajectoryCommitted(trajectory("q-0038.1")))
            screen = app.screen_stack[-2]
            await until(pilot, lambda: "q-0039.0" in str(screen.query_one("#about", Static).render()))
            await pilot.press("!", "ctrl+o")
            await done(app, pilot)
    assert [(one.do, one.unit, one.n) for one in taken] == [(do, "q-0038.1", 2)]


async def test_tokens_show_as_they_stream(opera: Path) -> None:
    run = write(opera, synthesis())
    with alive(run):
        live = LiveWriter(run)
        live.publish("q-0038.1", 4, "thought", "It must be Kl")
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            await pilot.pause(0.4)
            assert "It must be Kl" in screen_text(app)
            with LogWriter(run) as log:
                log.append(happened.ModelAnswered("q-0038.1", 4, "d", "meta", "thought", "It must be Klimt, then."))
            await until(pilot, lambda: "Klimt, then." in screen_text(app))
            assert screen_text(app).count("It must be Kl") == 1, "spoken and answered, it is there once"
        live.close()


@pytest.mark.parametrize(
    ("key", "do", "unit", "n"),
    [
        pytest.param("space", "pause", "q-0038.1", -1, marks=pytest.mark.does("trajectories.hold")),
        pytest.param("p", "pause", "", -1, marks=pytest.mark.does("trajectories.hold_run")),
        pytest.param("s", "step", "q-0038.1", -1, marks=pytest.mark.does("trajectories.step")),
        pytest.param("r", "retry", "q-0038.1", 0, marks=pytest.mark.does("trajectories.retry")),
    ],
)
async def test_a_key_is_a_command(opera: Path, key: str, do: str, unit: str, n: int) -> None:
    run = write(opera, synthesis())
    with job(run) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press(key)
            await done(app, pilot)
    assert [(one.do, one.unit, one.n) for one in taken] == [(do, unit, n)]


@pytest.mark.does("trajectories.hold")
async def test_a_held_unit_is_resumed(opera: Path) -> None:
    run = write(opera, [*synthesis(), happened.CommandAccepted("1", "pause", "q-0038.1")])
    with job(run) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            assert "synthesis 37/120  1 held" in screen_text(app)
            await pilot.press("space")
            await done(app, pilot)
    assert (taken[0].do, taken[0].unit) == ("resume", "q-0038.1")


async def test_a_refusal_is_said(opera: Path) -> None:
    with job(write(opera, synthesis()), "the stage is [over]"):
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press("s")
            await done(app, pilot)
            assert "step: the stage is [over]" in screen_text(app)


@pytest.mark.does("trajectories.edit")
async def test_edit_the_last_answer_and_one_under_the_cursor(opera: Path) -> None:
    with job(write(opera, synthesis())) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press("e")
            await done(app, pilot)
            assert isinstance(app.screen, Form)
            await pilot.press(*"!", "ctrl+o")
            await done(app, pilot)
            await pilot.press("enter", "g", "e")
            await done(app, pilot)
            await pilot.press("ctrl+o")
            await done(app, pilot)
    assert [(one.do, one.n, one.text) for one in taken] == [
        ("edit", 2, "Woman in Gold!"), ("edit", 0, f"I should try {HOSTILE} first."),
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "do"), [("e", "edit"), ("f", "fork")])
async def test_what_was_typed_stays_when_the_job_refuses_it(opera: Path, key: str, do: str) -> None:
    run = write(opera, synthesis())
    with job(run, "`q-0038.1` has no answer 2 [yet]") as taken:
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press(key)
            await done(app, pilot)
            await pilot.press(*" by Klimt", "ctrl+o")
            await until(pilot, lambda: f"{do}: `q-0038.1` has no answer 2 [yet]" in screen_text(app))
            await done(app, pilot)
            assert isinstance(app.screen, Form)
            assert app.screen.values == {"text": "Woman in Gold by Klimt"}
            await pilot.press("ctrl+o")
            await done(app, pilot)
            await pilot.press("escape", "escape", "u")
            assert "Nothing was changed here yet." in screen_text(app)
    assert [one.text for one in taken] == ["Woman in Gold by Klimt"] * 2, "it can be sent again"


async def test_who_leaves_a_form_before_the_reply_still_reads_it(opera: Path) -> None:
    run, reply = write(opera, synthesis()), Future[Reply]()
    with alive(run), ControlServer(run, lambda command: reply):
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press("e")
            await done(app, pilot)
            await pilot.press("ctrl+o", "escape")
            await until(pilot, lambda: not isinstance(app.screen, Form))
            reply.set_result(Reply("", why="the stage is [over]"))
            await until(pilot, lambda: "edit: the stage is [over]" in screen_text(app))


async def test_an_edit_and_a_retry_are_undone_by_the_text_of_before(opera: Path) -> None:
    with job(write(opera, synthesis())) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press("e")
            await done(app, pilot)
            await pilot.press(*"!", "ctrl+o")
            await until(pilot, lambda: len(taken) == 1)
            await done(app, pilot)
            for count, key in enumerate("ruu", 2):
                await pilot.press(key)
                await until(pilot, lambda count=count: len(taken) == count)
                await done(app, pilot)
            await pilot.press("u")
            assert "Nothing was changed here yet." in screen_text(app)
    first = f"I should try {HOSTILE} first."
    assert [(one.do, one.n, one.text) for one in taken] == [
        ("edit", 2, "Woman in Gold!"), ("retry", 0, ""), ("edit", 0, first), ("edit", 2, "Woman in Gold"),
    ]  # fmt: skip


@pytest.mark.does("trajectories.fork")
async def test_fork_with_a_change_and_without(opera: Path) -> None:
    with job(write(opera, synthesis())) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            for change in ("!", ""):
                await pilot.press("f")
                await done(app, pilot)
                await pilot.press(*change, "ctrl+o")
                await done(app, pilot)
    assert [(one.do, one.n, one.text) for one in taken] == [("fork", 2, "Woman in Gold!"), ("fork", 2, "")]


@pytest.mark.parametrize(
    ("key", "n"),
    [
        pytest.param("K", 1, marks=pytest.mark.does("trajectories.keep")),
        pytest.param("x", 0, marks=pytest.mark.does("trajectories.drop")),
    ],
)
async def test_keep_and_drop_by_hand(opera: Path, key: str, n: int) -> None:
    with job(write(opera, training())) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press("slash", *"state:kept", "enter", key)
            await done(app, pilot)
            await pilot.press(*"why", "enter")
            await done(app, pilot)
    assert [(one.do, one.unit, one.n, one.text) for one in taken] == [("judge", "q-0000.0", n, "why")]


@pytest.mark.does("trajectories.sort", "trajectories.filter")
async def test_filter_sort_and_the_way_back(opera: Path) -> None:
    write(opera, training())
    async with pane_of(opera, "3") as (app, pilot):
        await pilot.press("slash", *"state:dropped q-0004")
        await done(app, pilot)
        text = screen_text(app)
        assert "q-0004.0" in text
        assert "kept " not in text.splitlines()[4]
        assert "1 of 37: 1 dropped" in text
        await pilot.press(*["backspace"] * len("state:dropped q-0004"), *"q-000")
        await done(app, pilot)
        assert "10 of 37: 6 dropped, 4 kept" in screen_text(app)
        await pilot.press("escape", "S")
        await done(app, pilot)
        text = screen_text(app)
        assert "Sorted by reward." in text
        assert "of 37" not in text


@pytest.mark.does("trajectories.mark", "trajectories.compare", "trajectories.lanes")
async def test_mark_compare_lanes(opera: Path) -> None:
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            await pilot.press("c")
            assert "Mark one with m" in screen_text(app)
            await pilot.press("m", "j", "c")
            await done(app, pilot)
            assert screen_text(app).count("I should try") >= 2
            await pilot.press("escape", "L")
            await done(app, pilot)
            await pilot.pause(0.3)
            text = screen_text(app)
            assert "q-0038.1" in text
            assert "q-0039.0" in text
            await pilot.press("escape")
            await done(app, pilot)
            assert "steps" in screen_text(app)


async def test_an_empty_list_says_why(opera: Path) -> None:
    write(opera, [happened.RunOpened(1, 1, "here")])
    async with pane_of(opera, "3") as (app, pilot):
        text = screen_text(app)
        assert "This run made no trajectories: R resumes it." in text
        for offer in ("space pause", "s step", "e edit", "f fork", "K keep", "L lanes", "E export"):
            assert offer not in text


async def test_a_list_that_waits_for_an_earlier_stage_says_how_far_that_is(opera: Path) -> None:
    events = [happened.RunOpened(1, 1, "here"), happened.StageStarted("self_instruct", 16),
              happened.StageProgressed("self_instruct", 3, 16)]  # fmt: skip
    with alive(write(opera, events)):
        async with pane_of(opera, "3", (120, 36)) as (app, _):
            assert "self-instruct 3/16" in screen_text(app).splitlines()[0]
            text = " ".join(screen_text(app).split())
            assert "No trajectories yet: self-instruct 3/16" in text
            assert "They are made in synthesis, 2 stages later." in text


async def test_nothing_of_another_run_or_of_what_the_filter_hides_stays(opera: Path) -> None:
    write(opera, finished(), minute=10)
    fresh = write(opera, [happened.RunOpened(1, 1, "here"), happened.StageStarted("self_instruct", 16)])
    async with pane_of(opera, "3", (120, 36)) as (app, pilot):
        app.screen.follow_run(older(opera))  # type: ignore[attr-defined]
        await done(app, pilot)
        assert "Who wrote the opera Fidelio?" in screen_text(app)
        assert "M◆" in screen_text(app) or "expected Beethoven" in screen_text(app)
        await pilot.press("slash", *"no such words")
        await done(app, pilot)
        text = " ".join(screen_text(app).split())
        assert "Nothing matches the filter; esc shows all." in text
        assert "expected Beethoven" not in text
        await pilot.press("escape")
        await done(app, pilot)
        assert "expected Beethoven" in screen_text(app)
        app.screen.follow_run(fresh.name)  # type: ignore[attr-defined]
        await done(app, pilot)
        text = screen_text(app)
        assert "This run made no trajectories: R resumes it." in " ".join(text.split())
        assert "Fidelio" not in text
        assert "expected Beethoven" not in text


def older(project: Path) -> str:
    """The name of a project's oldest run."""
    return min(path.name for path in (project / "runs").iterdir())


@pytest.mark.does("trajectories.export")
async def test_export(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    run = write(opera, finished())
    async with pane_of(opera, "3") as (app, pilot):
        await pilot.press("E")
        await done(app, pilot)
        assert "written" in screen_text(app)
        assert '"unit": "q-0000.0"' in app.clipboard
    told = json.loads((opera / "exports" / f"{run.name}-q-0000.0.json").read_text("utf-8"))
    assert told["trajectory"]["answer"] == "Beethoven"


@pytest.mark.does("trajectories.up")
async def test_escape_leads_out(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "3") as (app, pilot):
        await pilot.press("enter")
        await done(app, pilot)
        assert "esc list" in screen_text(app)
        await pilot.press("escape")
        await done(app, pilot)
        assert "esc list" not in screen_text(app)
        await pilot.press("escape")
        await done(app, pilot)
        assert "esc again goes back to the projects" in screen_text(app), "one too many does not leave"
        await pilot.press("escape")
        await done(app, pilot)
        assert "AutoAct Studio" in screen_text(app)


async def test_a_held_episode_that_still_speaks_is_stopping(opera: Path) -> None:
    run = write(opera, [*synthesis(), happened.CommandAccepted("1", "pause", "q-0038.1")])
    with alive(run):
        live = LiveWriter(run)
        live.publish("q-0038.1", 4, "thought", "It must be Kl")
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            await until(pilot, lambda: "stopping" in screen_text(app))
            assert "space resume" in screen_text(app)
            with LogWriter(run) as log:
                log.append(happened.ModelAnswered("q-0038.1", 4, "d", "meta", "thought", "It must be Klimt, then."))
            await until(pilot, lambda: "held" in screen_text(app))
            assert "stopping" not in screen_text(app)
        live.close()


async def test_an_edited_answer_is_marked(opera: Path) -> None:
    run = write(opera, [*synthesis(), happened.AnswerEdited("q-0038.1", 1, "Retrieve")])
    with job(run) as taken:
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            rows = [row for row in screen_text(app).splitlines() if "edited by a person" in row]
            assert len(rows) == 1
            assert "Retrieve   · edited by a person" in rows[0]
            await pilot.press("enter", "g", "j", "e")
            await done(app, pilot)
            await pilot.press("ctrl+o")
            await done(app, pilot)
    assert [(one.n, one.text) for one in taken] == [(1, "Retrieve")], "the mark is no part of the answer"


async def test_a_group_speaks_with_the_roles_of_its_cast(opera: Path) -> None:
    """Also the answer in the making: the plan-agent picks the tool, the tool-agent says what to call it with."""
    talk: list[happened.Event] = [happened.StageStarted("group_planning", 8)]
    run = write(opera, [*training(), *talk, happened.EpisodeBegun("group-h1", Question("h1", "Who?", "Klimt")),
                        happened.ModelAnswered("group-h1", 0, "d", "plan", "thought", "I look it up.")])  # fmt: skip
    with alive(run):
        live = LiveWriter(run)
        live.publish("group-h1", 1, "action", "Retr")
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            await until(pilot, lambda: "P› action      Retr" in screen_text(app))
        live.close()


async def test_an_adapter_of_one_tool_speaks_as_the_tool_agent(opera: Path) -> None:
    """Its name in the log is the person's choice."""
    said = [("p", "thought", "I look it up."), ("p", "action", "Retrieve"), ("r", "argument", "Fidelio")]
    write(opera, [
        *training(), happened.StageStarted("group_planning", 8),
        happened.EpisodeBegun("group-h1", Question("h1", "Who?", "Klimt")),
        *(happened.ModelAnswered("group-h1", n, "d", *one) for n, one in enumerate(said)),
    ])  # fmt: skip
    async with pane_of(opera, "3", (120, 40)) as (app, _):
        text = screen_text(app)
        for line in ("P› thought     I look it up.", "P› action      Retrieve", "T⚙ argument    Fidelio"):
            assert line in text


async def test_an_export_that_fails_says_why(opera: Path) -> None:
    write(opera, finished())
    (opera / "exports").write_text("in the way", encoding="utf-8")
    async with pane_of(opera, "3") as (app, pilot):
        await pilot.press("E")
        await done(app, pilot)
        assert "Not exported:" in screen_text(app)


def test_a_trajectory_that_was_written_from_facts_is_shown_with_its_thoughts(opera: Path) -> None:
    """Its log has the answers of tools alone."""
    question = Question("q-1", "Who wrote Fidelio?", "Beethoven", gold=("Fidelio",))
    page = "Fidelio is an opera by Beethoven."
    steps = (
        Step("I need its composer.", "Retrieve", "Fidelio", page), Step("I found it.", FINISH, "Beethoven"),
        Step("The page says so.", REFLECT, "right"),
    )  # fmt: skip
    run = new_run(opera, "full", {}, now=datetime(2026, 11, 22, 15, 0))
    with LogWriter(run) as log:
        log.append(happened.ToolObserved("f-q-1", 0, "x", "Retrieve", "Fidelio", page))
        episode = EpisodeLog(run, "f-q-1")
        episode.read()
        assert [one.text for one in episode.paragraphs()] == [page], "while it is being written"
        done = Trajectory("f-q-1", question, steps, "Beethoven", made=FROM_FACTS)
        log.append(happened.TrajectoryCommitted(done))
        episode.read()
    parts = [(one.part, one.text) for one in episode.paragraphs()]
    assert parts[:4] == [
        ("thought", "I need its composer."), ("action", "Retrieve"), ("argument", "Fidelio"), ("observation", page),
    ]  # fmt: skip
    assert parts[-3:-1] == [("reflection", "The page says so."), ("verdict", "right")]
    assert parts[-1][0] == "end"
    episode.close()


def test_a_fork_begins_with_its_parents_answers(opera: Path) -> None:
    run = write(opera, [
        *synthesis(), happened.UnitForked("q-0038.1~1", "q-0038.1", 2), happened.AnswerEdited("q-0038.1~1", 1, "Look"),
        happened.UnitRestarted("q-0039.0", 1, "edited"),
    ])  # fmt: skip
    fork = EpisodeLog(run, "q-0038.1~1", ["q-0038.1"])
    fork.read()
    assert [(said.part, said.text) for said in fork.paragraphs()] == [
        ("thought", f"I should try {HOSTILE} first."), ("action", "Look"),
    ]  # fmt: skip
    other = EpisodeLog(run, "q-0039.0")
    other.read()
    assert other.next == 1
    with LogWriter(run) as log:
        log.append(happened.ModelAnswered("q-0039.0", 1, "d", "meta", "action", "Finish"))
        log.append(happened.ModelAnswered("q-0038.1", 5, "d", "meta", "action", "Finish"))
    assert other.read()
    assert not fork.read() or fork.next == 2
    assert other.next == 2
    fork.close(), other.close()


def test_forks_stand_below_what_they_were_made_from(opera: Path) -> None:
    run = write(opera, [*synthesis(), happened.UnitForked("q-0038.1~1", "q-0038.1", 2)])
    episodes = EpisodeList(RunState.of(run.events))
    episodes.units = episodes.filter_and_sort(episodes.names())
    at = episodes.units.index("q-0038.1")
    assert episodes.units[at + 1] == "q-0038.1~1"
    assert str(episodes.row(at + 1)[3]).startswith("└ ")
    episodes.filter = EpisodeFilter.parse("tool:retrieve fidelio")
    episodes.units = episodes.filter_and_sort(episodes.names())
    assert len(episodes) == 37


def test_only_an_answer_that_can_be_scored_shows_a_reward(opera: Path) -> None:
    questions = (Question("1", "Who?"), Question("2", "Who?", "Klimt"), Question("3", "Look.", played=True))
    made = [Trajectory(f"q-{one.id}", one, (), "Klimt", reward=0.5) for one in questions]
    run = write(opera, [happened.QuestionSolved("group", one) for one in made])
    episodes = EpisodeList(RunState.of(run.events))
    episodes.units = episodes.filter_and_sort(episodes.names())
    assert [episodes.row(at)[1] for at in range(3)] == ["", "0.50", "0.50"]


@pytest.mark.parametrize("words", ["kenya", "nairobi EQUATOR", "looked", "city", "nairobi state:done tool:retrieve"])
def test_words_of_the_filter_are_found_in_every_text_of_a_trajectory(opera: Path, words: str) -> None:
    steps = (Step("I looked.", "Retrieve", "Cities", "Near the equator."), Step("So.", "Finish", "the city"))
    found = Trajectory("q-found", Question("q", "What is the capital of Kenya?"), steps, "Nairobi")
    run = write(opera, [*synthesis(), happened.TrajectoryCommitted(found)])
    episodes = EpisodeList(RunState.of(run.events))
    episodes.filter = EpisodeFilter.parse(words)
    assert episodes.filter_and_sort(episodes.names()) == ["q-found"]
    episodes.filter = EpisodeFilter.parse("nairobi fidelio")
    assert episodes.filter_and_sort(episodes.names()) == []


async def test_a_long_list_is_put_in_order_beside_the_keys(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread finds the order; what moved meanwhile is there a little later."""
    monkeypatch.setattr("studio.episodes.episode_order.MANY", 10)
    monkeypatch.setattr("studio.episodes.episode_order.INTERVAL_S", 0.01)
    run = write(opera, synthesis())
    with alive(run):
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            table = app.screen.query_one("#episodes", Table)
            assert table.virtual_size.height - 1 == len(EpisodeList(RunState.of(run.events)).names())
            await pilot.press("S", "S")
            await done(app, pilot)
            assert "Sorted by steps." in screen_text(app)
            with LogWriter(run) as log:
                log.append(happened.TrajectoryCommitted(trajectory("q-new")))
            count = table.virtual_size.height
            for _ in range(100):
                await pilot.pause(0.05)
                if table.virtual_size.height > count:
                    break
            assert table.virtual_size.height == count + 1


@pytest.mark.does("trajectories.mark_all", "trajectories.undo")
async def test_marked_trajectories_are_dropped_together_and_the_drop_undone(opera: Path) -> None:
    with job(write(opera, training())) as taken:
        async with pane_of(opera, "3", (120, 36)) as (app, pilot):
            await pilot.press("u")
            assert "Nothing was changed here yet." in screen_text(app)
            await pilot.press("slash", *"state:kept", "enter", "M")
            await done(app, pilot)
            assert "13 marked" in screen_text(app)
            assert "*kept" in screen_text(app)
            assert "drop 13" in screen_text(app).splitlines()[-1]
            await pilot.press("m", "x")
            await done(app, pilot)
            assert "Drop 12 trajectories" in screen_text(app)
            await pilot.press(*"bad", "enter")
            await until(pilot, lambda: "dropped 12" in screen_text(app))
            assert "*" not in screen_text(app), "the marks are gone"
            assert [(one.do, one.n, one.text) for one in taken] == [("judge", 0, "bad")] * 12
            await pilot.press("u")
            await until(pilot, lambda: "undone: kept 12" in screen_text(app))
            assert {one.unit for one in taken[12:]} == {one.unit for one in taken[:12]}
            assert {(one.n, one.text) for one in taken[12:]} == {(1, "undone; before by filter: wrong answer")}


async def test_a_refusal_of_some_is_said_once(opera: Path) -> None:
    with job(write(opera, training()), "no such [trajectory]"):
        async with pane_of(opera, "3", (120, 36)) as (app, pilot):
            await pilot.press("slash", *"state:kept", "enter", "M", "K")
            await done(app, pilot)
            await pilot.press("enter")
            await until(pilot, lambda: "kept 0 of 13; no such [trajectory]" in screen_text(app))
            await pilot.press("escape")
            assert "drop 13" in screen_text(app), "what was refused can be tried again"
            await pilot.press("u")
            assert "Nothing was changed here yet." in screen_text(app)


async def test_marked_trajectories_are_kept_without_a_job(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_command, "launch", lambda folder: pytest.fail("it must not be started"))
    run = write(opera, training())
    async with pane_of(opera, "3", (120, 36)) as (app, pilot):
        await pilot.press("slash", *"state:dropped", "enter", "M", "K")
        await done(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "kept 24" in screen_text(app))
    assert all(verdict.kept for verdict in RunState.of(run.events).verdicts.values())


async def test_marked_trajectories_are_exported_together(opera: Path) -> None:
    run = write(opera, finished())
    async with pane_of(opera, "3") as (app, pilot):
        await pilot.press("m", "j", "m", "E")
        await until(pilot, lambda: "written" in screen_text(app))
    told = json.loads((opera / "exports" / f"{run.name}-2-trajectories.json").read_text("utf-8"))
    assert [one["trajectory"]["answer"] for one in told] == ["Beethoven", "Beethoven"]


async def test_marked_episodes_are_retried_together(opera: Path) -> None:
    with job(write(opera, synthesis())) as taken:
        async with pane_of(opera, "3") as (app, pilot):
            await pilot.press("m", "j", "m", "r")
            await until(pilot, lambda: len(taken) == 2)
    assert [(one.do, one.unit, one.n) for one in taken] == [("retry", "q-0038.1", 0), ("retry", "q-0039.0", 0)]


async def test_a_finished_run_whose_lock_a_judgement_holds_offers_no_pause(opera: Path) -> None:
    with alive(write(opera, finished())):
        async with pane_of(opera, "3", (120, 36)) as (app, pilot):
            assert "pause" not in screen_text(app).splitlines()[-1]
            await pilot.press("p")
            assert "This run has no job." in screen_text(app)


async def test_a_pause_of_an_episode_that_has_ended_names_the_key_for_the_run(opera: Path) -> None:
    with job(write(opera, synthesis()), "`q-0038.1` has ended"):
        async with pane_of(opera, "3", (120, 36)) as (app, pilot):
            await pilot.press("space")
            await until(pilot, lambda: "`q-0038.1` has ended; p pauses the run" in screen_text(app))
