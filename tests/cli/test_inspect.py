"""`autoact inspect` over a run whose log is known."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter
from autoact.trajectory import FINISH, REFLECT, Question, Step, Trajectory, Verdict

STEPS = (Step("I read.", "Retrieve", "Peru", "Lima."), Step("So.", FINISH, "Lima"), Step("Yes.", REFLECT, "right"))


@pytest.fixture
def folder(project: Project) -> RunFolder:
    made = new_run(project.root, "full", {}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(made) as log:
        log.append(happened.RunOpened(1, 7, "here", "scripted"))
        log.append(happened.ToolSelected("Retrieve", "facts"))
        log.append(happened.ToolSelected("Lookup", "facts"))
        for n in range(12):
            question = Question(
                f"q-{n}", f"What is the capital of {'Peru' if n % 2 else 'Perù'} {n}?", "Lima", type="one-hop"
            )
            log.append(happened.QuestionAccepted(question))
            log.append(happened.TrajectoryCommitted(Trajectory(f"t-{n}", question, STEPS, "Lima", reward=1.0)))
        for n in range(12):
            kept = n > 0
            log.append(happened.TrajectoryJudged(Verdict(f"t-{n}", kept, 1.0, "" if kept else "wrong\x1b[2J answer")))
    return made


def test_the_figures_of_a_run(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder.path)]) == 0
    text = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "TRAJECTORIES tried kept 13B HotpotQA 70B HotpotQA 13B ScienceQA 70B ScienceQA" in lines
    assert "number 12 11 200 200 200 200" in lines
    assert "no repeated action 0 12 0 11" in lines
    assert "questions kept: 11 different; 11 one-hop; 100 % begin with `what is the`" in lines
    assert "\x1b" not in text
    assert any(line.startswith("refused by the filter: 1 wrong") for line in lines)
    assert "irrelevant tools: no kept trajectory calls Lookup" in lines
    assert "low diversity: 11 of 11 kept trajectories are Retrieve, Finish, Reflect" in lines
    assert sum(line.startswith("remedy: ") for line in lines) == sum(line.startswith("FOUND ") for line in lines)
    assert "100 What is the capital of" not in text


def test_the_same_as_json(folder: RunFolder, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(project.root), "--json"]) == 0
    made = orjson.loads(capsys.readouterr().out)
    assert (made["run"], made["sets"]["tried"]["n"], made["sets"]["kept"]["n"]) == (folder.name, 12, 11)
    assert [one["name"] for one in made["references"]][0] == "13B HotpotQA"
    assert {one["name"] for one in made["signatures"] if one["found"]} >= {"irrelevant tools", "low diversity"}
    assert len(made["nearest"]) == 5


def test_a_run_without_trajectories(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    made = new_run(project.root, "full", {}, now=datetime(2026, 11, 22, 14, 30))
    assert main(["inspect", str(made.path)]) == 2
    assert f"run {made.name} has no trajectories yet" in capsys.readouterr().err
