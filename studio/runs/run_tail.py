"""The state of one run, folded from its log as it grows, in portions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from autoact.events import LossValidated, TrainStepped
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
        self.validation_losses: dict[str, Series] = {}
        """The newest loss of validation at each step since the first, by role."""
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
        event = record.event
        if isinstance(event, TrainStepped):
            self.losses.setdefault(event.role, Series()).put(event.step, event.loss)
            if event.role in self.validation_losses:
                self.validation_losses[event.role].put(
                    event.step, self.validation_losses[event.role].at(event.step - 1)
                )
        elif isinstance(event, LossValidated):
            self.validation_losses.setdefault(event.role, Series()).put(max(0, event.step - 1), event.loss)
