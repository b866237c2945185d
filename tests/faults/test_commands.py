"""F11: commands under fire. Each is obeyed or refused exactly once, and none is lost after its reply.

As a script, `python test_commands.py SEED COMMANDS`, it is the parent of the jobs and the sender of the commands.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

BETWEEN_KILLS = 16
"""Commands; what the job is doing at the kill is left to chance by its pace."""


Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]


def test_under_fire(rounds: Rounds, part: tuple[int, int], seed: int, tmp_path: Path, tell: Tell) -> None:
    count = rounds(200, 5000 // part[1])
    places = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, __file__, str(seed), str(count)]
    environment = os.environ | places | {"PYTHONPATH": str(Path(__file__).parents[2])}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    findings = json.loads(found.stdout)
    tell("F11 commands under fire", findings["replied"], {
        "kills": findings["kills"], "accepted": sum(findings["accepted"].values()), "refused": findings["refused"],
        "events": findings["events"], "lost": len(findings["lost"]), "done twice": len(findings["done twice"]),
    })  # fmt: skip
    assert findings["replied"] >= count
    assert findings["kills"] >= count // BETWEEN_KILLS
    assert len(findings["accepted"]) >= 6  # of the eight kinds that are sent
    assert findings["refused"] > 0
    assert {key: findings[key] for key in ("lost", "said twice", "done twice", "without effect", "status")} == {
        "lost": [], "said twice": [], "done twice": [], "without effect": [], "status": "finished",
    }  # fmt: skip


class Fire:
    """Sends commands to one run after another, kills their jobs, and keeps every reply."""

    def __init__(self, root: Path, seed: int):
        from capitals import make_project

        self.project, self.draw = make_project(root / "project"), random.Random(seed)
        self.seed = seed
        self.sent: dict[str, Any] = {}
        self.replies: dict[str, Any] = {}
        self.kills = 0

    def begin(self) -> int:
        """Another job on the run."""
        from capitals import Hall, speak
        from nursery import fork

        from autoact.job.job import Job
        from autoact.model.scripted import ScriptedEngine
        from autoact.script import Ask

        pace = random.Random(f"{self.seed} {self.kills}")

        def hesitant(ask: Ask) -> str:
            time.sleep(pace.choice((0, 0.001, 0.002)))
            return speak(ask)

        return fork(lambda: Job(self.folder, Hall(lambda folder: ScriptedEngine(hesitant, 4)).open).run())

    def rage(self, count: int) -> dict[str, Any]:
        """Commands until `count` have their reply; then the run is let go to its end."""
        from capitals import prepared

        from autoact.registry.stages import SESSION, pipeline
        from autoact.run.control.command import Command, new_id
        from autoact.run.record.log import LogTail
        from autoact.run.record.state import RunState

        settings = {"group_planning.compare": '["meta"]', "session.idle": "2", "synthesis.samples": "4"}
        self.folder = prepared(self.project, (*pipeline()[:4], SESSION), settings)
        self.state, self.tail = RunState(), LogTail(self.folder.events)
        pid = self.begin()
        while len(self.replies) < count:
            command = self.another()
            self.sent[command.id] = command
            if len(self.sent) % BETWEEN_KILLS == 0:
                self.deliver(command, patience=0.002)  # it may be killed before, while or after it obeys
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                self.kills += 1
                pid = self.begin()
            self.deliver(command, patience=30.0)
            if self.draw.random() < 0.2:
                self.deliver(command, patience=30.0)  # the same id brings the same reply
        resume = Command(new_id(), "resume")
        self.sent[resume.id] = resume
        self.deliver(resume, patience=30.0)
        os.waitpid(pid, 0)
        return self.told()

    def another(self) -> Any:
        """A command that may or may not make sense."""
        from autoact.run.control.command import Command, new_id

        self.state.follow(self.tail)
        names = [
            *self.state.lanes.units,
            *list(self.state.trajectories)[-4:],
            *list(self.state.injected)[-4:],
            "nobody",
        ]
        unit, n = self.draw.choice(names), self.draw.randrange(6)
        do = self.draw.choice(["pause", "resume", "resume", "step", "edit", "retry", "skip", "fork", "inject"])
        text = {"edit": "Lima", "inject": "What is the capital of Peru?", "fork": self.draw.choice(["", "Lima"])}
        if do in ("pause", "resume") and self.draw.random() < 0.5:
            unit = ""
        return Command(new_id(), do, unit, n, text.get(do, ""), cast="meta")

    def deliver(self, command: Any, patience: float) -> None:
        """Until there is a reply, or patience ends."""
        from autoact.run.control.control_socket import Unreachable, send

        until = time.monotonic() + patience
        while True:
            try:
                reply = send(self.folder, command, timeout=max(0.001, until - time.monotonic()))
            except Unreachable:
                if time.monotonic() > until:
                    return
                time.sleep(0.002)
                continue
            if reply.seq < 0 and "ended before it came to this" in reply.why:
                continue
            self.note(command, reply)
            return

    def note(self, command: Any, reply: Any) -> None:
        """The same id must bring the same reply."""
        known = self.replies.setdefault(command.id, reply)
        assert known == reply, f"{command}: {known}, then {reply}"

    def told(self) -> dict[str, Any]:
        """What the log says of it all."""
        from autoact.run.record.log import read
        from autoact.run.record.state import RunState

        seqs: dict[str, list[int]] = {}
        effects: Counter[str] = Counter()
        edits: Counter[tuple[str, int]] = Counter()
        for record in read(self.folder.events):
            if record.type in ("command.accepted", "command.refused"):
                seqs.setdefault(record.event.id, []).append(record.seq)  # type: ignore[union-attr]
            elif record.type in ("unit.forked", "question.injected"):
                effects[record.event.command] += 1  # type: ignore[union-attr]
            elif record.type == "answer.edited":
                edits[record.event.unit, record.event.n] += 1  # type: ignore[union-attr]
        accepted = {id for id, reply in self.replies.items() if reply.accepted}
        does = Counter(self.sent[id].do for id in accepted)
        made = [id for id in accepted if self.sent[id].do in ("fork", "inject")]
        edited = [self.sent[id] for id in accepted if self.sent[id].do == "edit"]
        return {
            "replied": len(self.replies), "kills": self.kills, "accepted": does,
            "refused": len(self.replies) - len(accepted), "events": RunState.of(self.folder.events).seq + 1,
            "lost": [id for id, reply in self.replies.items() if not self.holds(seqs.get(id, []), reply)],
            "said twice": [id for id, found in seqs.items() if len(found) > 1],
            "done twice": [id for id, count in effects.items() if count > 1],
            "without effect": [id for id in made if not effects[id]]
            + [one.id for one in edited if not edits[one.unit, one.n]],
            "status": RunState.of(self.folder.events).status,
        }  # fmt: skip

    def holds(self, found: list[int], reply: Any) -> bool:
        """Whether the log has the event that a reply speaks of."""
        return bool(found) and (not reply.accepted or reply.seq in found)


if __name__ == "__main__":
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        print(json.dumps(Fire(Path(folder), int(sys.argv[1])).rage(int(sys.argv[2]))))
