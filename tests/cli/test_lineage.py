"""From a wrong answer to its training rows, to a run that trains without them, to the comparison of both."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import orjson
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from capitals import Hall, make_project, prepared, speak  # noqa: E402 - found by the line above

from autoact.cli import main  # noqa: E402
from autoact.cli.start import run_start  # noqa: E402
from autoact.events import Event, TrainStepped  # noqa: E402
from autoact.job.job import Job  # noqa: E402
from autoact.model.scripted import ScriptedEngine  # noqa: E402
from autoact.project.project import Project  # noqa: E402
from autoact.registry.stages import pipeline  # noqa: E402
from autoact.run.record.folder import RunFolder, latest_run  # noqa: E402
from autoact.run.record.state import RunState  # noqa: E402
from autoact.script import Train  # noqa: E402
from autoact.security import trust  # noqa: E402
from autoact.trajectory import Adapter  # noqa: E402

PERU = {"id": "h-1", "question": "Which city is the capital of Peru?", "answer": "Cusco"}


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The trajectories that each adapter was last trained on; `autoact run` plays in this process."""
    lessons: dict[str, set[str]] = {}

    def trainer(folder: RunFolder) -> Any:
        def train(wish: Train) -> Generator[Event, None, Adapter]:
            lessons[wish.adapter] = {one.trajectory.unit for one in wish.lessons}
            yield TrainStepped(wish.adapter, 0, 1, 0.5, 1e-3, 1.0, len(wish.lessons), 1.0)
            made = folder.adapters / wish.adapter
            made.mkdir(parents=True, exist_ok=True)
            (made / "adapter_model.safetensors").write_text(wish.adapter)
            return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", len(wish.lessons), 0.5)

        return train

    def play(folder: RunFolder, show: object = None, *, detach: bool = False) -> int:
        hall = Hall(lambda folder: ScriptedEngine(speak), trainer)
        return int(Job(folder, hall.open).run() != "finished")

    monkeypatch.setattr(run_start, "launch_and_follow", play)
    return lessons


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taught: dict[str, set[str]]) -> RunFolder:
    """A finished run, whose held-out question has a gold answer that nobody gives."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = make_project(tmp_path / "p")
    (project.root / "questions" / "heldout.jsonl").write_bytes(orjson.dumps(PERU) + b"\n")
    settings = {"model.engine": "scripted", "filtering.reasoned": "false", "synthesis.from_facts": "false"}
    folder = prepared(project, pipeline(), settings)
    assert run_start.launch_and_follow(folder, print, detach=False) == 0
    trust.mark_trusted(folder.path)
    return folder


def test_from_a_wrong_answer_to_a_run_without_its_rows(
    base: RunFolder, taught: dict[str, set[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoact.cli.start.run.check", lambda project, config: None)  # no model is unpacked
    capsys.readouterr()
    assert main(["lineage", str(base.path), "--json"]) == 0
    wrong = {one["answer"]: one for one in orjson.loads(capsys.readouterr().out)["wrong"]}
    assert set(wrong) == {"meta-h-1", "group-h-1"}
    rows = wrong["group-h-1"]["rows"]
    kept = {unit for unit, verdict in RunState.of(base.events).verdicts.items() if verdict.kept}
    assert rows
    assert set(rows) < kept == taught["plan"]

    assert main(["lineage", str(base.path)]) == 0
    assert f"group-h-1 {len(rows)} Lima Cusco" in " ".join(capsys.readouterr().out.split())
    assert main(["lineage", str(base.path), "--answer", "group-h-1"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {row}: kept" in text for row in rows)
    command = shlex.split(text.splitlines()[-1])
    assert command[:2] == ["autoact", "run"]

    assert main(command[1:]) == 0
    made = latest_run(Project.open(base.path.parent.parent).root)
    assert made.name != base.name
    assert taught["plan"] == kept - set(rows)
    assert not taught["reflect"] & set(rows)
    state = RunState.of(made.events)
    assert state.config["run"]["without"] == rows
    assert state.config["self_instruct"] == RunState.of(base.events).config["self_instruct"]  # those of the base run
    assert not state.trajectories.keys() & set(rows)

    capsys.readouterr()
    assert main(["compare", str(base.path), str(made.path), "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert [one["what"] for one in found["unlike"] if one["cause"]] == ["run.without"]
    assert {one["second"] for one in found["comparisons"]} == {"B meta", "B group"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--without", "s-1"), "expected --from differentiation or --from filtering with it"),
        (("--from", "group_planning", "--without", "s-1"), "expected --from differentiation"),
        (("--from", "differentiation", "--without", "nothing-like-it"), "no trajectory or practice question `nothing"),
    ],
)
def test_rows_that_cannot_be_left_out(
    words: tuple[str, ...], reason: str, base: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(base.path.parent.parent), *words]) == 2
    assert reason in capsys.readouterr().err


def test_an_answer_that_the_run_does_not_have(base: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lineage", str(base.path), "--answer", "group-h-2"]) == 2
    assert "this run has no answer `group-h-2`; did you mean `group-h-1`?" in capsys.readouterr().err
