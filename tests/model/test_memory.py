"""Caches stay within the free memory, what would not fit is refused, and freed memory goes back to the system."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, LlamaConfig

from autoact.errors import ContextFull
from autoact.model import memory
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.model.memory import EPISODE, SHARE, free_memory, release_memory, token_bytes
from autoact.model.store import Weights
from autoact.run.process.heartbeat import resident_mb
from autoact.script import Answer, Ask, Prompt


def bytes_for(weights: Weights, tokens: int) -> int:
    """The free memory of which the caches' share holds so many tokens."""
    return int(tokens * token_bytes(weights.model.config, torch.float32) / SHARE) + 1


def test_lanes_without_memory_are_left_out_and_the_name_tells(weights: Weights) -> None:
    engine = LocalEngine(weights, 24, bytes_for(weights, 5 * EPISODE))
    assert engine.lanes == 5
    assert engine.name.endswith("5 of 24 lanes, as the memory for caches is short")
    assert LocalEngine(weights, 24).lanes == LocalEngine(weights, 24, 10**10).lanes == 24
    assert LocalEngine(weights, 24, 0).lanes == 1


@pytest.mark.parametrize(("tokens", "answer"), [(1, Answer), (1024, ContextFull)])
def test_an_ask_without_memory_is_refused(weights: Weights, tokens: int, answer: type) -> None:
    engine = LocalEngine(weights, 2, bytes_for(weights, 512))
    engine.submit(Ticket("t", 0), Ask("meta", "thought", Prompt("Do.", "x" * tokens), limit=3), 1)
    for _ in range(10):
        for _, found in engine.step():
            assert isinstance(found, answer)
            return
    raise AssertionError("no answer")


def test_rows_never_take_more_than_the_memory(weights: Weights) -> None:
    """Six episodes in memory for two rows: the others wait, and all are answered."""
    engine = LocalEngine(weights, 6, bytes_for(weights, 512))
    engine.lanes = 6
    engine.release()
    for number in range(6):
        engine.submit(Ticket(f"t-{number}", 0), Ask("meta", "thought", Prompt("Do.", f"{number}" * 100), limit=3), 1)
    found: dict[Ticket, Any] = {}
    while len(found) < 6:
        found.update(engine.step())
        assert len(engine.rows.rows) * engine.rows.cache.capacity <= 512
    assert all(isinstance(one, Answer) for one in found.values())


def test_a_token_takes_keys_and_values_in_every_layer() -> None:
    llama = LlamaConfig(
        num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, hidden_size=576, head_dim=64
    )
    assert token_bytes(llama, torch.bfloat16) == 2 * 30 * 3 * 64 * 2
    assert token_bytes(GPT2Config(), torch.float32) == 2 * 12 * 768 * 4


def test_free_memory_is_the_least_of_system_and_control_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 900 kB\nMemAvailable: 700 kB\n")
    monkeypatch.setattr(memory, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "memory_folders", lambda: [tmp_path])
    assert free_memory(torch.device("cpu")) == 700 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(torch.device("cpu")) == 700 * 1024
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert free_memory(torch.device("cpu")) == 3000


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="other system: not glibc")
def test_holes_in_the_heap_are_given_back() -> None:
    blocks = [bytearray(100_000) for _ in range(2_000)]  # below the size from which on each has a mapping of its own
    last = bytearray(100_000)
    full = resident_mb()
    del blocks
    release_memory()
    assert last
    assert full - resident_mb() > 150


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def without(name: object) -> object:
        asked.append(name)
        return object()

    monkeypatch.setattr(ctypes, "CDLL", without)
    release_memory()
    assert asked == [None]
