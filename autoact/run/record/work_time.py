"""The time during which a job of a run was at work, from the times of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoact.events import RunOpened

if TYPE_CHECKING:
    from autoact.run.record.log import Record
    from autoact.run.record.state import RunState


def work_before(state: RunState, record: Record) -> float:
    """Returns the seconds from a state to the next record, 0 if no job was running meanwhile."""
    begins = isinstance(record.event, RunOpened) and record.event.attempt > state.attempt
    waited = begins or state.seq < 0 or state.status in ("finished", "failed", "cancelled")
    return 0.0 if waited else max(0.0, record.at - state.at)
