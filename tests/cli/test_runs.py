"""Runs in a table, and one run in figures, from logs alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import orjson
import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.cli.watch import follow
from autoact.cli.watch.follow import ProgressLine, describe_stage
from autoact.lab.precision import choose_sample
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter, Record
from autoact.run.record.marks import write_mark
from autoact.run.record.state import RunState, fold
from autoact.trajectory import Adapter, Question, Trajectory, Verdict

QUESTION = Question("q", "?", "a", level="easy")


@pytest.fixture
def finished(project: Project) -> RunFolder:
    folder = new_run(project.root, "quick", {}, now=datetime(2026, 11, 22, 14, 30))
    trajectory = Trajectory("t-1", QUESTION, (), "a")
    with LogWriter(folder) as log:
        log.append(happened.RunOpened(1, 7, "here", "scripted"))
        log.append(happened.StageStarted("synthesis", 1))
        log.append(happened.QuestionAccepted(QUESTION))
        log.append(happened.ModelAnswered("t-1", 0, "d", "meta", "thought", "hm", (1, 2), 100, 100, 4.0))
        log.append(happened.ModelAnswered("t-1", 1, "d", "meta", "action", "hm", (1,), 112, 10, 4.0))
        log.append(happened.TrajectoryCommitted(trajectory))
        log.append(happened.StageProgressed("synthesis", 1, 1))
        log.append(happened.StageFinished("synthesis", 1, 61.0))
        log.append(happened.TrajectoryJudged(Verdict("t-1", True, 1.0)))
        log.append(happened.AdapterReady(Adapter("plan", "adapters/plan", "00", 3, 2.5)))
        log.append(happened.QuestionSolved("group", trajectory, 1.0, 1.0, True, 2.0, 50))
        log.append(happened.RunFinished())
    return folder


def test_runs_lists_the_newest_first(finished: RunFolder, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    fresh = new_run(project.root, "full", {}, now=datetime(2026, 11, 23, 9, 0))
    assert main(["runs", str(project.root)]) == 0
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["RUN", "STATUS"]
    assert first.split()[:2] == [fresh.name, "interrupted"]
    assert second.split()[:4] == [finished.name, "finished", "synthesis", "1/1"]
    assert second.endswith("group 100.0")
    assert main(["runs", str(project.root), "--json"]) == 0
    _, line = orjson.loads(capsys.readouterr().out)
    assert (line["questions"], line["kept"], line["adapters"], line["f1"]) == (1, 1, ["plan"], {"group": 1.0})


def test_runs_shows_the_best_of_many_scores(
    finished: RunFolder, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    trajectory = Trajectory("t-1", QUESTION, (), "b")
    with LogWriter(finished) as log:
        for number, cast in enumerate(("react", "cot", "plan", "meta")):
            log.append(happened.QuestionSolved(cast, trajectory, 0.0, number / 10, True, 2.0, 50))
    assert main(["runs", str(project.root)]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("group 100.0, meta 30.0, plan 20.0 and 2 more")


def test_runs_of_a_new_project(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(project.root)]) == 0
    assert "no runs yet" in capsys.readouterr().out


def test_stats_finds_the_run_by_folder_by_project_and_by_name(
    finished: RunFolder, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([str(finished.path)], [str(project.root)], [str(project.root), "--run", finished.name[:16]]):
        assert main(["stats", *words, "--json"]) == 0
        made = orjson.loads(capsys.readouterr().out)
        assert (made["run"], made["verdict"], made["status"]) == (finished.name, "finished", "finished")
    cost = made["tokens"]["synthesis"]
    assert (cost["calls"], cost["prefilled"], cost["distinct_prompt_tokens"], cost["prefill_ratio"]) == (
        2,
        110,
        110,
        1.0,
    )
    assert made["tokens_by_role"]["synthesis"]["meta"] == cost
    (score,) = made["scores"]
    assert (score["cast"], score["n"], score["f1"], score["f1_interval"]) == ("group", 1, 1.0, [1.0, 1.0])
    assert made["adapters"][0]["loss"] == 2.5


def test_stats_for_a_person(finished: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    finished.events.write_bytes(finished.events.read_bytes() + b'{"v":1,"seq')
    assert main(["stats", str(finished.path)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(f"run {finished.name}: finished")
    assert ["synthesis", "finished", "1/1", "1", "min", "01", "s"] in [line.split() for line in shown]
    assert ["synthesis", "meta", "2", "212", "110", "110", "1.000", "3"] in [line.split() for line in shown]
    assert shown[-1] == "the log ends with 11 bytes of an unfinished line"


def test_stats_with_marks(finished: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    made = [Question(f"s-{number}", f"Question {number}?", "a", "instructed") for number in range(30)]
    with LogWriter(finished) as log:
        for question in made:
            log.append(happened.QuestionAccepted(question))
    assert main(["stats", str(finished.path)]) == 0
    assert "precision" not in capsys.readouterr().out
    for place, key in enumerate(choose_sample(made)[:12]):
        write_mark(finished, key, place > 0)
    assert main(["stats", str(finished.path)]) == 0
    assert "precision     marked 12 of 20: 11 right, 92 % (65 to 99)\n" in capsys.readouterr().out
    assert main(["stats", str(finished.path), "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)["precision"]
    assert (found["sample"], found["marked"], found["right"], round(found["share"], 2)) == (20, 12, 11, 0.92)
    assert [round(end, 2) for end in found["interval"]] == [0.65, 0.99]
    finished.marks.write_text("nonsense\n")
    assert main(["stats", str(finished.path)]) == 2
    assert f"{finished.marks}:1: expected" in capsys.readouterr().err


def test_stats_of_nothing(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", str(project.root)]) == 2
    assert "has no runs yet" in capsys.readouterr().err
    assert main(["stats", str(tmp_path / "nowhere")]) == 2
    assert "or the folder of a run" in capsys.readouterr().err
    fresh = new_run(project.root, "quick", {}, now=datetime(2026, 11, 22, 14, 30))
    assert main(["stats", str(fresh.path)]) == 0
    assert main(["stats", str(fresh.path), "--run", "x"]) == 2


@pytest.mark.parametrize("name", ["events.jsonl", "run.lock", "pulse.json"])
def test_a_run_whose_files_are_none(
    finished: RunFolder, obstacle: Callable[[Path], str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    why = f"expected a file, found {obstacle(finished.path / name)}"
    for words in (["runs", str(finished.path.parent.parent)], ["stats", str(finished.path)]):
        assert main(words) == 0
        told = capsys.readouterr().out
        assert "unreadable" in told
        assert why in told
    code = main(["attach", str(finished.path)])
    told = capsys.readouterr().err
    if name == "pulse.json":  # the log says how it ended
        assert code == 0
    else:
        assert code > 0
        assert why in told
    assert main(["log", str(finished.path)]) == 0
    assert (why in capsys.readouterr().err) == (name == "events.jsonl")
    obstacle(finished.console)
    assert main(["log", str(finished.path), "--console"]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(("stage", "nouns"), [("session", "answers"), ("of_a_newer_version", "results")])
def test_a_stage_outside_the_pipeline_is_watched_to_its_end(
    stage: str, nouns: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state, progress = RunState(), ProgressLine()
    for seq, event in enumerate((happened.StageStarted(stage), happened.StageFinished(stage, 3, 61.0))):
        fold(state, Record(seq, 1.0, event, ""))
        progress.show(state)
    assert capsys.readouterr().err.splitlines()[-1] == f"{stage}: 3 {nouns} in 1 min 01 s"


def test_a_stage_tells_what_it_does_before_its_first_result(capsys: pytest.CaptureFixture[str]) -> None:
    state = RunState()
    for seq, event in enumerate((
        happened.StageStarted("self_instruct", 16),
        happened.ModelAnswered("q-0001", 0, "d", "meta", "text", "hm"),
        happened.StageProgressed("self_instruct", 0, 16, tried=1),
    )):  # fmt: skip
        fold(state, Record(seq, 1.0, event, ""))
    assert describe_stage("self_instruct", state) == "self_instruct: 0/16, 1 tried, 0 refused, 1 model answer"
    ProgressLine().show(RunState(), doing="loading smollm2-135m-instruct")
    assert capsys.readouterr().err == "loading smollm2-135m-instruct ...\n"


def test_group_planning_in_a_file_has_a_line_for_each_method(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "EVERY_FILE", 0.0)
    state, progress = RunState(), ProgressLine()
    answers = [(cast, f"{cast}-{number}", float(number)) for cast in ("meta", "group") for number in range(2)]
    solved = [
        event
        for done, (cast, unit, f1) in enumerate(answers, 1)
        for event in (
            happened.QuestionSolved(cast, Trajectory(unit, QUESTION, ()), 0.0, f1, True, 1.0, 90 + done),
            happened.StageProgressed("group_planning", done, 4),
        )
    ]
    fork = happened.QuestionSolved("group", Trajectory("group-0~1", QUESTION, ()), tokens=9)
    events = [
        happened.StageStarted("group_planning", 4),
        *solved,
        fork,
        happened.StageFinished("group_planning", 4, 61.0),
    ]
    for seq, event in enumerate(events):
        fold(state, Record(seq, 1.0, event, ""))
        progress.show(state)
    assert capsys.readouterr().err.splitlines() == [
        "group_planning: 0/4",
        "meta: 2 answers, F1 50.0, EM 0.0, 92 tokens each",
        "group: 2 answers, F1 50.0, EM 0.0, 94 tokens each",
        "group_planning: 4 answers in 1 min 01 s",
    ]
