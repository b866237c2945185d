"""The conductor's access to the log: an append that also updates replay memory and run state."""

from __future__ import annotations

import time
from collections.abc import Callable

from autoact.errors import DiskFull
from autoact.events import EpisodeBegun, Event, RunPaused, RunResumed
from autoact.run.process.disk_space import ReserveFile, has_room
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter, Record
from autoact.run.record.replay import Memory, identity
from autoact.run.record.state import RunState, fold
from autoact.script import is_fork
from autoact.trajectory import Question

RETRY = 2.0
"""Seconds between attempts to go on while the disk is full."""


class Journal:
    """A run's log with the replay memory and the state computed from it.

    Open it only while holding the run's lock. While the disk is full, `append` does not return: the run is paused
    until there is room, and no event is lost.
    """

    def __init__(self, folder: RunFolder, *, wait: Callable[[float], None] = time.sleep):
        """`wait` sleeps for the seconds to the next attempt on a full disk; `append` passes on its exceptions."""
        self.wait = wait
        self.reserve = ReserveFile(folder)
        self.writer = LogWriter(folder)
        self.reserve.create()
        self.memory = Memory.of(folder.events)
        self.state = RunState.of(folder.events)
        if recovery := self.writer.recovery_event():
            self.append(recovery)

    def append(self, event: Event) -> int:
        """Logs an event and applies it to memory and state. Returns its sequence number."""
        while True:
            try:
                return self._append(event)
            except DiskFull:
                self._wait_for_room()

    def append_once(self, event: Event) -> None:
        """Logs a decision unless the log holds it already: a replayed stage makes the same decisions again."""
        if identity(event) not in self.memory.seen:
            self.append(event)

    def begin(self, unit: str, question: Question) -> None:
        """Logs the question of an episode, unless the log holds it: in a fork, a command, or the episode's end."""
        if not (is_fork(unit) or unit in self.memory.injected or self.memory.has_ended(unit)):
            self.append_once(EpisodeBegun(unit, question))

    def sync(self) -> None:
        """Flushes the log, at most once a second. Raises OSError when the disk fails: the job must then stop."""
        self.writer.sync()

    def pause_for_room(self, why: str) -> None:
        """Pauses the run until the disk has as much room as a run needs; called when another file did not fit."""
        after = RunPaused(self.state.why) if self.state.status == "paused" else RunResumed()
        self.append(RunPaused(f"disk full: {why}"))
        while not has_room(self.reserve.path.parent):
            self.wait(RETRY)
        self.append(after)

    def close(self) -> None:
        """Flushes and closes the log, and deletes the reserve file."""
        self.writer.close()
        self.reserve.delete()

    def _append(self, event: Event) -> int:
        seq = self.writer.append(event)
        self.memory.remember(event, seq)
        fold(self.state, Record(seq=seq, at=time.time(), event=event, type=str(event.__struct_config__.tag)))
        return seq

    def _wait_for_room(self) -> None:
        """Deletes the reserve file, logs the pause into its room, and returns when the file fits again.

        The run resumes only then, so that it never needs the reserve for its own events. A run that was paused before
        is paused afterwards, for the same reason.
        """
        after = RunPaused(self.state.why) if self.state.status == "paused" else RunResumed()
        self.reserve.delete()
        logged = False
        while True:
            logged = logged or self._try_append(RunPaused("disk full"))
            self.wait(RETRY)
            if self.reserve.create():
                if not logged or self._try_append(after):
                    return
                self.reserve.delete()

    def _try_append(self, event: Event) -> bool:
        """Logs an event; returns False when the disk is full."""
        try:
            self._append(event)
        except DiskFull:
            return False
        return True
