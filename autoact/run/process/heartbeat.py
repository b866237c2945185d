"""A job's heartbeat: pulse.json, replaced every two seconds."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.trajectory import Count, Quantity

EVERY = 2.0
"""Seconds between beats."""


class Pulse(Struct, frozen=True, omit_defaults=True):
    """What a job says of itself every two seconds."""

    pid: Count
    seq: Count
    """Of the last event it wrote."""
    stage: str
    done: Count
    of: Count
    tick: Count
    """Rises whenever anything moves: a token, an answer, a training step."""
    rss_mb: Quantity
    at: Quantity
    """Unix seconds."""
    ticked_at: Quantity = 0.0
    """When `tick` last rose, unix seconds; 0 when the job does not say."""
    waiting: bool = False
    """A request is in flight, or a model loads: stillness is no fault of the job."""
    doing: str = ""
    """What is waited for, in words; empty when it is the model's next answer."""
    cpu_s: float = 0.0
    """Processor seconds that the job used since `tick` last rose."""

    def write(self, folder: RunFolder) -> None:
        """Put it in place whole; what is no file there makes way. Not flushed: it need not outlive the power."""
        disk.clear_path(folder.pulse)
        disk.replace(folder.pulse, msgspec.json.encode(self), durable=False)


def read_pulse(folder: RunFolder) -> Pulse | None:
    """The last heartbeat; None when there is none, or none that can be read."""
    return disk.try_read_struct(folder.pulse, Pulse)


def resident_mb() -> float:
    """Memory this process occupies, in MB; 0 where the system does not tell."""
    source = Path("/proc/self/statm")
    return int(source.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if source.exists() else 0.0
