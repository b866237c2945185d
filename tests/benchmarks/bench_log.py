"""How fast the log is: appending, reading, folding. By hand: python tests/benchmarks/bench_log.py [EVENTS]."""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from autoact.events import Event, ModelAnswered, RunOpened, StageProgressed, ToolObserved, TrainStepped
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter, read
from autoact.run.record.replay import Memory
from autoact.run.record.state import RunState


def mixture(count: int) -> Iterator[Event]:
    """About what a run writes: mostly answers, then observations, training steps and progress."""
    for number in range(count):
        unit, n = f"q-{number // 100:05}", number % 100
        match number % 20:
            case 0 | 1 | 2:
                yield ToolObserved(
                    unit, n, "0123456789ab", "Retrieve", "Fidelio", "An opera by Beethoven. " * 8, ms=3.1
                )
            case 3 | 4:
                yield TrainStepped("plan", number % 900, 900, 1.234, 1e-4, 0.5, 812, 220.0)
            case 5:
                yield StageProgressed("synthesis", number, count)
            case _:
                tokens = tuple(range(1000, 1024))
                text = "I should look up who wrote the opera Fidelio."
                yield ModelAnswered(unit, n, "0123456789ab", "meta", "thought", text, tokens, 900, 60, 410.5)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = new_run(Path(root), "bench", {}, now=datetime.now())
        events = list(mixture(count))
        with LogWriter(folder) as log:
            started = time.perf_counter()
            for event in events:
                log.append(event)
            rate("append, written", count, started)
            started = time.perf_counter()
            for attempt in range(100):
                log.append(RunOpened(attempt, 1, "here"))
            rate("append, promised", 100, started)
        del events
        print(f"{'bytes per event':<20}{folder.events.stat().st_size / count:10.0f}")
        started = time.perf_counter()
        for _ in read(folder.events):
            pass
        rate("read", count, started)
        started = time.perf_counter()
        RunState.of(folder.events)
        rate("read and fold", count, started)
        started = time.perf_counter()
        Memory.of(folder.events)
        rate("read into memory", count, started)
        started = time.perf_counter()
        LogWriter(folder).close()
        rate("open for writing", count, started)
        tracemalloc.start()
        RunState.of(folder.events)
        print(f"{'fold, peak MB':<20}{tracemalloc.get_traced_memory()[1] / 1e6:10.1f}")


def rate(what: str, count: int, started: float) -> None:
    seconds = time.perf_counter() - started
    print(f"{what:<20}{count / seconds:10,.0f} events/s{seconds:8.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
