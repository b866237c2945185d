"""`autoact rate`: blind, stopped and resumed, with a second rater."""

from __future__ import annotations

import io
import re
from pathlib import Path

import orjson
import pytest

from autoact.cli import main
from autoact.project.project import Project

from .test_compare import answered


def rate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, keys: str, *words: str | Path
) -> str:  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
    assert main(["rate", *map(str, words), "--rater", "Ada"]) == 0
    return capsys.readouterr().out


def test_ratings_are_blind_and_go_on_after_a_stop(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answered(project, {"group": [0.0] * 4}, said="wood")
    second = answered(project, {"group": [1.0] * 4}, said="[b]iron", steps=6)
    text = rate(capsys, monkeypatch, "lx", first.path, second.path, "--answers")
    assert "4 pairs differ; 0 of them are rated by Ada" in text
    assert "expected one of l, r, s, w, b, q" in text
    assert "stopped; the same command goes on here" in text
    for name in (first.name, second.name, "group", "sign test"):
        assert name not in text  # nothing tells which is which
    assert text.count("[b]iron") == text.count("wood") == 2

    text = rate(capsys, monkeypatch, "sblwr", first.path, second.path, "--answers")
    assert "1 of them are rated by Ada" in text
    assert re.search(r"sign test p (1\.000|0\.250)\n", text)  # two of the three choices were for one side, or all
    lines = [orjson.loads(line) for line in (project.root / "ratings.jsonl").read_text().splitlines()]
    assert [one["choice"] for one in lines] == ["left", "same", "left", "both wrong", "right"]
    assert lines[1]["question"] == lines[2]["question"]  # taken back
    assert {one["left"] for one in lines} <= {f"{first.name}/group", f"{second.name}/group"}

    assert "0 of them are rated by" not in rate(capsys, monkeypatch, "", first.path, second.path, "--answers")
    monkeypatch.setattr("sys.stdin", io.StringIO("l\nl\n"))
    assert main(["rate", str(first.path), str(second.path), "--answers", "--rater", "Bob", "--limit", "2"]) == 0
    assert "Ada and Bob: Cohen's kappa" in capsys.readouterr().out
    assert main(["rate", str(first.path), str(second.path), "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert (sum(found["by_rater"]["Ada"].values()), found["agreement"][0]["n"]) == (4, 2)


def test_two_methods_of_one_run_with_their_steps(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = answered(project, {"meta": [0.0] * 2, "group": [1.0] * 2}, said="")
    text = rate(capsys, monkeypatch, "rr", folder.path, "--expected")
    assert "expected: x" in text
    assert "> Finish[group 0]" in text
    assert "B 2" in text or "A 2" in text or "A 1, B 1" in text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--method", "none"], "has no scored answers by `none`; it has those of meta, group"),
        (["--method", "group"], "expected two runs, or one run and two methods"),
        (["--limit", "-1"], "expected a number from 0"),
    ],
)
def test_what_cannot_be_rated(
    words: list[str], reason: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = answered(project, {"meta": [0.0], "group": [1.0]})
    assert main(["rate", str(folder.path), *words]) == 2
    assert reason in capsys.readouterr().err
