"""Flipped bytes: the reader never raises, damage is always shown, and every event that is whole is read."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from autoact.events import Event
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, LogWriter, read

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]


def flipped(whole: bytes, count: int, dice: random.Random) -> tuple[bytes, set[int]]:
    """The log with so many bytes changed, and the numbers of the lines that this touches."""
    data, touched = bytearray(whole), set()
    for place in dice.sample(range(len(whole)), count):
        data[place] ^= dice.randrange(1, 256)
        line = whole[:place].count(b"\n")
        touched |= {line, line + 1} if whole[place] == 10 else {line}  # without a newline two lines are one
    return bytes(data), touched


@pytest.mark.parametrize("count", [1, 2, 8, 64])
def test_flipped_bytes(
    folder: RunFolder, events: list[Event], rounds: Rounds, seed: int, count: int, tell: Tell
) -> None:
    with LogWriter(folder) as log:
        for event in events * 3:
            log.append(event)
    whole, dice = folder.events.read_bytes(), random.Random(seed)
    cases = rounds(500, 50_000)
    for case in range(cases):
        data, touched = flipped(whole, count, dice)
        folder.events.write_bytes(data)
        tail = LogTail(folder.events)
        seen = {record.seq: record.event for record in tail.poll()}
        assert tail.damaged or tail.torn(), case
        tail.close()
        assert list(seen) == sorted(seen), case
        assert all(event == (events * 3)[seq] for seq, event in seen.items()), case  # none invented
        assert set(range(3 * len(events))) - touched <= set(seen), case
    tell("F4 bytes flipped, then read", cases, {"flips": cases * count})


def test_a_damaged_log_goes_on(folder: RunFolder, events: list[Event], rounds: Rounds, seed: int, tell: Tell) -> None:
    with LogWriter(folder) as log:
        for event in events * 3:
            log.append(event)
    whole, dice = folder.events.read_bytes(), random.Random(seed)
    cases = rounds(100, 2_000)
    for case in range(cases):
        data, touched = flipped(whole, 8, dice)
        folder.events.write_bytes(data)
        with LogWriter(folder, sync_every=1e9) as log:
            recovered = log.recovery_event()
            assert recovered is not None, case
            log.append(recovered)
        seen = [record.seq for record in read(folder.events)]
        assert seen == sorted(set(seen)), case
        assert set(range(3 * len(events))) - touched <= set(seen), case
        aside = folder.path / f"events.torn.{seen[-1]}"
        torn = aside.read_bytes() if recovered.torn else b""
        assert data == folder.events.read_bytes()[: len(data) - len(torn)] + torn, case  # nothing is thrown away
        aside.unlink(missing_ok=True)
    tell("F4 bytes flipped, then gone on with", cases, {"flips": 8 * cases})
