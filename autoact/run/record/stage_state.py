"""The progress of a run's stages, and the time during which a job was at work, from the times of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoact.events import RunOpened

if TYPE_CHECKING:
    from autoact.run.record.log import Record
    from autoact.run.record.state import RunState


@dataclass(slots=True)
class StageState:
    """The progress of one stage."""

    of: int = 0
    """Amount of work expected; 0 when the stage cannot know it."""
    done: int = 0
    made: int = 0
    """Number of results; set when the stage is finished."""
    status: str = "running"
    """`running` or `finished`."""
    seconds: float = 0.0
    """Time at work on it, once it is finished."""
    started_at: float = 0.0
    """Unix seconds."""
    paced: tuple[float, int] = (0.0, 0)
    """Unix seconds and results, from which the pace is measured: of the start, or of the last time it went on."""
    tried: int = 0
    """Number of drafts written so far, in a stage that judges them later."""
    worked: float = 0.0
    """Seconds at work on it so far, in all attempts."""

    @property
    def spent(self) -> float:
        """Seconds at work on it: as the job measured them once it is finished, else up to the last event."""
        return self.seconds or self.worked

    @property
    def is_carried_over(self) -> bool:
        """True if the base run played it, and this run took its results."""
        return self.status == "finished" and not self.started_at


def work_before(state: RunState, record: Record) -> float:
    """Returns the seconds from a state to the next record, 0 if no job was running meanwhile."""
    begins = isinstance(record.event, RunOpened) and record.event.attempt > state.attempt
    waited = begins or state.seq < 0 or state.status in ("finished", "failed", "cancelled")
    return 0.0 if waited else max(0.0, record.at - state.at)
