"""Attacks on the sandbox, each judged by the trace it leaves, and first shown to leave one where nothing holds it.

attacks.txt has them: a name, the trace, in brackets what it needs to work anywhere, and the program.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autoact.tools.sandbox.attack_target import ProgramRun
from autoact.tools.sandbox.bounds import MEGABYTE, Bounds
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[3]
BOUNDS = Bounds(
    seconds=3, cpu_seconds=3, memory=400 * MEGABYTE, file=4 * MEGABYTE, folder=12 * MEGABYTE, entries=300,
    written=40 * MEGABYTE,
)  # fmt: skip
ENDLESS = msgspec.structs.replace(BOUNDS, seconds=1)
"""For attacks that are ended by nothing but the time."""
KERNEL = """
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    return libc.syscall(*[ctypes.c_long(each) if isinstance(each, int) else each for each in (number, *arguments)])
def door(number, *arguments):
    print("door open" if call(number, *arguments) >= 0 else ctypes.get_errno())
"""


@dataclass(frozen=True, slots=True)
class Attack:
    """A program that means harm, and the name of the trace that shows it did some."""

    name: str
    trace: str
    needs: tuple[str, ...]
    program: str

    def source(self, ground: Any) -> str:
        return f"ROOT = {str(ROOT)!r}\n{ground.names()}{KERNEL if 'kernel' in self.needs else ''}\n{self.program}"

    def skip_elsewhere(self) -> None:
        if "root" in self.needs and os.geteuid() != 0:
            pytest.skip("other system: harms only as root")
        if "x86_64" in self.needs and platform.machine() != "x86_64":
            pytest.skip("hardware: has the numbers of x86_64")


def read_attacks() -> dict[str, Attack]:
    text = re.sub(r"^#{8}.*\n", "", (Path(__file__).parent / "attacks.txt").read_text(), flags=re.MULTILINE)
    heading = re.compile(r"^== (.+) -> ([^\[\n]+?)(?: \[(.+)\])?\n", re.MULTILINE)
    _, *parts = heading.split(text)
    fields = zip(*(parts[at::4] for at in range(4)), strict=True)
    return {name: Attack(name, trace, tuple((needs or "").split()), program) for name, trace, needs, program in fields}


ATTACKS = read_attacks()
TRACES: dict[str, Callable[[Any, ProgramRun], bool]] = {
    "leaked": lambda ground, run: ground.shows_secret(run),
    "reached": lambda ground, run: ground.is_reached(run),
    "spoilt": lambda ground, run: ground.is_changed(run),
    "hurt": lambda ground, run: ground.is_hurt(run),
    "opened": lambda ground, run: "door open" in run.stdout,
    "ran": lambda ground, run: "pwned-42" in run.stdout,
    "done": lambda ground, run: "all done" in run.stdout,
    "listed": lambda ground, run: str(ground.victim.pid) in run.stdout.split(),
    "endless": lambda ground, run: run.seconds > ENDLESS.seconds + 2,
    "flooded": lambda ground, run: len(run.stdout) > 4 * BOUNDS.output,
    "outlived": lambda ground, run: outlived(run),
    "remains": lambda ground, run: remains(run),
    "told_signal": lambda ground, run: bool(ground.heard),
    "renamed_limits": lambda ground, run: resource.prlimit(ground.victim.pid, resource.RLIMIT_NOFILE)[0] == 7,
    "less_nice": lambda ground, run: os.getpriority(os.PRIO_PROCESS, ground.victim.pid) == 19,
    "pinned": lambda ground, run: os.sched_getaffinity(ground.victim.pid) != os.sched_getaffinity(0),
    "in_shared_memory": lambda ground, run: taken(Path("/dev/shm", ground.secret)),
}


def trace_of(attack: Attack) -> Callable[[Any, ProgramRun], bool]:
    if attack.trace.startswith("says "):
        return lambda ground, run: attack.trace.removeprefix("says ") in run.stdout
    return TRACES[attack.trace]


def outlived(run: ProgramRun) -> bool:
    """Whether a process is still in the program's folder, which its first line names; it is ended here."""
    time.sleep(0.1)
    left = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                here = str((process / "cwd").readlink())
            except OSError:
                continue
            if run.stdout and here.startswith(run.stdout.splitlines()[0]):
                left.append(int(process.name))
    for number in left:
        os.kill(number, signal.SIGKILL)
    return bool(left)


def remains(run: ProgramRun) -> bool:
    """Whether the program's folder, which its first line names, is still there."""
    return bool(run.stdout) and Path(run.stdout.splitlines()[0]).exists()


def taken(file: Path) -> bool:
    there = file.exists()
    file.unlink(missing_ok=True)
    return there


def confined(sandbox: Sandbox, ground: Any, attack: Attack) -> ProgramRun:
    began = time.monotonic()
    outcome = sandbox.run(attack.source(ground), ENDLESS if attack.trace == "endless" else BOUNDS)
    assert outcome.end != "refused", outcome.error
    return ProgramRun(outcome.stdout, time.monotonic() - began)


def unconfined(ground: Any, attack: Attack) -> ProgramRun:
    """The attack without the sandbox; one without an end is left to run longer than a trace of it may take."""
    run: ProgramRun = ground.unconfined(
        attack.source(ground), ENDLESS.seconds + 2.1 if attack.trace == "endless" else 60.0
    )
    return run


def test_there_are_enough() -> None:
    assert len(ATTACKS) >= 100
    assert all(trace_of(attack) for attack in ATTACKS.values())


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_leaves_no_trace(name: str, sandbox: Sandbox, ground: Any) -> None:
    ATTACKS[name].skip_elsewhere()
    assert not trace_of(ATTACKS[name])(ground, confined(sandbox, ground, ATTACKS[name]))


@pytest.mark.parametrize("name", sorted(ATTACKS.keys() - {"dig deep"}))
def test_attack_leaves_its_trace_unconfined(name: str, found: Layers, ground: Any) -> None:
    ATTACKS[name].skip_elsewhere()
    assert trace_of(ATTACKS[name])(ground, unconfined(ground, ATTACKS[name]))


def test_a_deep_folder_defeats_the_usual_way_of_removing_one() -> None:
    """The trace of `dig deep`: what it would leave behind."""
    folder, here = Path(tempfile.mkdtemp()), Path.cwd()
    os.chdir(folder)
    for _ in range(1500):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(here)
    with pytest.raises((OSError, RecursionError)):
        shutil.rmtree(folder)
    from autoact.tools.sandbox.folder import remove

    remove(folder)
    assert not folder.exists()
