"""The studio without a screen: lines of text, and what the command line may name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stories import finished, synthesis, write

import studio
from autoact.errors import BadInput
from studio.__main__ import main
from studio.target import Target, find

HEAVY = ("torch", "transformers", "peft")


def test_one_line_an_event(opera: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write(opera, finished())
    assert main(["--plain", str(run.path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(finished()) + 1
    assert lines[-1] == f"{run.name} is finished; last stage: group planning"
    text = "\n".join(lines)
    assert "q-0038.1 #3 BingSearch[Woman in Gold]: A painting ⏎ by Klimt ␛[31m(1907)." in text
    assert "tool 30/60 loss" in text
    assert "\x1b" not in text


def test_a_dead_run_ends_too(opera: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(opera, synthesis())
    assert main(["--plain", "opera"]) == 0
    assert capsys.readouterr().out.endswith("is interrupted (never began); last stage: synthesis 37/120\n")


def test_what_the_command_line_names(opera: Path) -> None:
    run = write(opera, synthesis())
    home = opera.parent.resolve()
    assert find(None).folder == opera.parent
    assert find(str(opera)) == find("opera") == Target(home, home / "opera")
    assert find(str(run.path)) == Target(home, home / "opera", run.name)
    assert find(str(home)) == Target(home)
    with pytest.raises(BadInput, match="nothing found"):
        find("not-there")


def test_what_is_not_there_is_said(opera: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--plain", "not-there"]) == 2
    assert main(["--plain", str(opera)]) == 2
    assert main(["--plain", str(opera.parent)]) == 2
    assert capsys.readouterr().err.count("studio: ") == 3


def test_a_reader_that_leaves_early(opera: Path) -> None:
    run = write(opera, finished())
    root = Path(studio.__file__).parent.parent
    code = f"{sys.executable} -m studio --plain {run.path} | head -1"
    done = subprocess.run(["sh", "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["studio.app", "studio.plain"])
def test_the_screen_knows_no_model(module: str) -> None:
    root = Path(studio.__file__).parent.parent
    banned = (
        *HEAVY,
        "autoact.model",
        "autoact.training",
        "autoact.tools",
        "autoact.stages",
        "autoact.run.conductor.conductor",
    )
    code = f"import sys, {module}; print([name for name in {banned!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
