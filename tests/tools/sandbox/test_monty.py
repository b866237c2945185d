"""Monty, the fallback: honest programs run, attacks leave no trace, bounds hold."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("pydantic_monty")

from autoact.tools.sandbox import selfcheck
from autoact.tools.sandbox.attack_target import ProgramRun
from autoact.tools.sandbox.bounds import MEGABYTE, Bounds
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.sandbox import Sandbox

SANDBOX = Sandbox(Layers(monty=True))
BOUNDS = Bounds(seconds=2, memory=100 * MEGABYTE, output=1000)


@pytest.mark.parametrize(
    ("program", "printed"),
    [("1 + 1", "2\n"), ("print('a')\n[1, 2]", "a\n[1, 2]\n"), ("import math\nmath.sqrt(16)", "4.0\n"), ("None", "")],
)
def test_programs(program: str, printed: str) -> None:
    outcome = SANDBOX.run(program, BOUNDS)
    assert (outcome.end, outcome.stdout) == ("finished", printed)


@pytest.mark.parametrize(
    ("program", "end", "said"),
    [
        ("1 / 0", "failed", "ZeroDivisionError: division by zero"),
        ("x = (", "failed", "SyntaxError: "),
        ("import socket", "failed", "ModuleNotFoundError: "),
        ("while True: pass", "time", "TimeoutError: "),
        ("import time\ntime.sleep(100)", "time", "TimeoutError: "),
        ("'a' * 10**9", "failed", "MemoryError: "),
        ("def f(): return f()\nf()", "failed", "RecursionError: "),
        ("while True: print('a' * 100)", "output", "it printed more than 1,000 bytes"),
    ],
)
def test_ends(program: str, end: str, said: str) -> None:
    outcome = SANDBOX.run(program, BOUNDS)
    assert (outcome.end, outcome.error[: len(said)]) == (end, said)
    assert len(outcome.stdout) <= BOUNDS.output


@pytest.mark.parametrize("attack", selfcheck.ATTACKS, ids=lambda attack: attack.name)
def test_attacks(attack: selfcheck.Attack, ground: Any) -> None:
    outcome = SANDBOX.run(ground.names() + attack.program, BOUNDS)
    assert outcome.end == "failed" or outcome.stdout == "None\n"
    assert not attack.trace(ground, ProgramRun(outcome.stdout, outcome.seconds))
