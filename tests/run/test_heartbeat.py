"""The heartbeat."""

from __future__ import annotations

import os

from autoact.run.process.heartbeat import Heartbeat, read_heartbeat, resident_mb
from autoact.run.record.folder import RunFolder

BEAT = Heartbeat(os.getpid(), 7, "synthesis", 1, 9, 40, 55.5, 1_000_000.0)


def test_a_heartbeat_is_read_back_and_a_broken_one_is_none(folder: RunFolder) -> None:
    assert read_heartbeat(folder) is None
    BEAT.write(folder)
    assert read_heartbeat(folder) == BEAT
    folder.heartbeat.write_bytes(b"{")
    assert read_heartbeat(folder) is None
    assert resident_mb() > 1
