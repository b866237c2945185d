"""The log as the conductor uses it: one append that also remembers and folds, and decisions logged only once."""

from __future__ import annotations

import time
from collections.abc import Callable

from autoact.errors import DiskFull
from autoact.events import EpisodeBegun, Event, RunPaused, RunResumed
from autoact.run.process.disk_space import Ballast, roomy
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter, Record
from autoact.run.record.replay import Memory, identity
from autoact.run.record.state import RunState, fold
from autoact.script import is_fork
from autoact.trajectory import Question

RETRY = 2.0
"""Seconds between attempts to go on while the disk is full."""


class Journal:
    """A run's log with what it says so far: answers to replay, and the state everyone else folds too.

    Open it only while holding the run's lock. While the disk is full, `append` does not return: the run is paused
    until there is room, and no event is lost.
    """

    def __init__(self, folder: RunFolder, *, wait: Callable[[float], None] = time.sleep):
        """`wait` sits out the seconds to the next attempt on a full disk; what it raises comes out of `append`."""
        self.wait = wait
        self.ballast = Ballast(folder)
        self.writer = LogWriter(folder)
        self.ballast.load()
        self.memory = Memory.of(folder.events)
        self.state = RunState.of(folder.events)
        if recovered := self.writer.recovered():
            self.append(recovered)

    def append(self, event: Event) -> int:
        """Log an event, remember it, fold it. Its sequence number."""
        while True:
            try:
                return self._append(event)
            except DiskFull:
                self._wait_for_room()

    def once(self, event: Event) -> None:
        """Log a decision unless the log holds it already: a replayed stage decides again what it decided before."""
        if identity(event) not in self.memory.seen:
            self.append(event)

    def begin(self, unit: str, question: Question) -> None:
        """Log what an episode is to answer, unless the log tells it: at its end, with its parent or its command."""
        if not (is_fork(unit) or unit in self.memory.injected or self.memory.over(unit)):
            self.once(EpisodeBegun(unit, question))

    def sync(self) -> None:
        """Flush what was written, once a second at most. Raises OSError when the disk cannot: the job must stop."""
        self.writer.sync()

    def pause_for_room(self, why: str) -> None:
        """Something else than the log found the disk full: wait until there is as much room as a run needs."""
        after = RunPaused(self.state.why) if self.state.status == "paused" else RunResumed()
        self.append(RunPaused(f"disk full: {why}"))
        while not roomy(self.ballast.path.parent):
            self.wait(RETRY)
        self.append(after)

    def close(self) -> None:
        """Flush and close the log."""
        self.writer.close()
        self.ballast.drop()

    def _append(self, event: Event) -> int:
        seq = self.writer.append(event)
        self.memory.remember(event, seq)
        fold(self.state, Record(seq=seq, at=time.time(), event=event, type=str(event.__struct_config__.tag)))
        return seq

    def _wait_for_room(self) -> None:
        """The pause is told from where the ballast was, and ends only when it fits again: the run must not live on it.

        A run that was paused before is paused after, for the reason it was.
        """
        after = RunPaused(self.state.why) if self.state.status == "paused" else RunResumed()
        self.ballast.drop()
        told = False
        while True:
            told = told or self._fits(RunPaused("disk full"))
            self.wait(RETRY)
            if self.ballast.load():
                if not told or self._fits(after):
                    return
                self.ballast.drop()

    def _fits(self, event: Event) -> bool:
        try:
            self._append(event)
        except DiskFull:
            return False
        return True
