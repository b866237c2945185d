"""Honest programs work in the sandbox, whichever layers hold it; programs.txt has them, each with what it prints."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.sandbox import Sandbox

BOUNDS = Bounds(seconds=60, cpu_seconds=30)
"""More than usual: what is asked here is whether they work, on a machine that may be busy."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program, the packages it needs, and what it prints."""

    needs: tuple[str, ...]
    source: str
    prints: str


def read_programs() -> dict[str, Program]:
    heading = re.compile(r"^== ([^\[\n]+?)(?: \[(.+)\])?\n", re.MULTILINE)
    _, *parts = heading.split((Path(__file__).parent / "programs.txt").read_text(encoding="utf-8"))
    programs = {}
    for name, needs, body in zip(*(parts[at::3] for at in range(3)), strict=True):
        source, _, prints = body.rpartition("\n-- ")
        programs[name] = Program(tuple((needs or "").split()), source, prints.strip())
    return programs


PROGRAMS = read_programs()


def test_there_are_enough() -> None:
    assert len(PROGRAMS) >= 60


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints(name: str, sandbox: Sandbox) -> None:
    program = PROGRAMS[name]
    for package in program.needs:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    outcome = sandbox.run(program.source, BOUNDS)
    assert (outcome.end, outcome.stdout.strip()) == ("finished", program.prints), outcome.error
