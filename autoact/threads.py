"""Sets the number of the model's threads on a shared machine, and how long waiting threads spin.

Threads that share work wait for the slowest. When another program uses its core, the others wait long, and by default
they spin: two jobs on one machine then slow each other down many times over. So waiting threads spin only briefly, and
a model that answers uses only the cores that other programs leave idle.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from autoact.run.process.cgroup import cpu_quota

SPINS = "1000"
"""Spins (about 70 ns each) before a waiting thread sleeps: together shorter than a scheduler's time slice."""
LOOK = 1.0
"""Seconds between two measurements of other programs."""
SLACK = 0.25
"""Fraction of a core that other programs may use without making it count as busy."""
TICKS = os.sysconf("SC_CLK_TCK")
STATISTICS = Path("/proc/stat")
BUSY = (1, 2, 3, 6, 7)
"""Columns of /proc/stat with the time of a busy core: user, nice, system, irq, softirq."""


def limit_spinning() -> None:
    """Makes OpenMP threads sleep soon while they wait, unless the environment says otherwise.

    Call it before torch is imported: its OpenMP library (GNU's) reads the environment when it is loaded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


class Limit(NamedTuple):
    """The most threads to use, and the reason for that limit."""

    threads: int
    why: str


def thread_limit() -> Limit:
    """Returns the number of cores that this process may use, or OMP_NUM_THREADS when it is set."""
    if (wanted := os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]).isdecimal():
        return Limit(max(1, int(wanted)), "OMP_NUM_THREADS is set")
    cores, quota = len(available_cores()), cpu_quota()
    if quota is not None and quota < cores:
        return Limit(max(1, int(quota)), f"the control group's quota is {quota:.1f} of {cores} cores")
    return Limit(cores, f"this process may use {cores} cores" if cores > 1 else "this process may use one core")


def available_cores() -> set[int]:
    """Returns the numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def describe_threads() -> str:
    """Returns the thread settings of this process and their reason, in one line."""
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
    """Reads the processor time used so far. Raises OSError where the system does not provide it.

    Programs of low priority count: in another login session they get as much time as any.
    """
    names = {f"cpu{core}" for core in available_cores()}
    lines = [line.split() for line in STATISTICS.read_text().splitlines()]
    ticks = sum(int(line[column]) for line in lines if line[0] in names for column in BUSY)
    return Usage(time.monotonic(), ticks / TICKS, time.process_time())


class Threads:
    """Adapts the number of threads while a model answers to the number of idle cores, at least one.

    The number falls at once when other programs need cores, and rises only after several measurements, by half of the
    free cores at a time, so that several jobs share them.
    """

    def __init__(self, usage: Callable[[], Usage] = usage):
        self.limit, self.cores, self.usage = thread_limit().threads, len(available_cores()), usage
        self.adapts = self.limit > 1 and "OMP_NUM_THREADS" not in os.environ and STATISTICS.exists()
        self.count = self.limit
        self.patience = 2 + os.getpid() % 4
        """Measurements with an idle core before it is used; the number differs between jobs that start together."""
        self.idle_looks = 0
        self.last: Usage | None = None

    def adapt(self) -> bool:
        """Measures once a second, however often it is called; returns whether the number of threads changed."""
        if not self.adapts or (self.last and time.monotonic() - self.last.at < LOOK):
            return False
        last, self.last = self.last, self.usage()
        if last is None:
            return False
        before, free = self.count, self._free(last, self.last)
        self.idle_looks = self.idle_looks + 1 if free > before else 0
        if free < before:
            self.count = free
        elif self.idle_looks >= self.patience:
            self.count, self.idle_looks = before + (free - before + 1) // 2, 0
        return self.count != before

    def _free(self, last: Usage, now: Usage) -> int:
        """Returns the number of threads for which other programs left cores between two measurements."""
        others = (now.all - last.all - (now.own - last.own)) / (now.at - last.at)
        return max(1, min(self.limit, int(self.cores - max(0.0, others) + SLACK)))
