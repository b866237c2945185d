"""Freed memory goes back to the system."""

from __future__ import annotations

import ctypes

import pytest

from autoact.model import heap
from autoact.run.process.heartbeat import resident_mb


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="other system: not glibc")
def test_holes_in_the_heap_are_given_back() -> None:
    blocks = [bytearray(100_000) for _ in range(2_000)]  # below the size from which on each has a mapping of its own
    last = bytearray(100_000)
    full = resident_mb()
    del blocks
    heap.release_memory()
    assert last
    assert full - resident_mb() > 150


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def without(name: object) -> object:
        asked.append(name)
        return object()

    monkeypatch.setattr(ctypes, "CDLL", without)
    heap.release_memory()
    assert asked == [None]
