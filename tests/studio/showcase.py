"""A project with something in every pane, the same on every machine and on every day."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from stories import finished, synthesis, training

import autoact.events as happened
from autoact.events import Event
from autoact.run.process.heartbeat import Heartbeat
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder, to_toml
from autoact.run.record.log import seal_event
from autoact.security import trust
from autoact.trajectory import Question, Step, Trajectory

PROJECT = """\
[task]
name = "Composers and their works"
description = "Answer the question with facts from a small encyclopedia of music."
"""
EXAMPLES = (
    ("Who wrote Fidelio?", "Beethoven"),
    ("Who wrote the opera Fidelio?", "Ludwig van Beethoven"),
    ("In what year was the composer of the Magic Flute born?", "1756"),
    ("Is Aida an opera?", "yes"),
    ("作曲家是谁创作了《图兰朵》?", "Puccini"),
)
ASKED = Question("asked-0001", "Who wrote the opera Fidelio, and where was he born?")
AT_WORK = ("2026-11-22T1430-full-7d3c", "2026-11-21T1805-quick-91fe")
"""Runs in training and in synthesis."""
FAR = 1e12
"""A heartbeat that is never too long ago, however slow the machine."""
TOOLS = (
    ("Retrieve", "builtin", "ready", "on", "Opens the page with the given title and shows how it begins.", "Fidelio"),
    ("Lookup", "builtin", "ready", "on", "Finds the next sentence with these words on the open page.", "born"),
    ("WebSearch", "builtin", "offline", "on", "Searches the web.", "composer of Fidelio"),
    ("Calculator", "builtin", "ready", "off", "Works out a formula.", "1827 - 1770"),
    ("Image2Text", "builtin", "needs-package", "on", "Says what can be read in a picture.", "score.png"),
    ("KnowledgeGraph", "builtin", "needs-key", "known", "Queries a graph of facts.", "SELECT ?x WHERE {}"),
    ("CodeInterpreter", "builtin", "ready", "known", "Runs a program.", "print(1)"),
    ("rivers.depth", "mcp", "refused", "on", "[b]Deep[/b] \x1b[31mwater\x1b[0m.", "Elbe"),
)  # fmt: skip


def showcase(root: Path) -> Path:
    """Four runs: one over, a session, and two at work."""
    folder = root / "composers"
    folder.mkdir(parents=True)
    (folder / "project.toml").write_text(PROJECT, encoding="utf-8")
    lines = [json.dumps({"question": question, "answer": answer}) for question, answer in EXAMPLES]
    (folder / "examples.jsonl").write_text("\n".join([*lines, '{"question": "Who?"}', ""]), encoding="utf-8")
    told(folder, "2026-11-20T0915-quick-0a1b", finished(), {"model": {"id": "smollm2-135m-instruct", "seed": 3}})
    told(folder, "2026-11-21T1030-session-5e55", session(), {"run": {"stages": ["session"]}})
    told(folder, AT_WORK[1], synthesis(), {"model": {"id": "smollm2-135m-instruct"}})
    told(folder, AT_WORK[0], training(), {"model": {"id": "smollm2-135m-instruct"}})
    trust.trust_project(folder)
    return folder


def told(project: Path, name: str, events: Sequence[Event], config: dict[str, object]) -> RunFolder:
    """A trusted run of this name; an event every half second from the time in its name on."""
    folder = RunFolder(project / "runs" / name)
    folder.path.mkdir(parents=True)
    trust.mark_trusted(folder.path)
    folder.config.write_text(to_toml(config), encoding="utf-8")
    began = datetime.strptime(name[:15], "%Y-%m-%dT%H%M").replace(tzinfo=UTC).timestamp()
    folder.events.write_bytes(b"".join(seal_event(seq, began + seq / 2, event) for seq, event in enumerate(events)))
    return folder


@contextlib.contextmanager
def at_work(folder: RunFolder) -> Iterator[None]:
    """As if a job held the run, for as long as it takes."""
    with RunLock.take(folder):
        Heartbeat(Owner.of_this_process().pid, 0, "", 0, 0, 1, 1.0, at=FAR).write(folder)
        yield


def session() -> list[Event]:
    """The same question for two casts, and what came of each."""
    return [
        happened.RunOpened(1, 77, "here"),
        happened.StageStarted("session"),
        *answered("asked-group", "group", "Beethoven, in Bonn"),
        *answered("asked-meta", "meta", "Bonn[/b]"),
    ]


def answered(unit: str, cast: str, answer: str) -> list[Event]:
    """A question with all its turns."""
    plan, tool, reflect = ("plan", "tool", "reflect") if cast == "group" else ("meta",) * 3
    page = "Fidelio is the only opera by Ludwig van Beethoven, who was born in Bonn in 1770."
    said: list[Event] = [
        happened.ModelAnswered(unit, 0, "d", plan, "thought", "I need the composer of Fidelio.", (1,) * 9, ms=500),
        happened.ModelAnswered(unit, 1, "d", plan, "action", " Retrieve\n", (1,), ms=100),
        happened.ModelAnswered(unit, 2, "d", tool, "argument", "Fidelio", (1, 2), ms=1500),
        happened.ToolObserved(unit, 3, "d", "Retrieve", "Fidelio", page, ms=20),
        happened.ModelAnswered(unit, 4, "d", plan, "thought", "Beethoven, born in Bonn.", (1,) * 6, ms=700),
        happened.ModelAnswered(unit, 5, "d", plan, "action", " Finish\n", (1,), ms=100),
        happened.ModelAnswered(unit, 6, "d", tool, "argument", answer, (1,) * 5, ms=400),
        happened.ModelAnswered(unit, 7, "d", reflect, "reflection", "The page says so.", (1,) * 4, ms=300),
        happened.ModelAnswered(unit, 8, "d", reflect, "verdict", " right", (1,), ms=100),
    ]
    steps = (Step("I need the composer of Fidelio.", "Retrieve", "Fidelio", page),)
    made = Trajectory(unit, ASKED, steps, answer, "right", cast=cast)
    return [happened.QuestionInjected(unit, ASKED, cast, f"c-{unit}"), *said, happened.QuestionSolved(cast, made)]


def tools() -> str:
    """What `autoact tools list --json` would print."""
    found = [
        {
            "name": name, "kind": kind, "state": state, "reason": "", "definition": definition,
            "usage": f"{name}[{example}]", "listed": listed, "powers": ["files"] if kind == "mcp" else [],
            "settings": {"timeout_s": 10.0},
            "stats": {"calls": 746, "failed": 5, "empty": 74, "p50_ms": 0.4, "p95_ms": 2.0, "trajectories": 60,
                      "right": 41}
            if name == "Retrieve" else None,
        }
        for name, kind, state, listed, definition, example in TOOLS
    ]  # fmt: skip
    return json.dumps(found)
