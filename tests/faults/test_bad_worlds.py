"""F15: a model or a tool that raises, hangs or talks garbage costs an observation or a unit, never the run."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from capitals import Hall, make_project, prepared, speak

from autoact.errors import ModelFailed, StageFailed
from autoact.events import ToolObserved
from autoact.job.job import Job
from autoact.model.engine import Ticket
from autoact.model.scripted import ScriptedEngine
from autoact.registry.stages import pipeline
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import read, scan
from autoact.run.record.state import RunState
from autoact.script import Answer, Ask, Observation
from autoact.tools.library.library import Library, ToolSession
from autoact.tools.library.tool import Group, ToolContext, ToolLimits, ToolRecord
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Question

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]

MEGABYTE = 1 << 20
GARBAGE = (
    "", " ", "\0" * 60, "x" * MEGABYTE, "é" * 130_000, "\ud800", "right \udfff\ud800 wrong", "\n\nAction: Finish\n",
    "\x1b[2J\x07\x9b31m", "\r", "\u2028\u2029\u0085", "\u202e abc", "\ufeff", "🦀" * 2000, "\uffff\ufffe", "\x00right",
    " ".join(map(chr, range(1, 160))), "}" * 300, '","crc":"00000000"}', "Observation: " * 400,
)  # fmt: skip
BYTES = b"\xff\xfe\x80 not UTF-8 \xc3(".decode("utf-8", "surrogateescape")
ERRORS = (
    ValueError("no\nluck"), RuntimeError("\ud800"), KeyError(), RecursionError(), MemoryError(), OSError(5, "io"),
    StopIteration(), GeneratorExit("x"), AssertionError("y" * MEGABYTE), TimeoutError(), UnicodeError(BYTES),
    ModelFailed("out of memory"),
)  # fmt: skip
NAMES = ("Retrieve", "Lookup", "Calculator", "WebSearch")


class UnreliableModel(ScriptedEngine):
    """Some asks are refused, some never answered, some answered with garbage."""

    def __init__(self, draw: random.Random, share: float):
        super().__init__(speak, lanes=4)
        self.draw, self.share = draw, share
        self.faults: Counter[str] = Counter()
        self.late: list[tuple[int, Ticket]] = []

    def step(self) -> Iterator[tuple[Ticket, Any]]:
        yield from self._overdue()
        while self.waiting:
            ticket, ask = self.waiting.popleft()
            fault = self.draw.choice(("raises", "hangs", "garbage", "garbage", "undecodable"))
            if self.draw.random() >= self.share:
                yield ticket, Answer(speak(ask), prompt_tokens=1, prefilled=1)
                continue
            self.faults[fault] += 1
            if fault == "hangs":
                self.late.append((self.draw.randrange(4), ticket))
            else:
                yield ticket, self._nonsense(fault, ask)

    def _overdue(self) -> Iterator[tuple[Ticket, ModelFailed]]:
        overdue, self.late = [one for one in self.late if one[0] == 0], [(n - 1, one) for n, one in self.late if n]
        for _, ticket in overdue:
            yield ticket, ModelFailed("no answer within 60 s")

    def _nonsense(self, fault: str, ask: Ask) -> Answer | ModelFailed:
        if fault == "raises":
            return ModelFailed(f"cannot answer {ask.part}: {self.draw.choice(GARBAGE)}")
        return Answer(BYTES if fault == "undecodable" else self.draw.choice(GARBAGE), prompt_tokens=1)


class UnreliableTools:
    """A library whose tools raise, hang, return garbage, or return what is no observation at all."""

    def __init__(self, draw: random.Random, share: float):
        self.draw, self.share = draw, share
        self.faults: Counter[str] = Counter()
        self.over = threading.Event()
        limits = ToolLimits(timeout_s=0.005)
        records = tuple(ToolRecord(name, f"{name} is odd.", f"{name}[Peru]", limits=limits) for name in NAMES)
        group = Group(records, lambda context, records: dict.fromkeys(NAMES, self.call))
        self.library = Library.load(None, ToolContext(Corpus.of_pages(())), [group])

    def session(self, question: Question | None) -> ToolSession:
        return self.library.session(question)

    def call(self, argument: str) -> Any:
        fault = self.draw.choice(("raises", "hangs", "garbage", "garbage", "nothing", "leaves"))
        if self.draw.random() >= self.share:
            return Observation(f"{argument} is a country.")
        self.faults[fault] += 1
        if fault == "raises":
            raise self.draw.choice(ERRORS)
        if fault == "leaves":
            raise SystemExit(1)
        if fault == "hangs":
            self.over.wait()
        if fault == "nothing":
            return self.draw.choice((None, 7, b"\xff", Observation(None)))  # type: ignore[arg-type]
        return Observation(self.draw.choice((*GARBAGE, BYTES)))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_bad_worlds(
    rounds: Rounds, part: tuple[int, int], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    project, draw, faults = make_project(tmp_path / "project"), random.Random(seed), Counter[str]()
    tried = rounds(40, 400 // part[1])
    for _ in range(tried):
        folder = prepared(project, pipeline()[:4], {"synthesis.samples": "1", "self_instruct.target": "3"})
        model = UnreliableModel(draw, draw.choice((0.0, 0.0, 0.0, 0.03, 0.2, 1.0)))
        tools = UnreliableTools(draw, draw.choice((0.0, 0.5, 1.0, 1.0)))
        job = Job(folder, Hall(lambda folder, model=model: model, tools=lambda _, tools=tools: tools.session).open)  # type: ignore[misc]
        try:
            assert job.run() == "finished"
        except StageFailed as error:  # every unit of a stage met a fault
            check_failure(folder, error, model)
        else:
            check_end(folder, bad=bool(model.faults))
        tools.over.set()
        faults += Counter({f"model {fault}": count for fault, count in model.faults.items()})
        faults += Counter({f"tool {fault}": count for fault, count in tools.faults.items()})
    tell("F15 bad models and tools", tried, dict(faults))
    assert len(faults) == 9


def check_failure(folder: RunFolder, error: StageFailed, model: UnreliableModel) -> None:
    """The log is whole and says which stage failed, with the faults of the model as the reason."""
    state = RunState.of(folder.events)
    check_log(folder)
    assert model.faults
    assert (state.status, state.error) == ("failed", f"StageFailed: {error}")
    assert state.unit_failures


def check_end(folder: RunFolder, *, bad: bool) -> None:
    """The log is whole, and every unit came to an end."""
    state = RunState.of(folder.events)
    check_log(folder)
    ended = {*state.trajectories, *(unit for unit in state.unit_failures if unit.startswith("t-"))}
    assert len(ended) == 1 + len(state.questions), state.unit_failures
    assert bad or not state.unit_failures


def check_log(folder: RunFolder) -> None:
    """No line is damaged, and every observation is short text."""
    log = scan(folder.events)
    assert (log.damaged, log.torn) == ([], 0)
    events = [record.event for record in read(folder.events)]
    for seen in (event for event in events if isinstance(event, ToolObserved)):
        assert len(seen.text) <= ToolLimits().max_chars
        assert "\n" not in seen.text
        assert seen.text.encode().decode() == seen.text
