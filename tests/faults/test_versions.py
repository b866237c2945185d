"""Logs of every version there was: they fold to what they folded to when they were written, and can be gone on with.

A new version gets a folder: a small real log, and with `python tests/faults/test_versions.py FOLDER` its states.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autoact.events import RunPaused
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter, read, scan
from autoact.run.record.state import RunState, fold

Tell = Callable[[str, int, dict[str, float | str]], None]

FIXTURES = sorted((Path(__file__).parent / "fixtures").iterdir())
MOMENTS = 4
"""States kept of a log: after a quarter of its events, a half, and so on."""


def states(log: Path) -> dict[str, Any]:
    """The state after so many events, as JSON has it."""
    records, state, found = list(read(log)), RunState(), {}
    moments = {len(records) * part // MOMENTS for part in range(1, MOMENTS + 1)}
    for count, record in enumerate(records, 1):
        fold(state, record)
        if count in moments:
            found[str(count)] = {**json.loads(msgspec.json.encode(state, enc_hook=list)), "lanes": lanes(state)}
    return found


def lanes(state: RunState) -> dict[str, Any]:
    """The episodes in flight, in the form in which the files have them."""
    return {
        unit: {
            "unit": unit, "turns": [[turn.role, turn.part, turn.text] for turn in state.lanes.turns(unit)],
            "n": state.lanes.next(unit) - 1, "seq": state.last_seq[unit],
        }
        for unit in state.lanes.units
    }  # fmt: skip


def differences(then: Any, now: Any, place: str = "") -> list[str]:
    """Where what was known then is not so now. What is known only now is none."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [one for key in then for one in differences(then[key], now.get(key), f"{place}.{key}")]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [one for n, pair in enumerate(zip(then, now, strict=True)) for one in differences(*pair, f"{place}.{n}")]
    return [] if then == now else [f"{place}: {then} then, {now} now"]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_a_log_folds_to_what_it_folded_to(fixture: Path, tell: Tell) -> None:
    kept = json.loads((fixture / "states.json").read_text("utf-8"))
    assert len(kept) == MOMENTS
    assert differences(kept, states(fixture / "events.jsonl")) == []
    tell("F14 a log of every version folded", 1, {"states": len(kept)})


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_a_log_can_be_gone_on_with(fixture: Path, folder: RunFolder, tell: Tell) -> None:
    shutil.copy(fixture / "events.jsonl", folder.events)
    before = scan(folder.events)
    assert (before.damaged, before.torn, f"v{before.version}") == ([], 0, fixture.name)
    with LogWriter(folder) as log:
        assert log.recovery_event() is None
        assert log.append(RunPaused("tea")) == before.next_seq
    assert RunState.of(folder.events).gaps == 0
    tell("F14 a log of every version gone on with", 1, {})


def test_differences_are_seen() -> None:
    then = {"a": [1, {"b": 2}], "c": 3}
    assert differences(then, {"a": [1, {"b": 2, "new": 5}], "c": 3, "d": 4}) == []
    assert differences(then, {"a": [1, {"b": 9}], "c": 3}) == [".a.1.b: 2 then, 9 now"]
    assert differences(then, {"a": [1], "c": None}) != []


if __name__ == "__main__":
    fixture = Path(sys.argv[1])
    text = json.dumps(states(fixture / "events.jsonl"), indent=1, ensure_ascii=False)
    (fixture / "states.json").write_text(text + "\n", "utf-8")
