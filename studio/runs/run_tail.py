"""The state of one run, folded from its log as it grows, in portions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from autoact.events import TrainStepped
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, Record
from autoact.run.record.state import RunState, fold
from studio.runs.loss_series import Series

MOST = 2_000
"""Records folded at a time, about 20 ms, so that a long log does not delay a key."""


class RunTail:
    """State and loss curves of one run."""

    def __init__(self, folder: RunFolder):
        self.folder = folder
        self.state = RunState()
        self.losses: dict[str, Series] = {}
        """Loss curves by role, binned for drawing."""
        self.behind = True
        """Whether the log has more than was read so far."""
        self._tail = LogTail(folder.events)
        self._records: Iterator[Record] = iter(())

    def read(self) -> bool:
        """Folds the next portion; returns whether there was any."""
        if not self.behind or self.state.seq < 0:
            self._records = self._tail.poll()
        count = 0
        for record in islice(self._records, MOST):
            self._take(record)
            count += 1
        self.behind = count == MOST
        self.state.damage, self.state.torn = self._tail.damaged, self._tail.torn()
        return count > 0

    def close(self) -> None:
        self._tail.close()

    def _take(self, record: Record) -> None:
        fold(self.state, record)
        if isinstance(record.event, TrainStepped):
            self.losses.setdefault(record.event.role, Series()).put(record.event.step, record.event.loss)
