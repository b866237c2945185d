"""Every way in by which text of others reaches the studio: projects whose every word is hostile."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import msgspec
from hostile import Supply
from showcase import told

import autoact.events as happened
from autoact.events import Event
from autoact.run.process.exit_record import Ending
from autoact.run.process.lock import Owner
from autoact.run.record.folder import RunFolder, to_toml
from autoact.security import trust
from autoact.trajectory import Question, Step, Trajectory, Verdict

UNITS, ROWS = 36, 40
"""Trajectories, and rows of everything else."""
ROLES = ("plan", "tool", "reflect")


def project(home: Path, supply: Supply) -> Path:
    """A project with runs in every state. The newest one is to be at work."""
    folder = home / supply.name("project names")
    folder.mkdir(parents=True)
    settings = {
        "task": {"name": supply.action("task names"), "description": supply("task descriptions")},
        "model": {"id": supply("model names")},
    }
    (folder / "project.toml").write_text(to_toml(settings), encoding="utf-8")
    (folder / "examples.jsonl").write_bytes(examples(supply))
    told(folder, f"2026-11-22T1430-{supply.name('run names')}", run(supply), settings)
    session = {"run": {"stages": ["session"]}}
    told(folder, f"2026-11-21T1030-{supply.name('run names')}", asked(supply), session)
    failed = told(folder, f"2026-11-20T1030-{supply.name('run names')}", [happened.RunFailed(supply("errors"))], {})
    failed.console.write_bytes(supply.raw("consoles"))
    dead = told(folder, f"2026-11-19T1030-{supply.name('run names')}", [happened.RunOpened(1, 1, "h")], {})
    Ending(1, supply("causes of death"), 0.0, 1.0).write(dead)
    away = told(folder, f"2026-11-18T1030-{supply.name('run names')}", [happened.RunOpened(1, 1, "h")], {})
    away.lock.write_bytes(msgspec.json.encode(Owner(supply("host names"), f"not {socket.gethostname()}", 1, 1)))
    trust.trust_project(folder)
    return folder


def broken(home: Path, supply: Supply) -> None:
    """Projects that cannot be read, for reasons that quote them."""
    for text in (f"[task]\n{json.dumps(supply('settings'))} = 1\n".encode(), supply.raw("settings")):
        folder = home / f"z{supply.name('project names')}"
        folder.mkdir(parents=True)
        (folder / "project.toml").write_bytes(text)


def examples(supply: Supply) -> bytes:
    """The file of examples, some of whose lines are none."""
    lines = [
        json.dumps({"question": supply.either("examples", n), "answer": supply.either("examples", n)}).encode()
        for n in range(ROWS)
    ]
    wrong = supply("examples").replace("\n", " ").encode()
    return b"\n".join([*lines, wrong, json.dumps({supply("examples"): 1}).encode(), b""])


def tools(supply: Supply) -> str:
    """What `autoact tools list --json` would print."""
    found = [
        {
            "name": supply.either("tool names", n), "kind": supply("tool kinds"), "state": supply("tool states"),
            "reason": supply("tool states"), "definition": supply.either("tool descriptions", n),
            "usage": supply.either("tool descriptions", n), "listed": "on", "powers": [supply("tool powers")],
            "settings": {supply("tool settings"): supply("tool settings")},
        }
        for n in range(ROWS)
    ]  # fmt: skip
    return json.dumps(found)


def run(supply: Supply) -> list[Event]:
    """Questions made, trajectories kept and dropped, three episodes in flight."""
    return [
        happened.RunOpened(1, 77, supply("host names"), supply("engines")),
        happened.StageStarted("self_instruct", 3),
        *(event for n in range(ROWS) for event in drafted(supply, n)),
        happened.StageFinished("self_instruct", 3, 1.0),
        *(happened.ToolSelected(supply("reasons"), supply("reasons")) for _ in range(3)),
        happened.StageStarted("synthesis", 3),
        *(event for n in range(UNITS) for event in tried(supply, n)),
        *(happened.UnitFailed(f"f-{n}", supply.either("errors", n)) for n in range(3)),
        *[happened.ExamplesBuilt(role, 13, 39, 800) for role in ROLES],
        *(happened.TrainStepped(supply("roles"), n, 60, 1.0, 1e-3, 0.8, 400, 210.0) for n in range(3)),
        *(happened.TrainStepped(role, n, 60, 1.0 / (n + 1), 1e-3, 0.8, 400, 210.0) for role in ROLES for n in range(9)),
        *(solved(supply, n) for n in range(ROWS)),
        *(event for n in range(3) for event in flying(supply, n)),
        happened.CommandRefused(supply("commands"), supply("commands")),
        happened.RunPaused(supply("reasons")),
    ]


def drafted(supply: Supply, n: int) -> list[Event]:
    question = Question(f"s-{n}", supply.either("practice questions", n), supply.either("practice questions", n))
    refused = happened.QuestionRefused(f"x-{n}", supply("practice questions"), supply("reasons"))
    return [happened.QuestionAccepted(question), refused]


def tried(supply: Supply, n: int) -> list[Event]:
    """A trajectory with its judgement."""
    unit = f"{n:02}{supply('units')[:40]}"
    question = Question(unit, supply.either("questions", n), supply("questions"))
    done = Trajectory(unit, question, (step(supply),), supply("answers"))
    return [
        happened.ModelAnswered(unit, 0, "d", "meta", "thought", supply("model answers")),
        happened.TrajectoryCommitted(done),
        happened.TrajectoryJudged(Verdict(unit, n % 2 == 0, 0.5, supply("reasons"))),
    ]


def step(supply: Supply) -> Step:
    return Step(supply("model answers"), supply("tool names"), supply("arguments"), supply("observations"))


def solved(supply: Supply, n: int) -> Event:
    text, answer = supply.either("questions", n), supply("answers")
    question = Question(f"h-{n}", text, answer, "heldout", supply("levels"), supply("levels"))
    done = Trajectory(
        f"g-{n}", question, (step(supply),), supply.either("answers", n), supply("verdicts"), cast="group"
    )
    return happened.QuestionSolved("group", done, 0.0, 0.0, scored=True)


def flying(supply: Supply, n: int) -> list[Event]:
    """An episode in flight: what it says is in the list, in the lanes and in the transcript."""
    unit = f"!{n}"
    said: list[Event] = [happened.EpisodeBegun(unit, Question(unit, supply.either("questions", n)))]
    for at in range(0, 12, 3):
        said += [
            happened.ModelAnswered(unit, at, "d", "meta", supply("parts"), supply("model answers")),
            happened.ModelAnswered(  # the first ones in few words: their lines of the log are read to the end
                unit, at + 1, "d", supply.either("roles", at), "action", supply.either("model answers", at)
            ),
            happened.ToolObserved(
                unit,
                at + 2,
                "d",
                supply.either("tool names", at),
                supply.either("arguments", at),
                supply.either("observations", at),
            ),
        ]
    return said


def asked(supply: Supply) -> list[Event]:
    """A session."""
    found: list[Event] = [happened.RunOpened(1, 1, "h"), happened.StageStarted("session")]
    for n in reversed(range(ROWS)):
        unit, question = f"a-{n}", Question(f"a-{n}", supply.either("session history", n))
        done = Trajectory(unit, question, (), supply.either("session history", n), supply("session history"))
        found += [
            happened.QuestionInjected(unit, question, "group", f"c-{n}"),
            happened.ModelAnswered(unit, 0, "d", "plan", "thought", supply.either("session history", n)),
            happened.ToolObserved(unit, 1, "d", "", "", supply.either("session history", n)),
            happened.UnitFailed(unit, supply("errors")) if n % 5 == 4 else happened.QuestionSolved("group", done),
        ]
    return found


def newest(folder: Path) -> RunFolder:
    """Of the runs that `project` made."""
    return RunFolder(max((folder / "runs").iterdir(), key=lambda path: path.name))
