"""The whole method on games, by an engine that draws its choices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autoact.project.project import create
from autoact.registry.stages import pipeline
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.security import trust
from autoact.trajectory import Trajectory

TOYS = Path(__file__).parents[1] / "toys"
SETTINGS = (
    'model.engine="dice"', "self_instruct.target=3", "self_instruct.round=2", "synthesis.samples=3",
    "synthesis.steps=16", "group_planning.steps=16", "group_planning.limit=2",
)  # fmt: skip


@pytest.mark.slow
def test_games_go_through_all_stages(tmp_path: Path) -> None:
    project = create(tmp_path / "games", "textworld")
    trust.mark_trusted(project.root)
    environment = {**os.environ, "PYTHONPATH": str(TOYS), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    changes = [part for setting in SETTINGS for part in ("--set", setting)]
    command = [sys.executable, "-P", "-m", "autoact", "run", str(project.root), *changes]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
    assert ran.returncode == 0, ran.stderr

    (folder,) = (project.root / "runs").iterdir()
    state = RunState.of(RunFolder(folder).events)
    assert [name for name in state.stages if name != "paraphrase"] == list(pipeline())  # a toy's stage beside ours
    assert [question.id for question in state.questions] == [f"r2-o4-g1-c3-{seed}" for seed in (1, 2, 3)]
    played = list(state.trajectories.values())
    assert len(played) == 3 * (3 + 6)
    assert {one.halt for one in played} == {"over", "steps"}
    assert {step.action for one in played for step in one.steps} <= {tool for tool, _ in state.selected}
    kept = [one for one in played if state.verdicts[one.unit].kept]
    assert kept
    for one in kept:
        same = [other for other in played if other.question == one.question and other.reward == 1]
        assert len(one.steps) == min(len(other.steps) for other in same if not looped(other))
    assert set(state.adapters) == {"plan", "tool"}
    assert [solved.cast for solved in state.solved] == ["meta", "meta", "group", "group"]
    assert all(solved.scored and solved.em == (solved.trajectory.reward == 1) for solved in state.solved)
    header = next(line for line in ran.stdout.splitlines() if line.startswith("held-out"))
    assert " ".join(header.split()) == "held-out n won 95 % interval score 95 % interval tokens s steps"


def looped(trajectory: Trajectory) -> bool:
    steps = [(step.action, step.argument, step.observation) for step in trajectory.steps]
    return len(set(steps)) < len(steps)
