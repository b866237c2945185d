"""The sandbox's check of itself finds that it holds, and finds where one does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from autoact.cli.machine import doctor
from autoact.tools.sandbox import selfcheck
from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.program_result import ProgramResult
from autoact.tools.sandbox.sandbox import Sandbox


class Sieve(Sandbox):
    """A sandbox that holds nothing."""

    def run(self, program: str, bounds: Bounds | None = None) -> ProgramResult:
        from autoact.tools.sandbox import interpreter

        command = [interpreter.executable(), "-c", program]
        return ProgramResult("finished", subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def test_every_attack_is_held_and_proven(found: Layers) -> None:
    verdicts = list(selfcheck.run_attacks(Sandbox(found)))
    assert [verdict.name for verdict in verdicts if not (verdict.held and verdict.proven)] == []
    assert selfcheck.count_working(Sandbox(found)) == len(selfcheck.PROGRAMS)


def test_a_sandbox_that_holds_nothing_is_found_out() -> None:
    assert [verdict.name for verdict in selfcheck.run_attacks(Sieve(Layers())) if verdict.held] == []


def test_doctor_says_which_layers_hold(found: Layers) -> None:
    (finding,) = doctor.sandbox()
    assert finding.state == "ok"
    assert finding.detail.startswith(f"{found.summary()}; stopped 11 of 11 attacks, 11 of which succeed without it")


def test_doctor_says_why_nothing_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoact.tools.sandbox.layers.find_layers", Layers)
    (finding,) = doctor.sandbox()
    assert (finding.state, finding.name) == ("warn", "sandbox")
    assert "pip install pydantic-monty" in finding.fix


def test_the_ground_is_left_as_it_was() -> None:
    from autoact.tools.sandbox.attack_target import AttackTarget

    with AttackTarget() as ground:
        folder, victim = ground.folder, ground.victim
    assert not Path(folder).exists()
    assert victim.returncode is not None
