"""An imported run is a run: every view reads it, and another run trains on it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from worlds import scripted_world

from autoact.cli import main
from autoact.errors import BadInput
from autoact.events import Event
from autoact.exchange.imported_run import write_imported_run
from autoact.exchange.reading import TrajectoryReader
from autoact.exchange.writing import write_trajectories
from autoact.job.inputs import open_inputs, open_library
from autoact.job.job import Job
from autoact.job.pipeline import Pipeline
from autoact.lab.inspection.figures import measure_set
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Config, Plan
from autoact.project.project import Project
from autoact.registry.forms import FORMS
from autoact.registry.stages import DIFFERENTIATION, FILTERING
from autoact.run.process.health import verdict
from autoact.run.record.folder import RunFolder, list_own_runs, list_runs, new_run
from autoact.run.record.state import RunState
from autoact.script import Train
from autoact.security import trust
from autoact.trajectory import Adapter, Step

from .conftest import NAMES, TRAJECTORIES

RELEASED = {
    "13b_hotpotqa": (5.63, 71, 4.6, 85), "70b_hotpotqa": (6.03, 100, 21.2, 67), "13b_scienceqa": (5.80, 58, 2.2, 29),
    "70b_scienceqa": (5.45, 39, 22.6, 46),
}  # fmt: skip
"""Mean steps, distinct action sequences, empty thoughts in per cent, and clean trajectories, of 200 each."""

WITHOUT_TOOL = msgspec.structs.replace(
    TRAJECTORIES[0], unit="i-q-1-2",
    steps=(msgspec.structs.replace(TRAJECTORIES[0].steps[0], action="Maps"), *TRAJECTORIES[0].steps[1:]),
)  # fmt: skip


@pytest.mark.parametrize("name", RELEASED)
def test_the_released_trajectories(name: str, shared: Path) -> None:
    tools = NAMES | {"image2text": "Image2Text"}
    found = measure_set(TrajectoryReader(tools).read(shared / "data" / "trajectories" / f"{name}_200.jsonl"))
    assert found.n == 200
    left = found.gates[-1].left
    assert (float(f"{found.steps:.2f}"), found.sequences, round(100 * found.empty_thoughts, 1), left) == RELEASED[name]


def test_an_import_is_a_finished_run(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsonl"
    write_trajectories(TRAJECTORIES, FORMS.get("sharegpt"), file)
    assert main(["import", str(file), str(project.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (folder,) = list_runs(project.root)
    assert lines[0] == str(folder.path)
    assert "clean         2 of 3 (fail: 1 no invalid action, 1 no empty thought)" in lines
    assert "kept          1 of 3 by this project's filter (1 answer never observed, 1 empty thought)" in lines
    state = RunState.of(folder.events)
    assert (verdict(folder, state), state.damage) == ("finished", [])
    assert list(state.trajectories.values()) == TRAJECTORIES
    assert [question.id for question in state.questions] == ["q-1", "q-2"]
    assert [tool for tool, _ in state.selected] == ["Retrieve"]
    assert folder.read_config()["run"]["imported"] == str(file)
    assert list(list_own_runs(project.root)) == []  # foreign until a person trusts it
    assert main(["stats", str(folder.path)]) == 0
    assert "trajectories  3 tried, 1 kept" in capsys.readouterr().out
    assert main(["log", str(folder.path)]) == 0


@pytest.mark.parametrize("first", [FILTERING, DIFFERENTIATION])
def test_a_run_trains_on_it(first: str, project: Project, tmp_path: Path) -> None:
    base = write_imported_run(project, [*TRAJECTORIES, WITHOUT_TOOL], tmp_path / "a.jsonl", "openai")
    stages = (FILTERING, DIFFERENTIATION)[(FILTERING, DIFFERENTIATION).index(first) :]
    config = msgspec.structs.replace(project.config(), run=Plan(stages=stages, base=base.name))
    folder = new_run(project.root, "run", msgspec.to_builtins(config), now=datetime(2026, 11, 22, 14, 30))
    taught: dict[str, list[str]] = {}

    def train(wish: Train) -> Generator[Event, None, Adapter]:
        taught[wish.adapter] = [lesson.trajectory.unit for lesson in wish.lessons]
        yield from ()
        return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", len(wish.lessons), 0.5)

    def open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
        library, corpus = open_library(project)
        world = scripted_world(ScriptedEngine(lambda ask: ""), library.session, train)
        return Pipeline(config, open_inputs(config, project, library, corpus), world, folder.path)

    assert Job(folder, open_world).run() == "finished"
    assert taught["plan"] == taught["tool"] == ["i-q-1-0"]
    assert "i-q-1-0" in taught["reflect"]


def test_an_import_that_is_trusted_is_chosen(project: Project, tmp_path: Path) -> None:
    folder = write_imported_run(project, TRAJECTORIES, tmp_path / "a.jsonl", "openai")
    trust.mark_trusted(folder.path)
    assert [run.name for run in list_own_runs(project.root)] == [folder.name]


def test_nothing_is_half_imported(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsonl"
    write_trajectories(TRAJECTORIES, FORMS.get("alpaca"), file)
    file.write_bytes(file.read_bytes()[:-30])
    assert main(["import", str(file), str(project.root)]) == 2
    assert f"{file}:3: not valid JSON" in capsys.readouterr().err
    long = msgspec.structs.replace(TRAJECTORIES[0], steps=(Step("", "Retrieve", "x" * 300_000),))
    with pytest.raises(BadInput, match="i-q-1-0.*cannot be stored"):
        write_imported_run(project, [*TRAJECTORIES, long], file, "alpaca")
    assert list((project.root / "runs").iterdir()) == []


def test_a_check_makes_no_run(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsonl"
    write_trajectories(TRAJECTORIES, FORMS.get("atif"), file)
    assert main(["import", "--check", str(file), str(file), str(project.root)]) == 0
    assert capsys.readouterr().out.count("trajectories  3, of 2 questions\n") == 2
    assert list_runs(project.root) == []
    assert main(["import", "--check", "--json", str(file), str(project.root)]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["figures"]["gates"][-1]["left"] == 2


def test_a_trajectory_with_a_tool_that_the_project_lacks_is_refused(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.jsonl"
    write_trajectories([*TRAJECTORIES, *[WITHOUT_TOOL] * 10], FORMS.get("openai"), file)
    assert main(["import", str(file), str(project.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "10 calls Maps, which is no tool of this project" in next(line for line in lines if line.startswith("kept"))
    assert [line for line in lines if line.startswith("no such tool")] == [
        f"no such tool  Maps, in {', '.join(f'line {n}' for n in range(4, 12))} and 2 more; refused, unless --tools "
        "gives another name"
    ]
    (folder,) = list_runs(project.root)
    assert [unit for unit, verdict in RunState.of(folder.events).verdicts.items() if verdict.kept] == ["i-q-1-0"]
    assert main(["import", "--tools", "maps=Retrieve", str(file), str(project.root)]) == 0
    assert "no such tool" not in capsys.readouterr().out


def test_tools_by_other_names(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"instruction": "Who?", "output": "Thought: I.\\nAction: find[I]\\nObservation: I am.\\nThought: I am.'
        '\\nAction: done[I]"}\n'
    )
    command = ["import", "--check", str(file), str(project.root)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "no such tool  find, in line 1; refused, unless --tools gives another name" in printed
    assert "no such tool  done, in line 1;" in printed
    assert main([*command, "--tools", "find=Retrieve,done=Finish", "--right"]) == 0
    assert "no such tool" not in capsys.readouterr().out
    assert main([*command, "--tools", "find=Nothing"]) == 2
    assert "no tool `Nothing` for `find`; there is" in capsys.readouterr().err
    assert main([*command, "--tools", "find"]) == 2


def test_kept_trajectories_are_exported_and_come_back(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_imported_run(project, TRAJECTORIES, tmp_path / "a.jsonl", "openai")
    assert main(["export", str(folder.path), str(tmp_path), "--form", "openai"]) == 0
    file = tmp_path / f"{folder.name}.openai.jsonl"
    assert capsys.readouterr().out == f"{file}: 1 trajectories\n"
    assert TrajectoryReader(NAMES).read(file) == TRAJECTORIES[:1]
    assert main(["export", str(folder.path), str(file), "--form", "openai"]) == 2
    assert "exists already" in capsys.readouterr().err
    everything = tmp_path / "all.jsonl"
    assert main(["export", str(folder.path), str(everything), "--form", "openai", "--all"]) == 0
    assert TrajectoryReader(NAMES).read(everything) == TRAJECTORIES
    assert main(["export", str(folder.path), str(tmp_path / "x"), "--form", "word"]) == 2
    assert "there is autoact, sharegpt, alpaca, openai, atif" in capsys.readouterr().err
