"""How many threads the model computes with, on a machine that it may share, and how they wait for each other.

Threads that share a piece of work wait for the slowest. Where another program has taken its core, the others wait
long, and by default they do so spinning: two jobs on one machine then bring each other to a crawl. So waiting threads
spin for a moment only, and while a model answers it uses the cores that other programs leave idle.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from autoact.run.process.cgroup import cpu_quota

SPINS = "1000"
"""Looks at what it waits for before a thread sleeps, each some 70 ns: shorter than another program's turn."""
LOOK = 1.0
"""Seconds between looks at what other programs do."""
SLACK = 0.25
"""Share of a core that others may use without taking it: there is always some program."""
TICKS = os.sysconf("SC_CLK_TCK")
STATISTICS = Path("/proc/stat")
BUSY = (1, 2, 3, 6, 7)
"""Its columns of a core that is at work: user, nice, system, irq, softirq."""


def limit_spinning() -> None:
    """Have OpenMP threads sleep soon while they wait, unless the environment says otherwise.

    To be called before torch is imported: its OpenMP library (GNU's) reads the environment when it is loaded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


class Limit(NamedTuple):
    """Most threads to use, and what sets that limit."""

    threads: int
    why: str


def thread_limit() -> Limit:
    """As many threads as this process may use cores, or as OMP_NUM_THREADS says."""
    if (wanted := os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]).isdecimal():
        return Limit(max(1, int(wanted)), "OMP_NUM_THREADS is set")
    cores, quota = len(available_cores()), cpu_quota()
    if quota is not None and quota < cores:
        return Limit(max(1, int(quota)), f"the control group's quota is {quota:.1f} of {cores} cores")
    return Limit(cores, f"this process may use {cores} cores" if cores > 1 else "this process may use one core")


def available_cores() -> set[int]:
    """Numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def describe_threads() -> str:
    """The setting of this process, and why, in one line."""
    limit = thread_limit()
    policy, spins = os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT")
    waiting = f"OMP_WAIT_POLICY={policy}" if policy else f"GOMP_SPINCOUNT={spins}"
    fewer = ", fewer while other programs use cores" if Threads().adapts else ""
    return f"{limit.threads} ({limit.why}){fewer}; {waiting}"


class Usage(NamedTuple):
    """Processor time used so far, in seconds."""

    at: float
    """Monotonic clock."""
    all: float
    """Of all programs, on the cores that this process may use."""
    own: float


def usage() -> Usage:
    """Raises OSError where the system does not say.

    Programs of low priority count: in another session than this one they get as much time as any.
    """
    names = {f"cpu{core}" for core in available_cores()}
    lines = [line.split() for line in STATISTICS.read_text().splitlines()]
    ticks = sum(int(line[column]) for line in lines if line[0] in names for column in BUSY)
    return Usage(time.monotonic(), ticks / TICKS, time.process_time())


class Threads:
    """The number of threads while a model answers: as many as there are idle cores, at least one.

    Fewer at once when others need cores, more only after a while, and half of what is free at a time, so that several
    jobs share what there is.
    """

    def __init__(self, usage: Callable[[], Usage] = usage):
        self.limit, self.cores, self.usage = thread_limit().threads, len(available_cores()), usage
        self.adapts = self.limit > 1 and "OMP_NUM_THREADS" not in os.environ and STATISTICS.exists()
        self.count = self.limit
        self.patience = 2 + os.getpid() % 4
        """Looks that must find an idle core before it is taken; jobs that start together differ."""
        self.found = 0
        self.last: Usage | None = None

    def adapt(self) -> bool:
        """Whether the number changed. To be called often; looks around every second."""
        if not self.adapts or (self.last and time.monotonic() - self.last.at < LOOK):
            return False
        last, self.last = self.last, self.usage()
        if last is None:
            return False
        before, free = self.count, self._free(last, self.last)
        self.found = self.found + 1 if free > before else 0
        if free < before:
            self.count = free
        elif self.found >= self.patience:
            self.count, self.found = before + (free - before + 1) // 2, 0
        return self.count != before

    def _free(self, last: Usage, now: Usage) -> int:
        """Threads for which other programs left cores in between."""
        others = (now.all - last.all - (now.own - last.own)) / (now.at - last.at)
        return max(1, min(self.limit, int(self.cores - max(0.0, others) + SLACK)))
