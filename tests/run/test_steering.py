"""What a person's commands do to units in flight, and that none is done twice or lost."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

import pytest
from worlds import scripted_world

from autoact.events import (
    SKIPPED,
    AnswerEdited,
    CommandAccepted,
    Event,
    ModelAnswered,
    QuestionInjected,
    QuestionSolved,
    RunPaused,
    RunResumed,
    TrainStepped,
    TrajectoryCommitted,
    TrajectoryJudged,
    UnitFailed,
    UnitForked,
    UnitRestarted,
)
from autoact.methods.settings import MethodSettings
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import GroupPlanning
from autoact.run.conductor.conductor import Conductor
from autoact.run.conductor.steering import RunCommands
from autoact.run.control.command import Command, Reply, Verb
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.log import read
from autoact.script import Answer, Ask, Card, Observation, Prompt, Round, StageScript, Train, Unit, Use
from autoact.stages.group_planning import answer_limits
from autoact.stages.session import session
from autoact.trajectory import META, Adapter, Cast, Question, Tool, Trajectory, Verdict


def talk(unit: str) -> Generator[Ask | Use, Any, Trajectory]:
    """Asks, looks, asks: what it ends with tells every answer it was given."""
    one: Answer = yield Ask("meta", "thought", Prompt("", f"{unit} one"))
    seen: Observation = yield Use("Retrieve", one.text)
    two: Answer = yield Ask("meta", "thought", Prompt("", f"{unit} two after {one.text}, {seen.text}"))
    return Trajectory(unit, Question(unit, "?"), (), answer=f"{one.text}; {seen.text}; {two.text}", halt="answered")


class Echo:
    """A tool that repeats its argument."""

    def call(self, name: str, argument: str) -> Observation:
        return Observation(f"<{argument}>")

    def recall(self, name: str, argument: str) -> None:
        """It remembers nothing."""

    def repeatable(self, name: str) -> bool:
        return False


class Driven:
    """A run whose commands come at known moments: before every look at the gate, `script` may submit one."""

    def __init__(self, folder: RunFolder, commands: list[Command], names: tuple[str, ...] = ("a",)):
        self.folder = folder
        self.engine = ScriptedEngine(lambda ask: ask.prompt.user.split()[1], lanes=4)
        self.journal = Journal(folder)
        self.gate = ScriptedGate(commands)
        world = scripted_world(self.engine, lambda question: Echo(), self.train)
        self.conductor = Conductor(world, self.journal, self.gate, seed=7, revive=self.revive)
        self.gate.calling = lambda: bool(self.conductor.calls.waits_for)
        self.units = [Unit(name, lambda name=name: talk(name)) for name in names]
        self.steps = 3

    def train(self, wish: Train) -> Generator[Event, bool | None, Adapter]:
        for step in range(self.steps):
            if (yield TrainStepped("plan", step, self.steps, 1.0, 0.1, 0.1, 1, 1.0)):
                break
        return Adapter("plan", "adapters/plan", "00", 1, 1.0)

    def revive(self, name: str) -> tuple[Unit, Any] | None:
        return (Unit(name, lambda: talk(name)), commit) if name in ("a", "b") else None

    def play(self, stage: StageScript | None = None) -> list[Event]:
        try:
            self.conductor.play("synthesis", stage or self.stage())
        finally:
            self.journal.close()
        return self.log

    def stage(self) -> StageScript:
        yield Round(self.units, commits=commit)

    @property
    def log(self) -> list[Event]:
        return [record.event for record in read(self.folder.events) if record.event is not None]

    def answers(self) -> dict[str, str | None]:
        return {name: trajectory.answer for name, trajectory in self.journal.state.trajectories.items()}


class ScriptedGate(Gate):
    """Hands out one command at every look, the next only when nothing else can move."""

    def __init__(self, commands: list[Command]):
        super().__init__()
        self.commands = list(commands)
        self.replies: list[Future[Reply]] = []
        self.calling: Callable[[], bool] = lambda: False

    def take(
        self, wanted: Callable[[Command, bool], bool] = lambda command, behind: True
    ) -> tuple[Command, Future[Reply]] | None:
        if not self._waiting and self.commands and not self.replies:
            self._next()
        return super().take(wanted)

    def wait(self, seconds: float) -> None:
        """Waits for a tool; else nothing moves, the next command comes, and without one the test would hang."""
        if self.calling():
            super().wait(seconds)
        elif not self._waiting:
            assert self.commands, "the run waits for a command that does not come"
            self._next()
        self.check()

    def _next(self) -> None:
        self.replies.append(self.submit(self.commands.pop(0)))


def commit(made: Trajectory, seconds: float, tokens: int) -> Event:
    return TrajectoryCommitted(made)


def of(log: list[Event], kind: type[Any]) -> list[Any]:
    return [event for event in log if isinstance(event, kind)]


def test_a_paused_run_answers_nothing_and_a_resumed_one_goes_on(folder: RunFolder) -> None:
    run = Driven(folder, [Command("1", "pause"), Command("2", "ping"), Command("3", "resume")])
    log = run.play()
    kinds = [type(event) for event in log]
    assert kinds.index(RunResumed) < kinds.index(ModelAnswered)
    assert kinds.index(RunPaused) < kinds.index(RunResumed)
    assert run.answers() == {"a": "one; <one>; two"}


def test_a_step_lets_exactly_one_answer_through(folder: RunFolder) -> None:
    seen: list[int] = []

    class Counting(ScriptedGate):
        def wait(self, seconds: float) -> None:
            if not self.calling():
                seen.append(sum(run.journal.memory.has_answer("a", n) for n in range(9)))
            super().wait(seconds)

    commands = [Command("1", "pause", "a"), *(Command(f"s{n}", "step", "a") for n in range(3))]
    run = Driven(folder, commands)
    run.gate.__class__ = Counting
    run.play()
    assert seen == [1, 2, 3]
    assert run.answers() == {"a": "one; <one>; two"}


def test_a_step_begins_a_unit_that_waits_for_a_paused_run(folder: RunFolder) -> None:
    commands = [Command("1", "pause"), Command("2", "step", "b"), Command("3", "ping"), Command("4", "cancel")]
    run = Driven(folder, commands, ("a", "b"))
    with pytest.raises(Cancelled):
        run.play()
    (answered,) = of(run.log, ModelAnswered)
    assert (answered.unit, answered.n) == ("b", 0)
    assert [reply.result().why for reply in run.gate.replies[:3]] == ["", "", ""]


def test_a_step_holds_a_unit_that_was_running_and_the_others_go_on(folder: RunFolder) -> None:
    commands = [Command("1", "pause", "a"), Command("2", "step", "a"), Command("3", "resume", "a")]
    run = Driven(folder, commands, ("a", "b"))
    log = run.play()
    ends = [event.trajectory.unit for event in of(log, TrajectoryCommitted)]
    assert ends == ["b", "a"]


def test_a_pause_outlives_its_job_and_the_newest_answer_is_in_the_hand_again(folder: RunFolder) -> None:
    first = Driven(folder, [Command("1", "pause", "a"), Command("2", "pause"), Command("3", "cancel")], ("a", "b"))
    with pytest.raises(Cancelled):
        first.play()
    commands = [
        Command("4", "ping"), Command("5", "edit", "a", 0, "uno"), Command("6", "step", "a"), Command("7", "resume"),
    ]  # fmt: skip
    again = Driven(folder, commands, ("a", "b"))
    log = again.play()
    assert again.answers() == {"a": "uno; <uno>; two", "b": "one; <one>; two"}
    assert of(log, UnitRestarted) == []
    assert len(of(log, RunPaused)) == len(of(log, RunResumed)) == 1
    assert {ticket for ticket, _ in again.engine.asked} == {("a", 2)}


def test_a_unit_stays_paused_when_its_job_dies(folder: RunFolder) -> None:
    with pytest.raises(Cancelled):
        Driven(folder, [Command("1", "pause", "a"), Command("2", "cancel")], ("a", "b")).play()
    again = Driven(folder, [Command("3", "ping"), Command("4", "resume")], ("a", "b"))
    log = again.play()
    resumed = next(place for place, event in enumerate(log) if isinstance(event, CommandAccepted) and event.id == "4")
    ends = [event.trajectory.unit for event in of(log[:resumed], TrajectoryCommitted)]
    assert ends == ["b"]
    assert set(again.answers()) == {"a", "b"}


def test_the_answer_in_the_hand_is_edited_before_its_script_sees_it(folder: RunFolder) -> None:
    commands = [
        Command("1", "pause", "a"), Command("3", "edit", "a", 0, "uno", by="ann"), Command("4", "resume", "a"),
    ]  # fmt: skip
    run = Driven(folder, commands)
    log = run.play()
    assert run.answers() == {"a": "uno; <uno>; two"}
    assert of(log, UnitRestarted) == []
    assert of(log, AnswerEdited) == [AnswerEdited("a", 0, "uno", "ann")]


def test_an_edit_further_back_voids_what_followed(folder: RunFolder) -> None:
    commands = [
        Command("1", "pause", "a"), *(Command(f"s{n}", "step", "a") for n in range(2)),
        Command("3", "edit", "a", 0, "uno"), Command("4", "resume", "a"),
    ]  # fmt: skip
    run = Driven(folder, commands)
    log = run.play()
    assert run.answers() == {"a": "uno; <uno>; two"}
    assert [(event.unit, event.n) for event in of(log, UnitRestarted)] == [("a", 1)]


def test_a_unit_that_is_over_is_opened_again_by_an_edit(folder: RunFolder) -> None:
    commands = [Command("1", "pause", "b"), Command("2", "edit", "a", 2, "due"), Command("3", "resume", "b")]
    run = Driven(folder, commands, ("a", "b"))
    log = run.play()
    assert run.answers() == {"a": "one; <one>; due", "b": "one; <one>; two"}
    assert [event.trajectory.unit for event in of(log, TrajectoryCommitted)] == ["a", "a", "b"]


def test_retry_draws_again_and_skip_ends(folder: RunFolder) -> None:
    commands = [Command("1", "pause", "a"), Command("2", "retry", "a"), Command("3", "skip", "a")]
    run = Driven(folder, commands, ("a", "b"))
    log = run.play()
    assert [(event.unit, event.n) for event in of(log, UnitRestarted)] == [("a", 0)]
    assert [ticket for ticket, _ in run.engine.asked].count(("a", 0)) == 2
    assert of(log, UnitFailed) == [UnitFailed("a", SKIPPED)]
    assert set(run.answers()) == {"b"}
    again = Driven(folder, [], ("a", "b"))
    assert again.play() == log  # what a person ended is not begun again when the job is
    assert again.engine.asked == []


def test_a_fork_replays_without_asking_and_goes_on(folder: RunFolder) -> None:
    commands = [Command("1", "pause", "b"), Command("2", "fork", "a", 2), Command("3", "resume", "b")]
    run = Driven(folder, commands, ("a", "b"))
    log = run.play()
    assert of(log, UnitForked) == [UnitForked("a~1", "a", 2, "2")]
    assert [ticket for ticket, _ in run.engine.asked if ticket.unit == "a~1"] == [("a~1", 2)]
    assert run.answers()["a~1"] == run.answers()["a"]


def test_a_person_keeps_and_drops_and_the_filter_does_not_judge_again(folder: RunFolder) -> None:
    Driven(folder, []).play()
    commands = [
        Command("1", "judge", "a", 1, "shows a detour"), Command("2", "judge", "a", 0, "", by="kim"),
        Command("3", "judge", "a", 7),
    ]  # fmt: skip
    run = Driven(folder, [])
    replies = [run.gate.submit(command) for command in commands]
    run.conductor.steering.obey()
    run.journal.append_once(TrajectoryJudged(Verdict("a", True, 0.0, "", "filter")))
    run.journal.close()
    assert of(run.log, TrajectoryJudged) == [
        TrajectoryJudged(Verdict("a", True, 0.0, "shows a detour", "a person")),
        TrajectoryJudged(Verdict("a", False, 0.0, "", "kim")),
    ]
    assert "expected 1 to keep" in replies[2].result().why


def test_a_fork_with_a_text_replaces_its_last_answer(folder: RunFolder) -> None:
    commands = [
        Command("1", "pause", "b"), Command("2", "fork", "a", 0, "uno"), Command("3", "fork", "a~1", 2),
        Command("4", "resume", "b"),
    ]  # fmt: skip
    run = Driven(folder, commands, ("a", "b"))
    run.play()
    assert run.answers() == {
        "a": "one; <one>; two", "b": "one; <one>; two", "a~1": "uno; <uno>; two", "a~1~1": "uno; <uno>; two",
    }  # fmt: skip


def test_a_fork_that_a_crash_cut_short_is_finished_by_the_next_attempt(folder: RunFolder) -> None:
    commands = [
        Command("1", "pause", "b"), Command("2", "pause"), Command("3", "fork", "a", 1), Command("4", "cancel"),
    ]  # fmt: skip
    run = Driven(folder, commands, ("a", "b"))
    with pytest.raises(Cancelled):
        run.play()
    assert "a~1" not in run.answers()
    again = Driven(folder, [Command("5", "resume")], ("a", "b"))
    again.play()
    assert set(again.answers()) == {"a", "b", "a~1"}


def test_forks_of_a_stage_that_is_over(folder: RunFolder) -> None:
    Driven(folder, []).play()
    run = Driven(folder, [Command("1", "fork", "a", 0, "uno")])
    run.conductor.play_forks()
    run.journal.close()
    assert run.answers()["a~1"] == "uno; <uno>; two"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (Command("x", "step", "z"), "not at work"),
        (Command("x", "edit", "b", 5, "t"), "no answer 5"),
        (Command("x", "retry", "z"), "no such unit"),
        (Command("x", "skip", "z"), "not at work"),
        (Command("x", "fork", "z", 0, "t"), "cannot be forked"),
        (Command("x", "fork", "b", 9), "no answer 8"),
        (Command("x", "inject", text="Who?"), "no session"),
        (Command("x", "judge", "z", 1), "no finished trajectory"),
        (Command("x", "pause", "z"), "not at work"),
        (Command("x", "pause", "a"), "`a` has ended"),
        (Command("x", "resume", "a"), "not paused"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(folder: RunFolder, command: Command, why: str) -> None:
    run = Driven(folder, [Command("1", "pause", "b"), command, Command("3", "resume", "b")], ("a", "b"))
    run.play()
    reply = run.gate.replies[1].result()
    assert not reply.accepted
    assert why in reply.why
    assert run.answers() == {"a": "one; <one>; two", "b": "one; <one>; two"}


@pytest.mark.parametrize("do", ["edit", "fork"])
def test_a_verdict_is_right_or_wrong(folder: RunFolder, do: Verb) -> None:
    journal = Journal(folder)
    journal.append(ModelAnswered("a", 0, "d", "meta", "verdict", " right"))
    journal.close()
    run = Driven(folder, [])
    replies = [run.gate.submit(Command(word, do, "a", 0, word)) for word in ("maybe", "Wrong")]
    run.conductor.steering.obey()
    run.journal.close()
    assert "expected the verdict right or wrong, found maybe" in replies[0].result().why
    assert [event.text for event in of(run.log, AnswerEdited)] == [" wrong"]


def test_before_there_are_units_no_pause_overtakes_another(folder: RunFolder) -> None:
    journal, gate = Journal(folder), Gate()
    wanted = ["pause t-1", "resume", "judge t-1", "pause", "ping"]
    replies = {words: gate.submit(Command(words, *words.split())) for words in wanted}  # type: ignore[arg-type]
    RunCommands(journal, gate).obey()
    assert [words for words, reply in replies.items() if reply.done()] == ["judge t-1", "ping"]
    assert journal.state.status == "new"
    journal.close()


def test_a_command_that_comes_again_is_not_done_again(folder: RunFolder) -> None:
    commands = [Command("1", "pause", "b"), Command("2", "fork", "a", 0, "uno"), Command("2", "fork", "a", 0, "uno")]
    run = Driven(folder, [*commands, Command("3", "resume", "b")], ("a", "b"))
    log = run.play()
    assert len(of(log, UnitForked)) == 1
    assert run.gate.replies[1].result() == run.gate.replies[2].result()
    later = Driven(folder, [Command("2", "fork", "a", 0, "uno")], ("a", "b"))
    later.conductor.play_forks()
    later.journal.close()
    assert len(of(later.log, UnitForked)) == 1
    assert later.gate.replies[0].result() == run.gate.replies[1].result()


def test_a_fork_without_its_acceptance_is_not_made_again(folder: RunFolder) -> None:
    """The job died between the effect and the acceptance, and the person sent the command again."""
    first = Driven(folder, [])
    first.play()
    torn = Journal(folder)
    torn.append(UnitForked("a~1", "a", 1, "2"))
    torn.close()
    run = Driven(folder, [Command("2", "fork", "a", 1)])
    run.conductor.play_forks()
    run.journal.close()
    assert len(of(run.log, UnitForked)) == 1
    assert [event.id for event in of(run.log, CommandAccepted)] == ["2"]
    assert "a~1" in run.answers()


def test_a_training_is_paused_stepped_and_skipped(folder: RunFolder) -> None:
    def trained() -> Generator[Train, Adapter, Adapter]:
        return (yield Train("plan", (), Card("", ())))

    results: list[Any] = []

    def stage() -> StageScript:
        results.extend((yield Round([Unit("train-plan", trained)])))

    commands = [
        Command("1", "pause", "train-plan"),
        Command("2", "step", "train-plan"),
        Command("3", "skip", "train-plan"),
    ]
    run = Driven(folder, commands)
    run.steps = 9
    log = run.play(stage())
    assert [event.step for event in of(log, TrainStepped)] == [0]
    assert results == [None]
    assert of(log, UnitFailed) == [UnitFailed("train-plan", SKIPPED)]
    assert Driven(folder, []).play(stage()) == log


def test_a_training_stays_paused_when_its_job_dies(folder: RunFolder) -> None:
    def trained() -> Generator[Train, Adapter, Adapter]:
        return (yield Train("plan", (), Card("", ())))

    def stage() -> StageScript:
        yield Round([Unit("train-plan", trained)])

    with pytest.raises(Cancelled):
        Driven(folder, [Command("1", "pause", "train-plan"), Command("2", "cancel")]).play(stage())
    log = Driven(folder, [Command("3", "ping"), Command("4", "resume")]).play(stage())
    assert [event.step for event in of(log, TrainStepped)] == [0, 1, 2]
    assert [event.do for event in log[:-3] if isinstance(event, CommandAccepted)] == ["pause", "cancel", "resume"]


def test_a_training_is_ended_early_and_keeps_its_adapter(folder: RunFolder) -> None:
    results: list[Any] = []

    def trained() -> Generator[Train, Adapter, Adapter]:
        return (yield Train("plan", (), Card("", ())))

    def stage() -> StageScript:
        results.extend((yield Round([Unit("train-plan", trained)])))

    run = Driven(folder, [Command("1", "pause", "train-plan"), Command("2", "finish")])
    log = run.play(stage())
    assert [event.step for event in of(log, TrainStepped)] == [0]
    assert [adapter.path for adapter in results] == ["adapters/plan"]
    assert run.journal.memory.finishing == {"train-plan"}


def test_a_session_takes_questions_until_it_is_left_alone(folder: RunFolder) -> None:
    card = Card("", (Tool("Retrieve", "", "Retrieve[x]"),))
    methods = {"meta": MethodSettings(card, Cast(META), *answer_limits(GroupPlanning()))}
    commands = [
        Command("1", "inject", text="Who?", cast="meta"), Command("2", "inject", text="  "),
        Command("3", "inject", text="What?", cast="group"), Command("4", "cancel"),
    ]  # fmt: skip
    run = Driven(folder, commands)
    run.engine._answer = lambda ask: ask.choices[-1] if ask.choices else "said"
    with pytest.raises(Cancelled):
        run.play(session(methods, 60.0))
    assert [event.question.text for event in of(run.log, QuestionInjected)] == ["Who?"]
    (solved,) = of(run.log, QuestionSolved)
    assert (solved.cast, solved.trajectory.unit, solved.scored) == ("meta", "meta-asked-0001", False)
    whys = [reply.result().why for reply in run.gate.replies[1:3]]
    assert ["expected a question" in whys[0], "no cast" in whys[1]] == [True, True]
    again = Driven(folder, [])
    again.engine._answer = run.engine._answer
    again.play(session(methods, 0.0))
    assert again.engine.asked == []  # what was answered stays answered
    assert len(of(again.log, QuestionSolved)) == 1
