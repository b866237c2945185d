"""A job's heartbeat, and what a viewer may conclude from lock, log and pulse together."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact import disk
from autoact.run import lock
from autoact.run.folder import RunFolder
from autoact.run.state import RunState

EVERY = 2.0
SILENT = 10.0
"""Seconds without a pulse after which a job that holds its lock is unresponsive."""
STILL = 60.0
"""Seconds without a tick, while nothing is being waited for, after which it is stuck."""


class Pulse(Struct, frozen=True, omit_defaults=True):
    """What a job says of itself every two seconds."""

    pid: int
    seq: int
    """Of the last event it wrote."""
    stage: str
    done: int
    of: int
    tick: int
    """Rises whenever anything moves: a token, an answer, a training step."""
    rss_mb: float
    at: float
    """Unix seconds."""
    ticked_at: float = 0.0
    """When `tick` last rose, unix seconds; 0 when the job does not say."""
    waiting: bool = False
    """A request is in flight, hence stillness is not the job's doing."""

    def write(self, folder: RunFolder) -> None:
        """Put it in place whole. Not flushed: a pulse need not outlive the power."""
        disk.replace(folder.pulse, msgspec.json.encode(self), durable=False)


def read_pulse(folder: RunFolder) -> Pulse | None:
    """The last heartbeat; None when there is none, or a power loss left a broken one."""
    try:
        return msgspec.json.decode(folder.pulse.read_bytes(), type=Pulse)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def resident_mb() -> float:
    """Memory this process occupies, in MB; 0 where the system does not tell."""
    source = Path("/proc/self/statm")
    return int(source.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if source.exists() else 0.0


def verdict(folder: RunFolder, state: RunState, *, now: float | None = None) -> str:
    """How the run is: running, paused, stuck, unresponsive, finished, failed, cancelled or interrupted.

    For runs on this host. `now` is in unix seconds and means the present when left out.
    """
    if not lock.is_held(folder):
        return state.status if state.status in ("finished", "failed", "cancelled") else "interrupted"
    now = time.time() if now is None else now
    pulse = _pulse_of_owner(folder)
    if now - (pulse.at if pulse else folder.lock.stat().st_mtime) >= SILENT:
        return "unresponsive"
    if state.status == "paused":
        return "paused"
    still = pulse is not None and not pulse.waiting and 0 < pulse.ticked_at < now - STILL
    return "stuck" if still else "running"


def _pulse_of_owner(folder: RunFolder) -> Pulse | None:
    """The pulse unless an earlier attempt left it: a job that is just starting has none, but is not silent."""
    pulse, owner = read_pulse(folder), lock.owner(folder)
    return pulse if pulse and (owner is None or owner.pid == pulse.pid) else None
