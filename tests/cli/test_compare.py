"""`autoact compare` over runs whose logs are known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import orjson
import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter
from autoact.trajectory import Question, Step, Trajectory

HALF = [1.0, 0.0] * 10


def answered(
    project: Project, scores: dict[str, list[float]], *, seed: int = 7, corpus: str = "c1", steps: int = 4,
    types: tuple[str, ...] = (), model: dict[str, float] | None = None,
    said: str = "x",
) -> RunFolder:  # fmt: skip
    """A run whose methods have these scores; questions have these types in turn, and 25 tokens are generated each.

    All answers are `said`; without it, each says its method and number.
    """
    folder = new_run(project.root, "eval", {}, now=datetime(2026, 11, 22, 14, 30))
    config = {"model": {"seed": seed, **(model or {})}, "group_planning": {"steps": steps}}
    with LogWriter(folder) as log:
        log.append(happened.RunOpened(1, 7, "here", "scripted", config, {"corpus": corpus} if corpus else {}))
        for cast, values in scores.items():
            for n, f1 in enumerate(values):
                question = Question(f"q-{n}", f"{n}?", "x", type=types[n % len(types)] if types else "")
                answer = said or f"{cast} {n}"
                made = Trajectory(f"{cast}-{n}", question, (Step("So.", "Finish", answer),), answer, cast=cast)
                log.append(happened.ModelAnswered(f"{cast}-{n}", 0, "0", "meta", "thought", "x", (1,) * 25))
                log.append(happened.QuestionSolved(cast, made, f1, f1, True, 2.0, 100))
        log.append(happened.RunFinished())
    return folder


def compared(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[str, str]:
    assert main(["compare", *map(str, words)]) == 0
    printed = capsys.readouterr()
    return printed.out, printed.err


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["compare", *map(str, words)]) == 2
    return capsys.readouterr().err


def test_the_methods_of_one_run(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = answered(project, {"meta": [0.0] * 20, "group": HALF, "group-best": [0.0] * 20})
    text, _ = compared(capsys, folder.path)
    assert text == compared(capsys, project.root)[0]  # its latest run
    name, _, headings, *rows = text.splitlines()
    assert name == f"run  {folder.name}"
    assert headings.split()[:3] == ["COMPARED", "OF", "N"]
    assert " ".join(rows[0].split()) == "meta, group EM 20 0.0 50.0 +50.0 +30.0 to +70.0 0.002 0.004"
    assert "meta, group: group is better: +50.0 points of F1 (+30.0 to +70.0); of one seed" in text
    assert "meta, group-best: both score the same on every question" in text
    assert "group-best" not in compared(capsys, folder.path, "--method", "meta,group")[0]


def test_two_runs_and_what_they_differ_in(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first = answered(project, {"meta": HALF, "group": [0.0] * 20})
    second = answered(project, {"group": HALF}, steps=6)
    text, _ = compared(capsys, first.path, second.path)
    assert f"A  {first.name}\nB  {second.name}\ndiffers  group_planning.steps: 4 | 6\n" in text
    assert "not recorded by every run, so perhaps different: tools, prompts, model" in text
    assert "A group, B group: B group is better" in text
    assert "meta" not in text
    third = answered(project, {"other": HALF})
    assert "A meta, B other: both score the same" in compared(capsys, first.path, third.path)[0]


def test_unlike_runs_are_refused_unless_it_is_said(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first = answered(project, {"group": [0.0] * 20})
    second = answered(project, {"group": HALF[:12]}, corpus="c2")
    error = refused(capsys, first.path, second.path)
    assert "the runs differ in questions, corpus, so their scores do not measure the same; --unlike" in error
    text, warned = compared(capsys, first.path, second.path, "--unlike")
    assert "warning: unlike  corpus: c1 | c2" in warned
    assert "B group is better" in text
    assert "(8 questions left out, which not all of the runs answered)" in text
    unknown = answered(project, {"group": HALF}, corpus="")
    assert "perhaps different: corpus, tools" in compared(capsys, first.path, unknown.path)[0]


def test_the_types_of_questions_and_the_costs(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {"meta": [0.0] * 22, "group": [*HALF, 1.0, 1.0]}
    types = ("bridge", "comparison") * 10 + ("odd", "odd")
    first = answered(project, scores, types=types, model={"prompt_price": 2.0, "generated_price": 8.0})
    rows = [" ".join(line.split()) for line in compared(capsys, first.path)[0].splitlines()]
    assert "F1, type bridge 10 0.0 100.0 +100.0 +100.0 to +100.0 0.002 0.006" in rows
    assert "F1, type comparison 10 0.0 0.0 +0.0 +0.0 to +0.0 1.000 1.000" in rows
    assert "F1, type odd 2 0.0 100.0 +100.0 too few" in rows
    assert "generated tokens 25 25 +0" in rows
    assert "money of 1,000 0.3500 0.3500 +0.0000" in rows  # 75 prompt tokens and 25 generated ones each


def test_without_prices_no_money_is_told_and_those_set_later_count(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = answered(project, {"meta": HALF, "group": HALF})
    text, _ = compared(capsys, folder.path)
    assert ("generated tokens" in text, "money" in text) == (True, False)
    settings = project.root / "project.toml"
    settings.write_text(settings.read_text().replace("[model]", "[model]\ngenerated_price = 8.0"))
    assert "money of 1,000" in compared(capsys, folder.path)[0]


def test_seeds_are_one_side(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first = [answered(project, {"group": [0.0] * 20}, seed=seed) for seed in (1, 2)]
    second = [answered(project, {"group": HALF}, seed=seed, steps=6) for seed in (1, 2)]
    sides = [",".join(str(one.path) for one in side) for side in (first, second)]
    assert "over 2 seeds" in compared(capsys, *sides)[0]
    error = refused(capsys, f"{first[0].path},{second[0].path}", sides[1])
    assert "runs joined by commas differ in group_planning.steps; expected only model.seed to differ" in error


def test_the_same_as_json(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = answered(project, {"group": [0.0] * 20}), answered(project, {"group": HALF}, steps=6)
    text, _ = compared(capsys, first.path, second.path, "--json", "--difference", "5")
    found = orjson.loads(text)
    (made,) = found["comparisons"]
    assert (made["first"], made["second"], made["n"]) == ("A group", "B group", 20)
    assert (made["f1"]["difference"], made["em"]["p"]) == (0.5, 2 / 1024)
    assert made["f1"]["needed"] == 827  # (1.959964 + 0.841621)^2 * 0.263158 / 0.05^2
    assert [one["what"] for one in found["unlike"]] == ["group_planning.steps"]
    assert [one["run"] for one in found["manifests"]] == [first.name, second.name]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--method", "none"], "no answers by `none`; there are those of group"),
        (["--difference", "0"], "expected points above 0"),
        ([], "there is nothing to compare; expected two methods, or a second run"),
    ],
)
def test_what_cannot_be_compared(
    words: list[str], reason: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = answered(project, {"group": HALF})
    assert reason in refused(capsys, folder.path, *words)


def test_a_run_without_scores(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert "has no scored answers; `autoact eval` makes some" in refused(capsys, answered(project, {}).path)
