"""A job's heartbeat: a JSON file in the run's folder, replaced every two seconds."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.files import disk, json_file
from autoact.run.record.folder import RunFolder
from autoact.trajectory import Count, Quantity

INTERVAL = 2.0
"""Seconds between two heartbeats."""


class Heartbeat(Struct, frozen=True, omit_defaults=True):
    """The status that a job reports every two seconds."""

    pid: Count
    seq: Count
    """The sequence number of the last event it wrote."""
    stage: str
    done: Count
    of: Count
    tick: Count
    """A counter that rises with any progress: a token, an answer, a training step."""
    rss_mb: Quantity
    at: Quantity
    """Unix seconds."""
    ticked_at: Quantity = 0.0
    """The time at which `tick` last rose, unix seconds; 0 when unknown."""
    waiting: bool = False
    """True while a request is unanswered or a model loads, so that no progress is expected."""
    doing: str = ""
    """The activity that is waited for, in words; empty when it is the model's next answer."""
    cpu_s: float = 0.0
    """Processor seconds that the job used since `tick` last rose."""

    def write(self, folder: RunFolder) -> None:
        """Replaces the file atomically, without a flush. Anything at its path that is not a file is removed."""
        disk.clear_path(folder.heartbeat)
        disk.replace(folder.heartbeat, msgspec.json.encode(self), durable=False)


def read_heartbeat(folder: RunFolder) -> Heartbeat | None:
    """Returns the last heartbeat; None when there is none, or it cannot be read."""
    return json_file.try_read_struct(folder.heartbeat, Heartbeat)


def resident_mb() -> float:
    """Returns the resident memory of this process, in MB; 0 where the system does not report it."""
    source = Path("/proc/self/statm")
    return int(source.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if source.exists() else 0.0
