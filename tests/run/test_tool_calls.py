"""Tool calls are served by threads: they overlap, never stop the model, and equal repeatable ones are made once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest
from worlds import scripted_world

from autoact.events import AnswerEdited, CommandAccepted, Event, ToolObserved, UnitFailed
from autoact.model.scripted import ScriptedEngine
from autoact.run.conductor.conductor import Conductor
from autoact.run.control.command import Command
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.log import read
from autoact.script import Answer, Ask, Observation, Prompt, Round, StageScript, Unit, Use

PATIENCE = 30
"""Seconds after which a test that waits for another thread fails."""


class Tools:
    """The tools of one episode, which share what they count with those of others."""

    def __init__(self, shared: Shared) -> None:
        self.shared, self.page = shared, ""

    def call(self, name: str, argument: str) -> Observation:
        self.shared.made.append((name, argument))
        if name == "Together":
            self.shared.barrier.wait()
        if name == "Late":
            self.shared.started.set()
            assert self.shared.release.wait(PATIENCE)
        if name == "Open":
            self.page = argument
        return Observation(f"{name} {argument} on {self.page or 'no page'}")

    def recall(self, name: str, argument: str) -> None:
        self.shared.recalled.append((name, argument))
        if name == "Open":
            self.page = argument

    def repeatable(self, name: str) -> bool:
        return name in ("Open", "Late")


class Shared:
    """Calls that were made and recalled, and what tools wait for."""

    def __init__(self, together: int = 1) -> None:
        self.made: list[tuple[str, str]] = []
        self.recalled: list[tuple[str, str]] = []
        self.barrier = threading.Barrier(together, timeout=PATIENCE)
        self.started, self.release = threading.Event(), threading.Event()


def call(*uses: Use) -> Generator[Use, Observation, list[str]]:
    seen = []
    for use in uses:
        seen.append((yield use).text)
    return seen


def ask() -> Generator[Ask, Answer, str]:
    return (yield Ask("meta", "text", Prompt("", "hello"))).text


class Played:
    """A run of one round of these units."""

    def __init__(self, folder: RunFolder, shared: Shared, *units: Unit, answers: Any = lambda ask: "hi") -> None:
        self.results: list[Any] = []
        self.gate, self.journal, self.units, self.folder = Gate(), Journal(folder), units, folder
        world = scripted_world(ScriptedEngine(answers, lanes=32), lambda question: Tools(shared))
        self.conductor = Conductor(world, self.journal, self.gate, seed=7)

    def stage(self) -> StageScript:
        self.results.extend((yield Round(self.units)))

    def play(self) -> list[Any]:
        try:
            self.conductor.play("stage", self.stage())
        finally:
            self.journal.close()
            self.conductor.close()
        return self.results

    def log(self, kind: type[Event]) -> list[Any]:
        return [record.event for record in read(self.folder.events) if isinstance(record.event, kind)]


def test_calls_of_sixteen_episodes_are_made_at_the_same_time(folder: RunFolder) -> None:
    shared = Shared(together=16)
    units = [Unit(f"u{n}", lambda n=n: call(Use("Together", str(n)))) for n in range(16)]
    played = Played(folder, shared, *units)
    assert played.play() == [[f"Together {n} on no page"] for n in range(16)]
    assert {(seen.unit, seen.n) for seen in played.log(ToolObserved)} == {(f"u{n}", 0) for n in range(16)}


def test_the_model_answers_while_a_tool_is_at_work(folder: RunFolder) -> None:
    shared = Shared()

    def answer(ask: Ask) -> str:
        assert shared.started.wait(PATIENCE)
        shared.release.set()
        return "hi"

    units = (Unit("a", lambda: call(Use("Late", "x"))), Unit("b", ask))
    assert Played(folder, shared, *units, answers=answer).play() == [["Late x on no page"], "hi"]


def test_equal_calls_of_a_repeatable_tool_are_made_once(folder: RunFolder) -> None:
    shared = Shared()
    units = [Unit(f"u{n}", lambda: call(Use("Open", "Nile"), Use("Read", "on"))) for n in range(8)]
    played = Played(folder, shared, *units)
    assert played.play() == [["Open Nile on Nile", "Read on on Nile"]] * 8
    assert shared.made.count(("Open", "Nile")) == 1
    assert shared.made.count(("Read", "on")) == 8
    assert shared.recalled.count(("Open", "Nile")) == 7  # each session opens the page before it reads on
    assert len(played.log(ToolObserved)) == 16


def test_a_call_of_an_earlier_attempt_is_not_made_again(folder: RunFolder) -> None:
    shared = Shared()
    Played(folder, shared, Unit("a", lambda: call(Use("Open", "Nile")))).play()
    again = [Unit("a", lambda: call(Use("Open", "Nile"))), Unit("b", lambda: call(Use("Open", "Nile")))]
    assert Played(folder, shared, *again).play() == [["Open Nile on Nile"]] * 2
    assert shared.made == [("Open", "Nile")]


def test_an_observation_that_a_person_replaced_is_no_other_unit_s(folder: RunFolder) -> None:
    shared = Shared()
    Played(folder, shared, Unit("a", lambda: call(Use("Open", "Nile")))).play()
    journal = Journal(folder)
    journal.append(AnswerEdited("a", 0, "a dry river"))
    journal.close()
    again = [Unit("a", lambda: call(Use("Open", "Nile"))), Unit("b", lambda: call(Use("Open", "Nile")))]
    assert Played(folder, shared, *again).play() == [["a dry river"], ["Open Nile on Nile"]]


def when_started(shared: Shared, do: Callable[[], object]) -> None:
    """Has another thread do something as soon as the late tool is at work."""
    threading.Thread(target=lambda: shared.started.wait(PATIENCE) and do(), daemon=True).start()


def test_a_call_under_way_is_abandoned_when_its_unit_is_skipped(folder: RunFolder) -> None:
    shared = Shared()
    played = Played(folder, shared, Unit("a", lambda: call(Use("Late", "x"))), Unit("b", ask))
    when_started(shared, lambda: played.gate.submit(Command("1", "skip", "a")))
    assert played.play() == [None, "hi"]
    shared.release.set()
    assert [accepted.id for accepted in played.log(CommandAccepted)] == ["1"]
    assert [failed.error for failed in played.log(UnitFailed)] == ["skipped by a person"]
    assert played.log(ToolObserved) == []


def test_a_run_is_cancelled_while_a_tool_is_at_work(folder: RunFolder) -> None:
    shared = Shared()
    played = Played(folder, shared, Unit("a", lambda: call(Use("Late", "x"))))
    when_started(shared, played.gate.cancel)
    with pytest.raises(Cancelled):
        played.play()
    shared.release.set()


def test_an_environment_ends_an_episode_with_its_reward(folder: RunFolder) -> None:
    class Ends(Tools):
        def call(self, name: str, argument: str) -> Observation:
            return Observation("the door opens", over=True, reward=0.5)

    def walk() -> Generator[Use, Observation, tuple[bool, float]]:
        seen = yield Use("Go", "north")
        return seen.over, seen.reward

    for _ in range(2):  # the second time from the log
        played = Played(folder, Shared(), Unit("a", walk))
        played.conductor.world.environments.begin = lambda question: Ends(Shared())  # type: ignore[method-assign]
        assert played.play() == [(True, 0.5)]
    assert [(seen.over, seen.reward) for seen in played.log(ToolObserved)] == [(True, 0.5)]
