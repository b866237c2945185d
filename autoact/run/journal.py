"""The log as the conductor uses it: one append that also remembers and folds, and decisions logged only once."""

from __future__ import annotations

import time

from autoact.events import Event
from autoact.run.folder import RunFolder
from autoact.run.log import LogWriter, Record
from autoact.run.memory import Memory, identity
from autoact.run.state import RunState, fold


class Journal:
    """A run's log with what it says so far: answers to replay, and the state everyone else folds too.

    Open it only while holding the run's lock.
    """

    def __init__(self, folder: RunFolder):
        self.writer = LogWriter(folder)
        self.memory = Memory.of(folder.events)
        self.state = RunState.of(folder.events)
        if recovered := self.writer.recovered():
            self.append(recovered)

    def append(self, event: Event) -> int:
        """Log an event, remember it, fold it. Its sequence number."""
        seq = self.writer.append(event)
        self.memory.remember(event)
        fold(self.state, Record(seq=seq, at=time.time(), event=event, type=str(event.__struct_config__.tag), v=1))
        return seq

    def once(self, event: Event) -> None:
        """Log a decision unless the log holds it already: a replayed stage decides again what it decided before."""
        if identity(event) not in self.memory.seen:
            self.append(event)

    def close(self) -> None:
        """Flush and close the log."""
        self.writer.close()
