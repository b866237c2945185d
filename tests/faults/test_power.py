"""Power losses: whatever a disk makes of sectors that were not flushed, no promised event is lost, none invented."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from autoact.events import Event, RunPaused, StageProgressed
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter, read

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]

SECTOR = 512
"""Bytes a disk writes whole: one that holds flushed bytes keeps those."""
LENGTHS = (5, 80, 400, 1_500, 6_000)


class Machine:
    """A run that is written until the power fails, then goes on, then fails again."""

    def __init__(self, folder: RunFolder, dice: random.Random):
        self.folder, self.dice = folder, dice
        self.flushed = self.count = 0
        self.powered = True
        self.written: list[str] = []
        self.promised: set[str] = set()

    def work(self, most: int) -> None:
        """Append up to so many events, the promised ones flushed; then the power is gone."""
        self.powered = True
        log = LogWriter(self.folder, sync_every=1e9, flush=self.flush)
        self.flushed = self.folder.events.stat().st_size  # recovery flushes what it keeps
        if recovered := log.recovery_event():
            log.append(recovered)
        for _ in range(self.dice.randrange(1, most)):
            log.append(self.event())
        self.powered = False
        log.close()

    def event(self) -> Event:
        self.count += 1
        name = f"{self.count} " + "x" * self.dice.choice(LENGTHS)
        self.written.append(name)
        if self.dice.random() < 0.3:
            self.promised.add(name)
            return RunPaused(name)
        return StageProgressed(name, 0, 0)

    def flush(self, descriptor: int) -> None:
        if self.powered:
            self.flushed = os.fstat(descriptor).st_size

    def fail(self) -> None:
        """Sectors after the last flush are kept, zeroed or garbled, and the file may end anywhere among them."""
        data, dice = bytearray(self.folder.events.read_bytes()), self.dice
        if dice.random() < 0.5:
            del data[dice.randrange(self.flushed, len(data) + 1) :]
        for sector in range(self.flushed // SECTOR, len(data) // SECTOR + 1):
            start, end = max(sector * SECTOR, self.flushed), min((sector + 1) * SECTOR, len(data))
            fate = dice.random()
            if start < end and fate < 0.5:
                data[start:end] = bytes(end - start) if fate < 0.25 else dice.randbytes(end - start)
        self.folder.events.write_bytes(data)

    def survived(self) -> list[str]:
        told = [record.event for record in read(self.folder.events)]
        return [
            event.why if isinstance(event, RunPaused) else event.stage
            for event in told
            if isinstance(event, RunPaused | StageProgressed)
        ]


def test_no_promise_is_broken(folder: RunFolder, rounds: Rounds, part: tuple[int, int], seed: int, tell: Tell) -> None:
    dice = random.Random(seed)
    failures = promises = lost = 0
    cases = rounds(300, 20_000 // part[1])
    for case in range(cases):
        machine = Machine(folder, dice)
        for _ in range(dice.randrange(1, 4)):
            machine.work(30)
            machine.fail()
            failures += 1
            seen = machine.survived()
            lost += len(machine.promised - set(seen))
            assert not lost, case
            places = [machine.written.index(name) for name in seen]
            assert places == sorted(set(places)), case  # in order, none twice, none that was never written
            machine.written = [*seen]
        promises += len(machine.promised)
        LogWriter(folder).close()
        for file in (folder.events, *folder.path.glob("events.torn.*")):
            file.unlink()
    tell("F6 power lost", cases, {"losses of power": failures, "promises": promises, "lost": lost})
