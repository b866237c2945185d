"""The fold: a log in, what the run looks like now out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from autoact.events import (
    BY_A_PERSON,
    AnswerEdited,
    CommandAccepted,
    Event,
    ModelAnswered,
    QuestionAccepted,
    QuestionRefused,
    QuestionSolved,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunOpened,
    RunPaused,
    RunResumed,
    StageFinished,
    StageProgressed,
    StageStarted,
    ToolObserved,
    TrainStepped,
    TrajectoryCommitted,
    UnitFailed,
    UnitRestarted,
)
from autoact.registry.stages import SELF_INSTRUCT, STAGES
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, LogWriter, Record, seal_event
from autoact.run.record.log_end import read_end
from autoact.run.record.stage_state import StageState
from autoact.run.record.state import LANES, TURNS, ModelUsage, RunState, fold
from autoact.trajectory import Question, Trajectory

Python = Callable[..., "subprocess.Popen[str]"]


def folded(*events: Event | None, state: RunState | None = None) -> RunState:
    state = state or RunState()
    for seq, event in enumerate(events, start=state.seq + 1):
        fold(state, Record(seq, 100.0 + seq, event, "x"))
    return state


def said(unit: str, n: int, text: str = "hm", role: str = "meta") -> ModelAnswered:
    return ModelAnswered(unit, n, "d", role, "thought", text, (1, 2, 3), 50, 20, 4.0)


def step(number: int, loss: float) -> TrainStepped:
    return TrainStepped("plan", number, 3, loss, 1e-4, 1.0, 10, 1.0)


def test_a_whole_run(every_event: list[Event]) -> None:
    state = folded(*every_event)
    assert (state.attempt, state.pid, state.host, state.engine) == (1, 77, "here", "scripted")
    assert state.config["model"]["name"] == "tiny"
    assert state.seq == len(every_event) - 1
    assert state.at == 100.0 + state.seq
    assert [question.id for question in state.questions] == ["q-1"]
    assert {unit: question.id for unit, question in state.begun.items()} == {"t-1": "q-1"}
    assert state.refused == {"too short": 1}
    assert (state.selected, state.passed_over) == ([("Retrieve", "facts")], [("Image2Text", "no pictures")])
    assert state.trajectories["t-1"].answer == "Beethoven"
    assert state.verdicts["t-1"].kept
    assert state.examples["plan"].spans == 9
    assert state.curves["plan"][4].loss == 1.25
    assert state.checkpoints == {"plan": 4}
    assert state.adapters["plan"].path == "adapters/plan"
    assert [solved.f1 for solved in state.solved] == [1.0]
    assert state.unit_failures == {"t-2": "boom"}
    assert [command.id for command in state.commands] == ["c-1", "c-2"]
    assert (state.answers, state.gaps, state.lanes.units) == (1, 0, {})


def test_the_last_lifecycle_event_stands() -> None:
    opened = RunOpened(1, 7, "here")
    assert RunState().status == "new"
    assert folded(opened).status == "running"
    paused = folded(opened, RunPaused("disk full"))
    assert (paused.status, paused.why) == ("paused", "disk full")
    assert folded(RunResumed(), state=paused).why == ""
    assert folded(opened, RunFinished()).status == "finished"
    assert folded(opened, RunCancelled()).status == "cancelled"
    failed = folded(opened, RunFailed("boom"))
    assert (failed.status, failed.error) == ("failed", "boom")
    again = folded(RunOpened(2, 8, "here"), state=failed)
    assert (again.status, again.error, again.attempt) == ("running", "", 2)


def test_a_persons_pause_outlives_the_job() -> None:
    first, second = RunOpened(1, 7, "here"), RunOpened(2, 8, "here")
    held = CommandAccepted("c-1", "pause", "t-1")
    state = folded(first, RunPaused(BY_A_PERSON), held, second)
    assert (state.status, state.why, state.halted, state.attempt) == ("paused", BY_A_PERSON, {"t-1"}, 2)
    folded(RunResumed(), CommandAccepted("c-2", "resume"), state=state)
    assert (state.status, state.halted) == ("running", set())
    assert folded(first, RunPaused("disk full"), second).status == "running"
    assert folded(first, RunPaused(BY_A_PERSON), RunCancelled(), second).status == "running"


@pytest.mark.parametrize("again", [RunOpened(2, 8, "here"), RunResumed()], ids=["resumed later", "after a pause"])
def test_the_pace_leaves_out_the_time_in_which_nothing_was_done(again: Event) -> None:
    state = folded(StageStarted("synthesis", 9), StageProgressed("synthesis", 4, 9))
    folded(again, state=state)
    stage = state.stages["synthesis"]
    assert (stage.done, stage.paced) == (4, (state.at, 4))


def test_stages_and_what_they_spend() -> None:
    state = folded(said("t", 0), StageStarted("synthesis", 9), said("t", 1), said("t", 2, role="plan"))
    folded(StageProgressed("synthesis", 4, 9), state=state)
    assert state.stage == "synthesis"
    assert state.stages["synthesis"] == StageState(of=9, done=4, started_at=101.0, paced=(101.0, 0), worked=3.0)
    assert state.tokens["synthesis"] == ModelUsage(2, 100, 40, 6, {"meta": 4.0, "plan": 4.0})
    assert state.tokens[""].calls == 1
    folded(StageFinished("synthesis", 8, 2.5), state=state)
    assert (state.stage, state.lanes.units) == ("", {})
    assert state.stages["synthesis"] == StageState(9, 9, 8, "finished", 2.5, 101.0, (101.0, 0), worked=4.0)


def test_the_time_of_a_stage_adds_up_over_its_attempts() -> None:
    state = RunState()
    events: list[tuple[float, Event]] = [
        (0.0, RunOpened(1, 7, "here")), (10.0, StageStarted("synthesis", 9)), (70.0, said("t", 0)),
        (500.0, RunOpened(2, 8, "here")), (505.0, StageProgressed("synthesis", 5, 9)), (506.0, RunCancelled()),
    ]  # fmt: skip
    for seq, (at, event) in enumerate(events):
        fold(state, Record(seq, at, event, "x"))
    assert state.stages["synthesis"].spent == 66
    carried = folded(StageFinished("self_instruct", 40, 3.0)).stages["self_instruct"]
    assert (carried.is_carried_over, carried.done, carried.seconds) == (True, 40, 3.0)


def test_a_step_done_again_replaces_the_first() -> None:
    state = folded(step(1, 3.0), step(2, 2.0), step(3, 1.0), RunOpened(2, 7, "here"), step(2, 2.5))
    assert {number: stepped.loss for number, stepped in state.curves["plan"].items()} == {1: 3.0, 2: 2.5, 3: 1.0}


def test_a_lane_holds_the_last_turns_until_its_unit_ends() -> None:
    state = folded(
        *(said("a", n, str(n)) for n in range(TURNS + 2)), ToolObserved("b", 0, "d", "Look", "x", "y" * 9999)
    )
    assert [turn.text for turn in state.lanes.turns("a")] == [str(n) for n in range(2, TURNS + 2)]
    (seen,) = state.lanes.turns("b")
    assert (seen.role, seen.part, len(seen.text)) == ("world", "observation", 2000)
    ended = Trajectory("a", Question("a", "?"), ())
    assert list(folded(TrajectoryCommitted(ended), state=state).lanes.units) == ["b"]
    assert list(folded(said("a", 0), QuestionSolved("meta", ended), state=state).lanes.units) == ["b"]
    assert list(folded(UnitFailed("b", "boom"), state=state).lanes.units) == []


def test_edits_and_restarts_change_a_lane() -> None:
    state = folded(*(said("a", n, str(n)) for n in range(12)))
    folded(AnswerEdited("a", 10, "ten"), AnswerEdited("a", 2, "gone"), AnswerEdited("z", 0, "?"), state=state)
    assert [turn.text for turn in state.lanes.turns("a")] == ["4", "5", "6", "7", "8", "9", "ten", "11"]
    folded(UnitRestarted("a", 6, "changed"), said("a", 6, "six"), state=state)
    assert [turn.text for turn in state.lanes.turns("a")] == ["4", "5", "six"]
    assert state.lanes.next("a") == 7


def test_a_restart_voids_what_the_unit_led_to(every_event: list[Event]) -> None:
    state = folded(*every_event, UnitRestarted("t-1", 0, "changed"), UnitRestarted("t-2", 0, "retry"))
    assert (state.trajectories, state.verdicts, state.solved, state.unit_failures) == ({}, {}, [], {})


def test_the_longest_silent_lane_makes_room() -> None:
    state = folded(*(said(str(unit), 0) for unit in range(LANES)), said("0", 1), said("new", 0))
    assert list(state.lanes.units) == ["0", *map(str, range(2, LANES)), "new"]


def test_gaps_and_strangers_are_counted_over() -> None:
    state = folded(RunResumed(), None)
    fold(state, Record(7, 0.0, RunPaused("tea"), "run.paused"))
    assert (state.seq, state.gaps, state.status) == (7, 5, "paused")


def test_following_a_log_tells_its_damage(folder: RunFolder) -> None:
    assert RunState.of(folder.events).seq == -1
    with LogWriter(folder) as log:
        log.append(RunOpened(1, 7, "here"))
        log.append(RunPaused("tea"))
    tail, state = LogTail(folder.events), RunState()
    assert state.follow(tail) == 2
    with folder.events.open("ab") as file:
        file.write(b"garbage\n" + seal_event(2, 0.0, RunFinished()) + b"half")
    assert state.follow(tail) == 1
    assert state == RunState.of(folder.events)
    assert (state.status, len(state.damage), state.torn) == ("finished", 1, 4)


def test_the_end_of_a_log_tells_a_pause_of_long_ago(folder: RunFolder) -> None:
    def write(*events: Event) -> int:
        with LogWriter(folder) as writer:
            for event in events:
                writer.append(event)
        return folder.events.stat().st_size

    def seen(state: RunState) -> tuple[object, ...]:
        return state.status, state.why, state.halted, state.stage, state.stages[state.stage].done

    turns = [said("t-1", number, "x" * 20_000) for number in range(20)]
    begun = (RunOpened(1, 7, "here"), StageStarted("synthesis", 9), StageProgressed("synthesis", 4, 9))
    paused = (RunPaused(BY_A_PERSON), CommandAccepted("c-1", "pause", "t-1"))
    start = write(*begun, *paused)
    write(*turns)
    first = read_end(folder.events)
    assert seen(first) == ("paused", BY_A_PERSON, {"t-1"}, "synthesis", 4)
    assert first.answers < len(turns)

    lines = folder.events.read_bytes()
    folder.events.write_bytes(b" " * (start - 1) + lines[start - 1 :])  # from now on only `first` knows
    write(*turns[:3], CommandAccepted("c-2", "pause", "t-2"))
    second = read_end(folder.events, first)
    assert seen(second) == ("paused", BY_A_PERSON, {"t-1", "t-2"}, "synthesis", 4)
    assert first.halted == {"t-1"}
    write(RunResumed(), CommandAccepted("c-3", "resume"), StageProgressed("synthesis", 5, 9))
    assert seen(read_end(folder.events, second)) == ("running", "", set(), "synthesis", 5)
    write(CommandAccepted("c-4", "pause", "t-3"), *turns, RunCancelled())
    ended = read_end(folder.events)
    assert ended.status == "cancelled"
    write(RunOpened(2, 7, "here"))
    assert read_end(folder.events, ended).halted == {"t-3"}


def test_a_viewer_loads_no_engine(python: Python) -> None:
    child = python("import sys, autoact.run.record.state, autoact.run.process.heartbeat\nprint(*sys.modules)")
    loaded = set(child.communicate()[0].split())
    assert "autoact.run.record.state" in loaded
    ours = {name for name in loaded if name.startswith("autoact.") and not name.startswith("autoact.run")}
    kept = "errors events registry registry.roles registry.registry script security security.trust trajectory"
    files = "files files.disk files.json_file files.toml_text"
    assert ours == {f"autoact.{part}" for part in f"{kept} {files}".split()}
    assert not {name for name in loaded if name.startswith(("autoact.run.conductor", "autoact.run.control"))}
    assert not loaded & {"torch", "transformers", "peft", "textual"}


def test_refused_questions_were_tried_and_a_base_hands_on_no_number() -> None:
    refused = [QuestionRefused(f"composed-{number}", "?", "asked before") for number in range(4)]
    stage = STAGES.get(SELF_INSTRUCT)
    assert stage.details
    assert stage.outcome
    running = folded(StageStarted(SELF_INSTRUCT, 9), StageProgressed(SELF_INSTRUCT, 0, 9, 2), *refused)
    assert stage.details(running) == "4 tried, 4 refused"
    carried = folded(QuestionAccepted(Question("q", "?", "a")), StageFinished(SELF_INSTRUCT, 1, 3.0))
    assert stage.outcome(carried) == "1 questions accepted, carried over"
