"""F1: a job killed anywhere, again and again, loses no event that it acknowledged and asks no answered question twice.

As a script, `python test_kill_synthesis.py SEED KILLS`, it is the parent of the jobs and prints its findings.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

LANES = 4
TOLD = ("killed at work", "runs", "torn tails", "acknowledged", "lost", "asked again, not logged", "asked twice")
AGAIN = ("run.finished",)
"""A run that was killed between its last word and its end says it again."""


Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]


def test_killed_anywhere(rounds: Rounds, part: tuple[int, int], seed: int, tmp_path: Path, tell: Tell) -> None:
    kills = rounds(30, 2000 // part[1])
    command = [sys.executable, __file__, str(seed), str(kills)]
    found = subprocess.run(command, env=os.environ | own(tmp_path), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    findings = json.loads(found.stdout)
    tell("F1 a job killed in synthesis", kills, {name: findings[name] for name in TOLD})
    assert findings["kills"] == kills
    assert findings["killed at work"] > kills / 2
    assert findings["acknowledged"] > 20 * findings["runs"]
    assert {key: findings[key] for key in ("lost", "asked twice", "too many repeats", "differences")} == {
        "lost": 0, "asked twice": 0, "too many repeats": 0, "differences": [],
    }  # fmt: skip


def own(folder: Path) -> dict[str, str]:
    """Caches and settings that are not the person's, and modules that are not those of an installed package."""
    places = {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder / "config")}
    return places | {"PYTHONPATH": str(Path(__file__).parents[2])}


def main(root: Path, seed: int, kills: int) -> dict[str, Any]:
    """Runs one after another, each killed until it comes to its end, until there were so many kills."""
    from capitals import Hall, make_project, prepared, speak
    from nursery import Witness, fork, grown, mark, outlived, size

    from autoact.job.job import Job
    from autoact.model.engine import Ticket
    from autoact.model.scripted import ScriptedEngine
    from autoact.registry.stages import pipeline
    from autoact.run.record.folder import RunFolder
    from autoact.run.record.log import LogWriter
    from autoact.script import Ask

    draw, project = random.Random(seed), make_project(root / "project")
    appended = LogWriter.append

    def life(folder: RunFolder, attempt: int) -> None:
        """One job, which tells the witness what was asked and what the log has acknowledged."""
        witness = Witness(root / f"{folder.name}.witness")
        pace = random.Random(f"{seed} {folder.name} {attempt}")

        def acknowledged(self: LogWriter, event: Any) -> int:
            seq = appended(self, event)
            witness.tell("A", seq, mark(body(event)))
            if hasattr(event, "n") and hasattr(event, "ask"):
                witness.tell("L", attempt, mark(f"{event.unit} {event.n}".encode()))
            return seq

        class Told(ScriptedEngine):
            def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
                witness.tell("Q", attempt, mark(f"{ticket.unit} {ticket.n}".encode()))
                super().submit(ticket, ask, seed)

        def hesitant(ask: Ask) -> str:
            time.sleep(pace.choice((0, 0, 0.0003, 0.001)))
            return speak(ask)

        LogWriter.append = acknowledged  # type: ignore[method-assign]
        assert Job(folder, Hall(lambda folder: Told(hesitant, LANES)).open).run() == "finished"

    stages, findings = pipeline()[:4], Findings()
    clean = prepared(project, stages)
    assert outlived(fork(partial(life, clean, 0)))

    def due(folder: RunFolder) -> Callable[[], bool]:
        """Anywhere in the first half of what a job would do, between two events as well as in one."""
        return grown(folder.events, draw.uniform(0, size(clean.events) / 2), draw.choice((0, draw.uniform(0, 0.004))))

    while findings.kills < kills:
        folder, attempt = prepared(project, stages), 0
        while not outlived(fork(partial(life, folder, attempt)), due(folder) if findings.kills < kills else None):
            attempt += 1
            findings.kills += 1
        findings.take(folder, clean, Witness(root / f"{folder.name}.witness"))
    return findings.told()


def body(event: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(event)


class Findings:
    """What was seen of all runs."""

    def __init__(self) -> None:
        self.kills = self.runs = self.acknowledged = self.lost = self.asked_twice = self.too_many = self.repeats = 0
        self.torn = self.at_work = 0
        self.differences: list[str] = []

    def take(self, folder: Any, clean: Any, witness: Any) -> None:
        """Compare a run with the witness and with an undisturbed run."""
        from nursery import mark

        from autoact.run.record.log import read, scan

        log = {record.seq: mark(body(record.event)) for record in read(folder.events)}
        if scan(folder.events).damaged or sorted(log) != list(range(len(log))):
            self.differences.append(f"{folder.name}: the log is damaged")
        if shape(folder) != shape(clean):
            self.differences.append(f"{folder.name}: {diverging(shape(folder), shape(clean))}")
        self.runs += 1
        told = list(witness.told())
        for one in told:
            if one.kind == "A":
                self.acknowledged += 1
                self.lost += log.get(one.number) != one.mark
        self._asked(told)
        self.torn += sum(record.type == "run.recovered" for record in read(folder.events))
        self.at_work += len({one.number for one in told if one.kind == "Q"}) - 1

    def _asked(self, told: list[Any]) -> None:
        logged: set[int] = set()
        asked: set[int] = set()
        again: Counter[int] = Counter()
        for kind, attempt, question in told:
            if kind == "L":
                logged.add(question)
            elif kind == "Q":
                self.asked_twice += question in logged
                again[attempt] += question in asked
                asked.add(question)
        self.repeats += again.total()
        self.too_many += sum(count > LANES for count in again.values())

    def told(self) -> dict[str, Any]:
        """For the test, and for a person."""
        return {
            "kills": self.kills, "killed at work": self.at_work, "runs": self.runs, "torn tails": self.torn,
            "acknowledged": self.acknowledged, "lost": self.lost, "asked again, not logged": self.repeats,
            "asked twice": self.asked_twice, "too many repeats": self.too_many, "differences": self.differences[:5],
        }  # fmt: skip


def shape(folder: Any) -> tuple[dict[str, list[str]], Counter[str]]:
    """What a log says, times and attempts aside: each unit's answers in order, and how often everything was said."""
    import msgspec

    from autoact.run.record.log import read

    units: dict[str, list[str]] = {}
    said: Counter[str] = Counter()
    for record in read(folder.events):
        if record.type in ("run.opened", "run.recovered"):
            continue
        fields = {**msgspec.to_builtins(record.event), "ms": 0, "seconds": 0}
        line = json.dumps(fields, sort_keys=True)
        said[line] = 1 if record.type in AGAIN else said[line] + 1
        if "unit" in fields:
            units.setdefault(fields["unit"], []).append(line)
    return units, said


def diverging(one: tuple[Any, Counter[str]], other: tuple[Any, Counter[str]]) -> str:
    """Some of what only one of them says."""
    return f"too much {list(one[1] - other[1])[:3]}, too little {list(other[1] - one[1])[:3]}, or in another order"


if __name__ == "__main__":
    # In memory where that can be: what a killed process wrote is there for the next one, flushed or not.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        print(json.dumps(main(Path(folder), int(sys.argv[1]), int(sys.argv[2]))))
