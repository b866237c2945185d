"""Projects with runs in every state, written as a job writes them; the screen as text."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import seen
from textual.app import App

import autoact.events as happened
from autoact.events import Event
from autoact.run.process.heartbeat import Heartbeat
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter
from autoact.security import trust
from autoact.trajectory import Adapter, Question, Step, Trajectory, Verdict

HOSTILE = "BingSearch[Woman in Gold]"


def project(root: Path, name: str = "opera", task: str = "Composers") -> Path:
    """A project folder with one example."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "project.toml").write_text(f'[task]\nname = "{task}"\n', encoding="utf-8")
    (folder / "examples.jsonl").write_text('{"question": "Who wrote Fidelio?", "answer": "Beethoven"}\n', "utf-8")
    trust.mark_trusted(folder)
    return folder


def write(
    project_root: Path, events: list[Event], minute: int = 30, settings: Mapping[str, object] | None = None
) -> RunFolder:
    """A run with these events and settings, of a day in November."""
    folder = new_run(project_root, "quick", settings or {}, now=datetime(2026, 11, 22, 14, minute))
    with LogWriter(folder) as log:
        for event in events:
            log.append(event)
    return folder


@contextlib.contextmanager
def alive(folder: RunFolder) -> Iterator[None]:
    """As if a job held the run."""
    with RunLock.take(folder):
        Heartbeat(Owner.of_this_process().pid, 0, "", 0, 0, 1, 1.0, at=time.time(), ticked_at=time.time()).write(folder)
        yield


def trajectory(unit: str, answer: str = "Beethoven", cast: str = "meta") -> Trajectory:
    question = Question(unit, "Who wrote the opera Fidelio?", "Beethoven")
    return Trajectory(unit, question, (Step("look", "Retrieve", "Fidelio", "An opera."),), answer, cast=cast)


def opened() -> list[Event]:
    """Two stages done: 12 questions, two tools."""
    questions: list[Event] = [
        happened.QuestionAccepted(Question(f"s-{n}", f"Question {n}?", "Bonn", "instructed")) for n in range(12)
    ]
    return [
        happened.RunOpened(1, 77, "here", "SmolLM2-135M cpu"),
        happened.StageStarted("self_instruct", 12),
        *questions,
        happened.QuestionRefused("s-20", "Who?", "too short"),
        happened.StageFinished("self_instruct", 12, 75.0),
        happened.StageStarted("tool_selection", 3),
        happened.ToolSelected("Retrieve", "facts"),
        happened.ToolPassedOver("Image2Text", "no pictures"),
        happened.StageFinished("tool_selection", 1, 4.0),
    ]


def synthesis() -> list[Event]:
    """Half way through stage 3, two episodes in flight."""
    committed: list[Event] = [happened.TrajectoryCommitted(trajectory(f"q-{n:04}.0")) for n in range(37)]
    talk: list[Event] = []
    for unit in ("q-0038.1", "q-0039.0"):
        talk += [
            happened.EpisodeBegun(unit, Question(unit, "Who painted the Woman in Gold?", "Klimt")),
            happened.ModelAnswered(unit, 0, "d", "meta", "thought", f"I should try {HOSTILE} first."),
            happened.ModelAnswered(unit, 1, "d", "meta", "action", "BingSearch"),
            happened.ModelAnswered(unit, 2, "d", "meta", "argument", "Woman in Gold"),
            happened.ToolObserved(unit, 3, "d", "BingSearch", "Woman in Gold", "A painting\nby Klimt \x1b[31m(1907)."),
        ]
    start: list[Event] = [happened.StageStarted("synthesis", 120)]
    return [*opened(), *start, *committed, *talk, happened.StageProgressed("synthesis", 37, 120)]


def training() -> list[Event]:
    """Stage 5: the plan-agent is trained, the tool-agent half."""
    judged = [happened.TrajectoryJudged(Verdict(f"q-{n:04}.0", n % 3 == 0, 1.0, "wrong answer")) for n in range(37)]
    steps = [step("plan", n, 60) for n in range(1, 61)] + [step("tool", n, 60) for n in range(1, 31)]
    return [
        *synthesis(),
        happened.StageFinished("synthesis", 39, 400.0),
        happened.StageStarted("filtering", 37),
        *judged,
        happened.StageFinished("filtering", 13, 0.1),
        happened.StageStarted("differentiation", 180),
        *[happened.ExamplesBuilt(role, 13, 39, 800) for role in ("plan", "tool", "reflect")],
        *steps,
        happened.AdapterReady(Adapter("plan", "adapters/plan", "00ff", 39, 0.4)),
        happened.StageProgressed("differentiation", 90, 180),
    ]


def trained(project_root: Path, minute: int, *, base: str = "") -> RunFolder:
    """A cancelled run that trained all adapters, or one that only answers, with the adapters of `base`."""
    config = {"run": {"stages": ["group_planning"] if base else ["differentiation"], "base": base}}
    folder = new_run(project_root, "quick", config, now=datetime(2026, 11, 22, 14, minute))
    with LogWriter(folder) as log:
        log.append(happened.RunOpened(1, 77, "here", "SmolLM2-135M cpu", config))
        for role in ("plan", "tool", "reflect"):
            log.append(happened.AdapterReady(Adapter(role, f"adapters/{role}", "00ff", 39, 0.4)))
            (folder.adapters / role).mkdir(parents=True)
            (folder.adapters / role / "README.md").write_text("an adapter", encoding="utf-8")
        log.append(happened.StageFinished("differentiation", 3, 90.0))
        log.append(happened.RunCancelled())
    return folder


def step(role: str, number: int, of: int) -> happened.TrainStepped:
    """The `number`th step; in the log they count from 0."""
    loss = 0.4 + 2.6 / (1 + number / 6) + (0.15 if number % 4 == 0 else 0)
    return happened.TrainStepped(role, number - 1, of, loss, 1e-3, 0.8, 400, 210.0)


def finished() -> list[Event]:
    """All six stages; the group is right three times in four, the meta-agent once."""
    right = {"group": 3, "meta": 1}
    solved = [
        happened.QuestionSolved(
            cast,
            trajectory(f"{cast}-{n}", "Beethoven" if n < count else HOSTILE, cast),
            float(n < count),
            float(n < count),
            scored=True,
            seconds=2.5,
            tokens=400,
        )  # fmt: skip
        for cast, count in right.items()
        for n in range(4)
    ]
    return [
        *training(),
        *[step("tool", n, 60) for n in range(31, 61)],
        *[step("reflect", n, 60) for n in range(1, 61)],
        happened.StageFinished("differentiation", 3, 90.0),
        happened.StageStarted("group_planning", 8),
        *solved,
        happened.StageFinished("group_planning", 8, 20.0),
        happened.RunFinished(),
    ]


def screen_text(app: App[str]) -> str:
    """What a person reads: the terminal as the app has drawn it, where what it writes is kept (see seen.py)."""
    drawn = seen.rows(app)
    rows = drawn or [strip.text for strip in app.screen._compositor.render_strips()]
    return "\n".join(rows).replace("\N{NO-BREAK SPACE}", " ")
