"""What the tools keep running ends with the job, however it ends; what a unit dies of is told without secrets."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from worlds import scripted_world

from autoact.errors import ModelFailed, StageFailed
from autoact.events import RunFailed, ToolObserved, UnitFailed
from autoact.job.inputs import open_inputs, open_library
from autoact.job.job import Job
from autoact.job.pipeline import Pipeline
from autoact.model.engine import Ticket
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Config, Plan
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import read
from autoact.script import Ask, Observation
from autoact.security import trust
from autoact.trajectory import Question

SECRET = "cnry-51ce77-do-not-print"
STAND_IN = "(secret CANARY_API_KEY)"
TOOLS = '[[tool]]\nname = "Own"\nkind = "python"\nsettings = {function = "tools/own.py:own", timeout_s = 60}\n'
OWN = "import os\n\ndef own(word: str) -> int:\n    return os.getpid()\n"

Answers = Callable[[Ask], str]
Sessions = Callable[[Question | None], object]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A project of one question, and of one tool that runs in a process of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CANARY_API_KEY", SECRET)
    root = tmp_path / "p"
    (root / "tools").mkdir(parents=True)
    (root / "corpus").mkdir()
    (root / "corpus" / "Peru.txt").write_text("Peru is a country.\n")
    (root / "project.toml").write_text('[task]\nname = "countries"\ndescription = "Answer questions."\n')
    (root / "examples.jsonl").write_text('{"question": "What is the capital of Peru?", "answer": "Lima"}\n')
    (root / "tools.toml").write_text(TOOLS)
    (root / "tools" / "own.py").write_text(OWN)
    trust.mark_trusted(root)
    config = msgspec.structs.replace(Project.open(root).config(), run=Plan(stages=("synthesis",)))
    return new_run(root, "run", msgspec.to_builtins(config), now=datetime(2026, 11, 22, 14, 30))


class Open:
    """Opens a world with a scripted model, and counts how often it is closed."""

    def __init__(
        self, answers: Answers, engine: Any = ScriptedEngine, tools: Callable[[Question | None], object] | None = None
    ):
        self.answers, self.engine, self.tools, self.closed = answers, engine, tools, 0

    def __call__(self, config: Config, project: Project, folder: RunFolder) -> Pipeline:
        library, corpus = open_library(project)
        inputs = open_inputs(config, project, library, corpus)

        def close() -> None:
            self.closed += 1
            library.close()

        tools = self.tools or library.session
        world = scripted_world(self.engine(self.answers), tools, close=close)
        return Pipeline(config, inputs, world, folder.path)


def speak(ask: Ask) -> str:
    """Uses the tool once, then finishes."""
    if ask.choices:
        wanted = " Finish\n" if any("Observation:" in part for part in ask.prompt.segments) else " Own\n"
        return wanted if wanted in ask.choices else ask.choices[0]
    return "Lima"


def events(folder: RunFolder, kind: type) -> list[object]:
    return [record.event for record in read(folder.events) if isinstance(record.event, kind)]


def started(folder: RunFolder) -> list[int]:
    """The processes that answered the tool's calls."""
    return [int(seen.text) for seen in events(folder, ToolObserved)]  # type: ignore[attr-defined]


def gone(pid: int) -> bool:
    """Whether it is dead within half a minute; one that only waits to be buried is."""
    for _ in range(600):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_finished_job_leaves_nothing_running(folder: RunFolder) -> None:
    opened = Open(speak)
    assert Job(folder, opened).run() == "finished"
    assert opened.closed == 1
    pids = started(folder)
    assert pids
    assert os.getpid() not in pids
    assert all(map(gone, pids))


def test_nor_does_one_that_fails(folder: RunFolder) -> None:
    def breaks(ask: Ask) -> str:
        if any("Observation:" in part for part in ask.prompt.segments):
            raise RuntimeError(f"the model's server refuses {SECRET}")
        return speak(ask)

    opened = Open(breaks)
    with pytest.raises(ModelFailed):
        Job(folder, opened).run()
    assert opened.closed == 1
    assert started(folder)
    assert all(map(gone, started(folder)))
    (failed,) = events(folder, RunFailed)
    assert f"the model's server refuses {STAND_IN}" in failed.error  # type: ignore[attr-defined]
    assert SECRET.encode() not in folder.events.read_bytes()


def test_nor_one_that_is_cancelled(folder: RunFolder) -> None:
    def cancels(ask: Ask) -> str:
        if any("Observation:" in part for part in ask.prompt.segments):
            job.gate.cancel()
        return speak(ask)

    opened = Open(cancels)
    job = Job(folder, opened)
    assert job.run() == "cancelled"
    assert opened.closed == 1
    assert started(folder)
    assert all(map(gone, started(folder)))


def test_what_a_unit_dies_of_shows_no_secret(folder: RunFolder) -> None:
    class Refusing(ScriptedEngine):
        def step(self) -> Iterator[tuple[Ticket, Any]]:
            for ticket, _ in super().step():
                yield ticket, ModelFailed(f"401 for https://example.org/?key={SECRET}")

    with pytest.raises(StageFailed) as raised:
        Job(folder, Open(speak, engine=Refusing)).run()
    assert STAND_IN in str(raised.value)
    (failed, *_) = events(folder, UnitFailed)
    assert f"401 for https://example.org/?key={STAND_IN}" in failed.error  # type: ignore[attr-defined]
    assert SECRET.encode() not in folder.events.read_bytes()


def test_nor_does_what_a_session_dies_of(folder: RunFolder) -> None:
    class Betraying:
        def __init__(self, question: Question | None):
            pass

        def repeatable(self, name: str) -> bool:
            return False

        def call(self, name: str, argument: str) -> Observation:
            raise RuntimeError(f"401 for https://example.org/?key={SECRET}")

    assert Job(folder, Open(speak, tools=Betraying)).run() == "finished"
    (seen, *_) = events(folder, ToolObserved)
    assert seen.text == f"Own failed: 401 for https://example.org/?key={STAND_IN}"  # type: ignore[attr-defined]
    assert SECRET.encode() not in folder.events.read_bytes()
