"""Follows a project's runs and tails one of them. One timer, one message; widgets draw only when it comes.

A run that rests is looked at as soon as the kernel tells of a write, and otherwise seldom; a busy one often.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from textual.message import Message
from textual.message_pump import MessagePump
from textual.timer import Timer

from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.run.record.watch import Watch
from studio.runs.loss_series import Series
from studio.runs.run_list import ALIVE, RunLine, RunList, leading_run, run_verdict
from studio.runs.run_tail import RunTail

BUSY, IDLE, REST, AT_ONCE = 0.1, 0.25, 1.0, 0.001
"""Seconds to the next look: while the run moves, while it does not, once it rests, and while a long log is read."""
QUIET = 8
"""Looks without news after which a run rests: then only what needs no write is missed, as that its job died."""
LIST_EVERY, LIST_SHARE = 2.0, 0.001
"""Seconds between looks at the list of runs, and the share of a core that they may take: longer for a long list."""


class RunChanged(Message):
    """Something about the followed project changed."""

    def __init__(self, follow: Follow):
        self.follow = follow
        super().__init__()


class Follow:
    """What a project's run screen shows. Owns nothing: closing it changes nothing in any run."""

    def __init__(self, project_root: Path, owner: MessagePump):
        """`owner` lends its timer and gets the messages."""
        self.run_list = RunList(project_root)
        self.verdict = "reading"
        """How the tailed run is; `reading` until its log has been read for the first time."""
        self._tailed: RunTail | None = None
        self._watch: Watch | None = None
        self._quiet = 0
        """Looks in a row at which nothing moved."""
        self._owner = owner
        self._timer: Timer | None = None
        self._list_due = 0.0
        self._new = True
        """Not looked at yet."""

    @property
    def name(self) -> str:
        """Of the run that is tailed; empty while there is none."""
        return self._tailed.folder.name if self._tailed else ""

    @property
    def folder(self) -> RunFolder | None:
        """Of the run that is tailed."""
        return self._tailed.folder if self._tailed else None

    @property
    def state(self) -> RunState:
        """Of the tailed run; that of no events while there is none."""
        return self._tailed.state if self._tailed else RunState()

    @property
    def losses(self) -> dict[str, Series]:
        return self._tailed.losses if self._tailed else {}

    @property
    def alive(self) -> list[RunLine]:
        """The project's runs that have a job."""
        return [run for run in self.run_list.runs if run.alive]

    def show(self, name: str = "") -> None:
        """Tail another run: that of this name; without one, the run that leads the list."""
        self.close()
        self._look_at_list()
        named = next((run for run in self.run_list.runs if run.folder.name == name), None)
        line = named if name else leading_run(self.run_list.runs)
        self._tailed = RunTail(line.folder) if line else None
        self.verdict = "reading"

    def start(self) -> None:
        """Look now, then again and again."""
        self.stop()
        self._listen()
        moved = self.look()
        if moved:
            self._owner.post_message(RunChanged(self))
        behind = self._tailed is not None and self._tailed.behind
        self._quiet = 0 if moved or behind else self._quiet + 1
        self._timer = self._owner.set_timer(AT_ONCE if behind else BUSY if moved else self._pause, self.start)

    @property
    def _pause(self) -> float:
        """Where the kernel tells nothing, a run at work does not rest."""
        woken = self._watch is not None and self._watch.fileno() >= 0
        return REST if self._quiet >= QUIET and (woken or self.verdict not in ALIVE) else IDLE

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def close(self) -> None:
        """Let go of the run."""
        self.stop()
        if self._tailed is not None:
            self._tailed.close()
            self._tailed = None
        if self._watch is not None:
            if self._watch.fileno() >= 0:
                asyncio.get_running_loop().remove_reader(self._watch.fileno())
            self._watch.close()
            self._watch = None

    def look(self) -> bool:
        """Take in what happened since the last look; whether there is something new to draw."""
        moved, self._new = self._new, False
        if time.monotonic() >= self._list_due:
            moved |= self._look_at_list()
        return self._read() or moved

    def _look_at_list(self) -> bool:
        begun = time.thread_time()
        moved = self.run_list.look()
        self._list_due = time.monotonic() + max(LIST_EVERY, (time.thread_time() - begun) / LIST_SHARE)
        return moved

    def _listen(self) -> None:
        if self._watch is None and self._tailed is not None:
            self._watch = Watch(self._tailed.folder.events, self._tailed.folder.live)
            if self._watch.fileno() >= 0:
                asyncio.get_running_loop().add_reader(self._watch.fileno(), self._woken)

    def _woken(self) -> None:
        """Look at once, unless the last look saw something: then the next one is near, and screens have their pace."""
        if self._watch is not None and self._watch.changed() and self._quiet:
            self.start()

    def _read(self) -> bool:
        tailed, before = self._tailed, self.verdict
        if tailed is None:
            return False
        read = tailed.read()
        if tailed.behind:
            return False
        self.verdict = run_verdict(tailed.folder, tailed.state)
        return read or self.verdict != before
