"""Follows the runs of a project: one timer polls the list and one run's log, and one message reports changes.

A busy run is polled often. A quiet one is polled when inotify reports a write, and otherwise rarely.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from textual.message import Message
from textual.message_pump import MessagePump
from textual.timer import Timer

from autoact.run.process.leading import leading_run
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.run.record.watch import Watch
from studio.runs.loss_series import Series
from studio.runs.run_list import ALIVE, RunLine, RunList, run_verdict
from studio.runs.run_tail import RunTail

BUSY_S, IDLE_S, QUIET_S, AT_ONCE_S = 0.1, 0.25, 1.0, 0.001
"""Seconds to the next poll: after a change, after none, for a quiet run, and while a long log is read."""
QUIET_AFTER = 8
"""Polls without a change after which a run is quiet. What no write announces, such as a dead job, is then seen late."""
LIST_EVERY_S, LIST_SHARE = 2.0, 0.003
"""Least seconds between two readings of the run list, and the share of a core that they may take."""


class RunChanged(Message):
    """Posted when the followed run or the list of runs has changed."""

    def __init__(self, follow: Follow):
        self.follow = follow
        super().__init__()


class Follow:
    """The runs of a project and the state of the followed one. It only reads, so closing it changes no run."""

    def __init__(self, project_root: Path, owner: MessagePump):
        """`owner` runs the timer and receives the messages."""
        self.run_list = RunList(project_root)
        self.verdict = "reading"
        """Verdict on the followed run; `reading` until its log has been read once."""
        self._tail: RunTail | None = None
        self._watch: Watch | None = None
        self._quiet = 0
        """Polls in a row without a change."""
        self._owner = owner
        self._timer: Timer | None = None
        self._list_due = 0.0
        self._new = True
        """Whether there was no poll yet."""
        self._ends = False
        """Whether polling ends once the log has been read."""

    @property
    def name(self) -> str:
        """Name of the followed run; empty while there is none."""
        return self._tail.folder.name if self._tail else ""

    @property
    def folder(self) -> RunFolder | None:
        """Folder of the followed run; None while there is none."""
        return self._tail.folder if self._tail else None

    @property
    def line(self) -> RunLine | None:
        """The followed run in the list of runs; None while there is none."""
        return next((run for run in self.run_list.runs if run.folder.name == self.name), None)

    @property
    def state(self) -> RunState:
        """State of the followed run; an empty state while there is none."""
        return self._tail.state if self._tail else RunState()

    @property
    def validation_losses(self) -> dict[str, Series]:
        return self._tail.validation_losses if self._tail else {}

    @property
    def losses(self) -> dict[str, Series]:
        return self._tail.losses if self._tail else {}

    @property
    def alive(self) -> list[RunLine]:
        """The runs of the project that have a job."""
        return [run for run in self.run_list.runs if run.alive]

    def show(self, name: str = "") -> None:
        """Follows another run: the one of this name; without a name, the leading one."""
        self.close()
        self.run_list.follow(None)
        self._refresh_list()
        named = next((run for run in self.run_list.runs if run.folder.name == name), None)
        line = named if name else leading_run(self.run_list.runs)
        self._tail = RunTail(line.folder) if line else None
        self.verdict = "reading"

    def start(self) -> None:
        """Polls now, and sets the timer for the next poll."""
        self._ends = False
        self._poll()

    def _poll(self) -> None:
        self.stop()
        self._watch_files()
        changed = self.refresh()
        if changed:
            self._owner.post_message(RunChanged(self))
        behind = self._tail is not None and self._tail.behind
        self._quiet = 0 if changed or behind else self._quiet + 1
        if behind or not self._ends:
            pause = AT_ONCE_S if behind else BUSY_S if changed else self._pause
            self._timer = self._owner.set_timer(pause, self._poll)

    @property
    def _pause(self) -> float:
        """Seconds to the next poll after one without a change; without inotify, a running job is never quiet."""
        watched = self._watch is not None and self._watch.fileno() >= 0
        return QUIET_S if self._quiet >= QUIET_AFTER and (watched or self.verdict not in ALIVE) else IDLE_S

    def finish(self) -> None:
        """Stops as soon as the log has been read, so that what is seen behind a dialog is not half read."""
        self._ends = True
        if self.verdict != "reading":
            self.stop()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def close(self) -> None:
        """Stops following and closes the files."""
        self.stop()
        if self._tail is not None:
            self._tail.close()
            self._tail = None
        if self._watch is not None:
            if self._watch.fileno() >= 0:
                asyncio.get_running_loop().remove_reader(self._watch.fileno())
            self._watch.close()
            self._watch = None

    def refresh(self) -> bool:
        """Reads what is new in the list and the log; returns whether anything changed."""
        changed, self._new = self._new, False
        if time.monotonic() >= self._list_due:
            changed |= self._refresh_list()
        return self._read() or changed

    def _refresh_list(self) -> bool:
        began = time.thread_time()
        changed = self.run_list.refresh()
        self._list_due = time.monotonic() + max(LIST_EVERY_S, (time.thread_time() - began) / LIST_SHARE)
        return changed

    def _watch_files(self) -> None:
        if self._watch is None and self._tail is not None:
            self._watch = Watch(self._tail.folder.events, self._tail.folder.live)
            if self._watch.fileno() >= 0:
                asyncio.get_running_loop().add_reader(self._watch.fileno(), self._on_write)

    def _on_write(self) -> None:
        """Polls at once, unless the last poll saw a change: then the next one is due soon anyway."""
        if self._watch is not None and self._watch.read_changes() and self._quiet:
            self._poll()

    def _read(self) -> bool:
        tail, before = self._tail, self.verdict
        if tail is None:
            return False
        read = tail.read()
        if tail.behind:
            return False
        self.verdict = run_verdict(tail.folder, tail.state)
        if changed := read or self.verdict != before:
            self.run_list.follow(RunLine(tail.folder, self.verdict, tail.state))
        return changed
