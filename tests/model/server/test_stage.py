"""A whole stage over two servers: one is killed in the middle, and the results are those of one that never fails."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from model_server import ModelServer
from worlds import scripted_world

from autoact.events import ModelAnswered
from autoact.model.server.engine import ServerEngine
from autoact.project.config import Filtering, Synthesis
from autoact.run.conductor.conductor import Conductor
from autoact.run.control.gate import Gate
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.log import read
from autoact.script import Card, Observation
from autoact.stages.synthesis import synthesis
from autoact.trajectory import Question, Tool, Trajectory

CARD = Card("Answer the question.", (Tool("Retrieve", "Reads a page.", "Retrieve[Peru]"),))
SETTINGS = Synthesis(samples=1, steps=2, temperature=0.8)
MIDWAY = 5
"""Complete replies after which a server is killed."""


class Pages:
    """A tool that finds the same page always."""

    def call(self, name: str, argument: str) -> Observation:
        return Observation("Fidelio is an opera by Beethoven.")

    def recall(self, name: str, argument: str) -> None:
        """Remembers nothing."""

    def repeatable(self, name: str) -> bool:
        return True


def three_for_each(engine: ServerEngine) -> list[Question]:
    """Questions of which each server gets three."""
    found: dict[str, list[Question]] = {replica.url: [] for replica in engine.replicas.all}
    for number in range(99):
        first = engine.replicas.order(f"t-q-{number}-0")[0].url
        found[first].append(Question(f"q-{number}", f"Who wrote Fidelio, and when? ({number})", "Beethoven"))
    return [question for questions in found.values() for question in questions[:3]]


def all_for_one(engine: ServerEngine, count: int) -> list[Question]:
    """Questions whose names put the same server first."""
    numbers = (number for number in range(999) if engine.replicas.order(f"t-q-{number}-0")[0] is engine.replicas.all[0])
    return [
        Question(f"q-{number}", f"Who wrote Fidelio? ({number})", "Beethoven")
        for number, _ in zip(numbers, range(count), strict=False)
    ]


def units_at(server: ModelServer) -> set[str]:
    """The units that asked a server for tokens."""
    return {headers["X-Session-Id"] for _, _, headers in server.asked if "X-Session-Id" in headers}


def play(engine: ServerEngine, questions: list[Question], folder: RunFolder) -> dict[str, Trajectory]:
    """Synthesis of all questions; the trajectories by unit."""
    journal = Journal(folder)
    conductor = Conductor(scripted_world(engine, lambda question: Pages()), journal, Gate(), seed=7)
    try:
        conductor.play("synthesis", synthesis(questions, CARD, SETTINGS, Filtering()))
        assert journal.state.unit_failures == {}
        return dict(journal.state.trajectories)
    finally:
        conductor.close()
        journal.close()


def new_folder(root: Path, name: str) -> RunFolder:
    folder = RunFolder(root / name)
    folder.path.mkdir()
    return folder


def test_episodes_are_shared_by_two_servers_and_end_as_with_one(
    tmp_path: Path, start: Callable[..., ModelServer], open_servers: Callable[..., ServerEngine]
) -> None:
    one, other = start(places=2), start(places=2)
    engine = open_servers(one, other, lanes=6)
    questions = all_for_one(engine, 6)
    wanted = play(open_servers(start(), lanes=6), questions, new_folder(tmp_path, "one"))
    assert play(engine, questions, new_folder(tmp_path, "two")) == wanted
    assert [len(units_at(one)), len(units_at(other))] == [3, 3]
    assert not units_at(one) & units_at(other)
    assert engine.replicas.placed == {}


@pytest.mark.fault
def test_a_server_killed_midway_changes_nothing_and_nothing_is_asked_twice(
    tmp_path: Path, start: Callable[..., ModelServer], open_servers: Callable[..., ServerEngine]
) -> None:
    stays, dies = start(), start()
    engine = open_servers(stays, dies, lanes=6)
    questions = three_for_each(engine)
    wanted = play(open_servers(start(), lanes=6), questions, new_folder(tmp_path, "one"))
    assert len(wanted) == len(questions)
    done = threading.Event()

    def kill() -> None:
        while sum(dies.finished.values()) < MIDWAY and not done.wait(0.005):
            pass
        dies.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    folder = new_folder(tmp_path, "two")
    try:
        assert play(engine, questions, folder) == wanted
    finally:
        done.set()
        killer.join()
    assert sum(dies.finished.values()) >= MIDWAY
    assert len(stays.completions()) > MIDWAY
    complete = Counter(dies.finished) + Counter(stays.finished)
    assert set(complete.values()) == {1}
    logged = Counter(
        (one.event.unit, one.event.n) for one in read(folder.events) if isinstance(one.event, ModelAnswered)
    )
    assert set(logged.values()) == {1}
