"""The queue: twelve cells of scripted runs, one killed, one failing, all processes killed, finished by one command."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from capitals import Hall
from grid_job import make_engine, make_trainer

from autoact.cli import main
from autoact.cli.lab import queue_process
from autoact.errors import AutoActError, BadInput, RunBusy
from autoact.experiments.experiment import Experiment
from autoact.experiments.journal import FILE, append_run, read_journal
from autoact.experiments.progress import CellProgress, ExperimentProgress, Grid, count_statuses, is_playing
from autoact.experiments.queue import Queue
from autoact.job.job import Job
from autoact.model.memory_plan.cards import choose_cards
from autoact.project.project import Project
from autoact.run.process import lock
from autoact.run.process.health import is_active
from autoact.run.process.launch import kill, launch
from autoact.run.record.folder import RunFolder, latest_run, list_runs
from autoact.run.record.log import read
from autoact.run.record.state import RunState

JOB = str(Path(__file__).with_name("grid_job.py"))
GRID = """
[settings]
model.engine = "scripted"
self_instruct.target = 2
self_instruct.round = 4
self_instruct.by_type = false
synthesis.samples = 1
synthesis.from_facts = false
filtering.reasoned = false

[axes]
seed = [1, 2, 3]
adapters = ["none", "one", "three", "per tool"]
"""
"""Twelve cells: three seeds of four."""
Write = Callable[[str], Experiment]


@pytest.fixture(autouse=True)
def _no_process_outlives_the_test(project: Project) -> Iterator[None]:
    yield
    for folder in list_runs(project.root):
        kill(folder)


def play(project: Project, experiment: Experiment, jobs: int = 3, options: tuple[str, ...] = ()) -> list[CellProgress]:
    lines: list[str] = []
    return Queue(
        Grid.of(project, experiment), lambda folder, _: launch(folder, (JOB, *options)), lines.append, jobs
    ).play()


def counts(project: Project, experiment: Experiment) -> dict[str, int]:
    return count_statuses(ExperimentProgress(Grid.of(project, experiment)).cell_progress())


def answers(project: Project) -> Counter[tuple[str, str, int]]:
    """How often each answer is logged, by run, unit and number."""
    return Counter(
        (folder.name, event.unit, event.n)
        for folder in list_runs(project.root)
        for record in read(folder.events)
        if (event := record.event) is not None and type(event).__name__ == "ModelAnswered"
    )


def finished_stages(project: Project) -> Counter[tuple[str, str]]:
    return Counter(
        (folder.name, event.stage)
        for folder in list_runs(project.root)
        for record in read(folder.events)
        if (event := record.event) is not None and type(event).__name__ == "StageFinished"
    )


def test_a_grid_survives_a_kill_a_failure_and_a_reboot(project: Project, write: Write) -> None:
    experiment = write(GRID)
    (project.root / "fail").write_text("2")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import play_grid; play_grid.play(*sys.argv[2:])"
    queue = subprocess.Popen(
        [sys.executable, "-c", code, str(Path(JOB).parent), str(experiment.folder), JOB, "--slow"],
        stdout=subprocess.DEVNULL,
    )
    kill(wait_for_run(project, set()))  # one run, its keeper too
    while len(list_runs(project.root)) < 5:
        time.sleep(0.02)
    queue.kill()  # and now all processes, as when the machine stops
    queue.wait()
    for folder in list_runs(project.root):
        for keeper in (True, False):
            owner = lock.owner(folder, keeper=keeper)
            if owner is not None and owner.alive:
                os.kill(owner.pid, signal.SIGKILL)
    begun = {folder.name for folder in list_runs(project.root)}
    done_before = finished_stages(project)

    cells = play(project, experiment)
    assert count_statuses(cells) == {"finished": 8, "failed": 4}
    assert {cell.cell.values["seed"] for cell in cells if cell.status == "failed"} == {2}
    assert all("out of luck" in cell.cause for cell in cells if cell.status == "failed")
    assert begun <= {folder.name for folder in list_runs(project.root)}

    (project.root / "fail").unlink()
    assert count_statuses(play(project, experiment)) == {"finished": 12}
    assert max(answers(project).values()) == 1
    stages = finished_stages(project)
    assert max(stages.values()) == 1
    assert done_before.keys() <= stages.keys()
    asked, made = (project.root / "asked").read_text(), list_runs(project.root)
    # Each seed has a run up to tool selection, one of the base model, one up to filtering, and three that train.
    begun_runs = set(read_journal(experiment.folder, project.root / "runs").values())
    assert len(begun_runs) == 3 * 6
    assert not any(folder.events.exists() for folder in made if folder.name not in begun_runs)
    assert count_statuses(play(project, experiment)) == {"finished": 12}  # nothing is done again
    assert ((project.root / "asked").read_text(), list_runs(project.root)) == (asked, made)


def wait_for_run(project: Project, known: set[str]) -> RunFolder:
    """Returns the first run whose job has answered."""
    while True:
        for folder in list_runs(project.root):
            if folder.name not in known and RunState.of(folder.events).answers:
                return folder
        time.sleep(0.02)


# -- cards -----------------------------------------------------------------------------------------------------------


def test_each_run_has_a_card_of_its_own(project: Project, write: Write) -> None:
    experiment, lines, begun = write(GRID), list[str](), dict[str, RunFolder]()
    before = dict[str, int]()

    def start(folder: RunFolder, cards: Sequence[str]) -> None:
        (card,) = cards
        assert card not in begun or not is_active(begun[card])
        begun[card] = folder
        before[card] = before.get(card, 0) + 1
        launch(folder, (JOB,), {"CUDA_VISIBLE_DEVICES": card})

    cells = Queue(Grid.of(project, experiment), start, lines.append, 3, ("0", "GPU-5")).play()
    assert count_statuses(cells) == {"finished": 12}
    assert set(before) == {"0", "GPU-5"}
    assert sum(before.values()) == len(list_runs(project.root))
    seen = Counter((project.root / "cards").read_text().splitlines())  # by the jobs themselves
    assert seen == before
    assert any(line.endswith(", on card GPU-5") for line in lines)


def test_a_run_that_an_earlier_queue_began_keeps_its_card(project: Project, write: Write) -> None:
    experiment = write(GRID)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import play_grid; play_grid.play(*sys.argv[2:], cards=['0'])"
    queue = subprocess.Popen(
        [sys.executable, "-c", code, str(Path(JOB).parent), str(experiment.folder), JOB, "--slow"],
        stdout=subprocess.DEVNULL,
    )
    first = wait_for_run(project, set())
    queue.kill()
    queue.wait()
    assert is_active(first)
    assert first.cards.read_text() == "0"

    def start(folder: RunFolder, cards: Sequence[str]) -> None:
        assert not any(is_active(other) for other in list_runs(project.root) if other != folder)
        launch(folder, (JOB,))

    lines: list[str] = []
    cells = Queue(Grid.of(project, experiment), start, lines.append, 3, ("0",)).play()
    assert count_statuses(cells) == {"finished": 12}
    assert lines[0] == f"{first.name} is active already; waiting for it"


def test_a_training_with_several_processes_has_as_many_cards(project: Project, write: Write) -> None:
    experiment = write(SMALL.replace("[axes]", "differentiation.processes = 2\n[axes]"))
    given: dict[str, int] = {}

    def start(folder: RunFolder, cards: Sequence[str]) -> None:
        given[",".join(folder.stages())] = len(cards)
        launch(folder, (JOB,))

    Queue(Grid.of(project, experiment), start, lambda line: None, 3, ("0", "1", "2")).play()
    assert {count for stages, count in given.items() if "differentiation" in stages} == {2}
    assert {count for stages, count in given.items() if "differentiation" not in stages} == {1}


@pytest.mark.parametrize(
    ("visible", "text", "chosen"),
    [("4,7,9", "2", ["4", "7"]), ("4,7,9", "9,4", ["9", "4"]), ("GPU-a, GPU-b", "GPU-b", ["GPU-b"])],
)
def test_cards_are_chosen(visible: str, text: str, chosen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert choose_cards(text) == chosen


@pytest.mark.parametrize(
    ("visible", "text", "reason"),
    [
        ("4,7", "3", "found `3`; there are 4, 7"), ("4,7", "0", "found `0`"), ("4,7", "4,4", "found `4,4`"),
        ("4,7", "4,5", "found `4,5`; there are 4, 7"), ("4,7", ",", "found `,`"),
        ("", "1", "CUDA_VISIBLE_DEVICES name none"),
    ],
)  # fmt: skip
def test_cards_that_are_not_there(visible: str, text: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(BadInput, match=reason):
        choose_cards(text)


# -- the commands ----------------------------------------------------------------------------------------------------

SMALL = GRID[: GRID.index("[axes]")] + '[axes]\nmethod = ["meta", "group"]\nseed = [1, 2]\n'


def play_here(folder: RunFolder, variables: Mapping[str, str]) -> None:
    """Plays a scripted job in this process; how it ends is in its log."""
    with suppress(AutoActError):
        Job(folder, Hall(lambda folder: make_engine(folder, 0.0), make_trainer).open).run()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `autoact lab run` play scripted jobs in this process."""
    monkeypatch.setattr(queue_process, "launch", play_here)


@pytest.mark.usefixtures("scripted")
def test_an_experiment_on_the_command_line(project: Project, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(SMALL)
    (project.root / "fail").write_text("2")
    root = str(project.root)
    assert main(["lab", "status", root]) == 0
    assert "4 cells: 4 waiting; no queue is running" in capsys.readouterr().out
    assert main(["lab", "table", root]) == 0
    assert "meta: 2 waiting" not in capsys.readouterr().out.splitlines()[0]
    assert main(["lab", "run", root, "--jobs", "2"]) == 1
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "4 cells: 2 finished, 2 failed"
    assert "group, seed 2: failed, failed: ModelFailed" in printed
    (project.root / "fail").unlink()
    assert main(["lab", "run", root]) == 0
    capsys.readouterr()
    assert main(["lab", "status", root, "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert [line["status"] for line in told["cells"]] == ["finished"] * 4
    assert told["playing"] is False

    assert main(["lab", "table", root, "--json"]) == 0
    meta, group = orjson.loads(capsys.readouterr().out)["rows"]
    assert (meta["values"], meta["cells"], meta["finished"]) == ({"method": "meta"}, 2, 2)
    assert meta["score"]["questions"] == 1
    assert len(group["score"]["f1_by_seed"]) == 2
    assert group["kept"]
    assert main(["lab", "table", root]) == 0
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split()[:4] == ["method", "cells", "n", "EM"]
    assert heading.split()[-3:] == ["tokens", "generated", "s"]
    assert (first.split()[0], second.split()[0]) == ("meta", "group")
    assert main(["lab", "table", root, "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("| method | cells | n | EM | 95 % | F1 |")
    write(SMALL.replace("[settings]", "[settings]\nmodel.generated_price = 1000.0"))  # a price plays nothing again
    assert main(["lab", "table", root, "--json"]) == 0
    priced, _ = orjson.loads(capsys.readouterr().out)["rows"]
    assert priced["finished"] == 2
    assert (meta["score"]["money"], priced["score"]["money"]) == (None, 0.0)  # a scripted model generates no tokens
    assert main(["lab", "table", root]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("money of 1,000")


@pytest.mark.usefixtures("scripted")
def test_a_person_is_told_once_when_the_queue_ends(
    project: Project, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, told = tmp_path / "notify.toml", tmp_path / "told.jsonl"
    monkeypatch.setenv("AUTOACT_NOTIFY", str(settings))
    settings.write_text(f"""[keeper]\ncommand = ["sh", "-c", "cat >> '{told}'; echo >> '{told}'"]\n""")
    write(SMALL)
    (project.root / "fail").write_text("2")
    assert main(["lab", "run", str(project.root), "--jobs", "2"]) == 1
    (project.root / "fail").unlink()
    assert main(["lab", "run", str(project.root)]) == 0
    settings.write_text("details = true\n" + settings.read_text())
    assert main(["lab", "run", str(project.root)]) == 0
    first, second, third = map(orjson.loads, told.read_text().splitlines())
    name = project.root.name
    assert first["text"] == f"{name}: experiment failed, 2 of 4 cells finished"
    assert second["text"] == f"{name}: experiment finished, 4 of 4 cells finished"
    assert third["text"] == f"{name}: experiment finished, 4 of 4 cells finished (grid)"
    assert (first["occasion"], second["occasion"], first["done"], first["cells"]) == ("failed", "finished", 2, 4)


@pytest.mark.usefixtures("scripted")
def test_no_later_command_takes_a_run_of_an_experiment_by_itself(
    project: Project, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write(SMALL.replace('"meta", ', "").replace(", 2]", "]"))
    assert main(["lab", "run", str(project.root)]) == 0
    with pytest.raises(BadInput):
        latest_run(project.root)
    assert main(["runs", str(project.root)]) == 0
    assert "set aside: a run of the experiment grid, for group, seed 1" in capsys.readouterr().out


def test_a_detached_queue_is_stopped_and_goes_on(
    project: Project, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = write(SMALL.replace(", 2]", "]"))
    started: list[tuple[Path, str, tuple[str, ...]]] = []

    def start_in_session(output: Path, module: str, *arguments: str) -> None:
        started.append((output, module, arguments))

    monkeypatch.setattr(queue_process, "start_in_session", start_in_session)
    assert main(["lab", "run", str(project.root), "--detach", "--jobs", "2"]) == 0
    assert started == [(experiment.folder / "console.log", queue_process.MODULE, (str(experiment.folder), "2"))]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    assert main(["lab", "run", str(project.root), "--detach", "--cards", "2"]) == 0
    assert started.pop()[2] == (str(experiment.folder), "2", "0,1")  # as many runs as cards
    assert importlib.import_module(started[0][1]) is queue_process
    codes: list[int] = []
    queue = Queue(Grid.of(project, experiment), lambda folder, _: launch(folder, (JOB, "--slow")), lambda line: None)
    thread = threading.Thread(target=lambda: codes.append(len(queue.play())))
    thread.start()
    wait_for_run(project, set())
    assert is_playing(experiment.folder)
    assert main(["lab", "run", str(project.root)]) == 1
    assert "belongs to process" in capsys.readouterr().err
    with pytest.raises(RunBusy):
        play(project, experiment)
    queue.stop()
    thread.join()
    assert codes == [2]
    assert counts(project, experiment).get("stopped")
    monkeypatch.setattr(queue_process, "launch", play_here)
    assert queue_process.main(started[0][2]) == 0
    assert counts(project, experiment) == {"finished": 2}
    assert max(answers(project).values()) == 1
    assert main(["lab", "stop", str(project.root)]) == 2
    assert "no queue is running here" in capsys.readouterr().err


@pytest.mark.usefixtures("scripted")
def test_a_cell_whose_method_did_not_answer_has_failed(project: Project, write: Write) -> None:
    experiment = write(SMALL.replace("synthesis.samples = 1", "synthesis.samples = 1\nsynthesis.steps = 1"))
    assert main(["lab", "run", str(project.root)]) == 1
    cells = ExperimentProgress(Grid.of(project, experiment)).cell_progress()
    assert [cell.status for cell in cells] == ["finished", "finished", "failed", "failed"]
    assert {cell.cause.partition(":")[0] for cell in cells[2:]} == {"no answer by group"}


def test_a_journal_whose_last_line_was_cut_off(project: Project, write: Write, folder: RunFolder) -> None:
    experiment, runs = write(SMALL), folder.path.parent
    append_run(experiment.folder, folder.name, ["a", "b"])
    whole = (experiment.folder / FILE).read_bytes()
    (experiment.folder / FILE).write_bytes(whole + whole[:20])
    assert read_journal(experiment.folder, runs) == {"a": folder.name, "b": folder.name}
    append_run(experiment.folder, folder.name, ["c"])
    assert list(read_journal(experiment.folder, runs)) == ["a", "b", "c"]
    append_run(experiment.folder, "deleted", ["a"])
    assert read_journal(experiment.folder, runs)["a"] == folder.name
    (experiment.folder / FILE).write_text('{"run": "../elsewhere", "keys": []}\n')
    with pytest.raises(BadInput, match="line|:1"):
        read_journal(experiment.folder, runs)
    (experiment.folder / FILE).write_text("nonsense\n")
    with pytest.raises(BadInput, match=":1"):
        read_journal(experiment.folder, runs)
