"""A stage, a method, an engine and an environment from outside the package: one file and one row each (tests/toys)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autoact.registry.stages import pipeline
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.security import trust

TOYS = Path(__file__).parent / "toys"
"""On the path of modules it is an installed package: its folder of metadata names its plug-ins."""
SETTINGS = """
[task]
name = "doors"
description = "Find the way out."
environment = "corridor"
[model]
engine = "parrot"
[synthesis]
questions = "reference"
samples = 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose episodes act in the toy environment and whose asks the toy engine answers."""
    root = tmp_path / "doors"
    (root / "questions").mkdir(parents=True)
    (root / "project.toml").write_text(SETTINGS)
    (root / "examples.jsonl").write_text('{"question": "Where is the way out?", "answer": "behind door 3"}\n')
    for name in ("reference", "heldout"):
        row = f'{{"id": "{name}-1", "question": "Which door leads out?", "answer": "out"}}\n'
        (root / "questions" / f"{name}.jsonl").write_text(row)
    trust.mark_trusted(root)
    return root


def autoact(root: Path, *arguments: str, toys: Path = TOYS) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(toys), "XDG_CACHE_HOME": str(root.parent / "cache")}
    command = [sys.executable, "-P", "-m", "autoact", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def newest(root: Path) -> RunState:
    run = max((root / "runs").iterdir(), key=lambda folder: (folder / "run.toml").stat().st_mtime_ns)
    return RunState.of(RunFolder(run).events)  # two of one minute are not in order by name


def test_a_run_plays_the_stage_with_the_engine_in_the_environment(project: Path) -> None:
    ran = autoact(project, "run", str(project), "--set", 'group_planning.compare=["meta", "group", "at-once"]')
    assert ran.returncode == 0, ran.stderr
    state = newest(project)
    before, *after = pipeline()
    assert list(state.stages) == [before, "paraphrase", *after]
    assert (state.stages["paraphrase"].made, state.engine) == (1, "parrot")
    assert {(one.halt, one.reward, len(one.steps)) for one in state.trajectories.values()} == {("over", 1.0, 3)}
    assert set(state.adapters) == {"plan", "tool", "reflect"}
    assert [solved.cast for solved in state.solved] == ["meta", "group", "at-once"]
    logged = autoact(project, "log", str(max((project / "runs").iterdir())))
    assert "paraphrase: 1 made" in logged.stdout


def test_earlier_methods_answer_in_a_run_one_with_an_adapter_of_its_own(project: Path) -> None:
    settings = (
        "differentiation.adapters={all = ['plan', 'tool'], plan = ['plan'], tool = ['tool'], reflect = ['reflect']}"
    )
    ran = autoact(project, "run", str(project), "--set", settings, "--to", "differentiation")
    assert ran.returncode == 0, ran.stderr
    names = ["cot", "rewoo", "chameleon", "bolaa", "fireact"]
    evaluated = autoact(project, "eval", str(project), "--method", ",".join(names))
    assert evaluated.returncode == 0, evaluated.stderr
    state = newest(project)
    assert not state.unit_failures
    assert [one.cast for one in state.solved] == names


def test_commands_name_what_a_plug_in_adds(project: Path) -> None:
    asked = autoact(project, "ask", str(project), "Where to?", "--method", "at-once")
    assert asked.stdout.rstrip().endswith("to, said 1 times"), asked.stderr
    assert "group-majority, at-once" in autoact(project, "ask", str(project), "?", "--cast", "x").stderr
    wrong = autoact(project, "run", str(project), "--only", "x").stderr
    assert "self_instruct, paraphrase, tool_selection" in wrong
    evaluated = autoact(project, "eval", str(project), "--method", "at-once")
    assert evaluated.stdout.count("\nat-once ") == 1, evaluated.stderr


def test_one_adapter_for_all_parts_and_one_for_a_tool_are_settings(project: Path) -> None:
    adapters = '{all = ["plan", "tool", "reflect"], go = ["tool:Go"]}'
    ran = autoact(project, "run", str(project), "--set", f"differentiation.adapters={adapters}")
    assert ran.returncode == 0, ran.stderr
    state = newest(project)
    assert set(state.adapters) == {"all", "go"}
    roles = {spent for stage in ("group_planning",) for spent in state.tokens[stage].ms}
    assert roles == {"meta", "all", "go"}


def test_a_plug_in_that_cannot_be_loaded_is_named(project: Path, tmp_path: Path) -> None:
    metadata = tmp_path / "broken" / "broken-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[autoact.plugins]\nbroken = not_there\n")
    ran = autoact(project, "runs", str(project), toys=tmp_path / "broken")
    assert ran.returncode == 2
    assert "key `not_there`: the plug-in cannot be loaded: ModuleNotFoundError" in ran.stderr


SHOWN = """
from autoact.registry import load_plugins
load_plugins()
from autoact.registry.methods import METHODS
from studio.panes.rows.method_choices import method_choices
from studio.runs.progress import title
print(method_choices(), METHODS.names(), title("paraphrase"))
"""


def test_the_console_and_the_lab_list_the_method(project: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(TOYS)}
    shown = subprocess.run(
        [sys.executable, "-c", SHOWN], env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "('at-once',), ('group', 'meta', 'at-once')" in shown
    assert shown.endswith("'group-majority', 'at-once') paraphrase\n")
