"""The paper's tables: the experiment, ours beside the published figures, and the report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from test_queue import GRID, play_here

from autoact.cli import main
from autoact.cli.lab import queue_process
from autoact.experiments.cells import expand
from autoact.experiments.experiment import Experiment, find_experiment
from autoact.experiments.paper import compare, judge_claims, make_experiment, paper_rows, read_paper
from autoact.experiments.plots import Bar, Line, draw_bars, draw_lines
from autoact.experiments.report import Block, to_html, to_markdown
from autoact.experiments.results import PooledScore, ResultRow
from autoact.project.project import Project
from autoact.registry.methods import METHODS

Write = Callable[[str], Experiment]
OUTSIDE = re.compile(r"(?:src|href)=|url\(|@import|<script|<link|<iframe")
"""What would load something from elsewhere."""


class Structure(HTMLParser):
    """Checks that every tag is closed, and counts them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def result(name: str, f1: list[float], **changes: object) -> ResultRow:
    """A row whose questions have these F1."""
    mean = sum(f1) / len(f1)
    score = PooledScore(len(f1), mean, (0.0, 1.0), mean, (0.0, 1.0), (mean,), 1.0, 1.0)
    values: dict[str, object] = {"name": name, **changes}
    by_question = {f"q-{number}": value for number, value in enumerate(f1)}
    return ResultRow(values, "group", 1, 1, {"finished": 1}, (), ("run",), (), score, by_question)


def test_the_figures_are_those_of_the_data_set(shared: Path) -> None:
    facts = json.loads((shared / "data" / "paper.json").read_text())
    methods, ablations, division, scale = read_paper().tables
    found = {
        (model, row.name): (row.hotpotqa[at], row.scienceqa[at])
        for row in methods.rows
        for at, model in enumerate(methods.models)
        if row.hotpotqa[at] is not None
    }
    assert found == {
        (one["model"].removesuffix("-chat").removesuffix("-Turbo"), one["method"]): (
            one["hotpotqa_f1"]["All"], one["scienceqa_acc"]["All"],
        )
        for one in facts["main_results"]
    }  # fmt: skip
    told = {row.name: [*row.hotpotqa, *row.scienceqa] for row in ablations.rows}
    assert told == {name: row for name, row in facts["ablation_llama2_70b"].items() if name != "columns"}
    divided = facts["division_of_labour_hotpotqa_f1_digitised"]
    assert [row.hotpotqa for row in division.rows] == [
        [divided[size][name][3] for size in ("7b", "13b", "70b")] for name in ("One", "Three", "Tool-Specified")
    ]
    curves = facts["data_scale_hotpotqa_overall_f1_digitised"]
    assert [row.values["data"] for row in scale.rows] == curves["n_trajectories"]
    for at, size in enumerate(("7b", "13b", "70b")):
        assert [row.hotpotqa[at] for row in scale.rows] == curves[f"{size} self"]


def test_every_row_that_can_be_reproduced_is_a_cell(project: Project, write: Write) -> None:
    cells = expand(project, write(make_experiment(preset="quick", seeds=2, limit=3)))
    names = {str(cell.values["name"]) for cell in cells}
    assert len(cells) == 2 * len(names)
    assert names == set(paper_rows(read_paper()))
    assert {"AutoAct", "ReAct", "- filtering", "one adapter", "200 trajectories"} <= names
    assert ("Chameleon" in names) == ("chameleon" in METHODS)
    by_name = {str(cell.values["name"]): cell for cell in cells}
    assert (by_name["AutoAct"].method, by_name["- fine-tuning"].method) == ("group", "meta")
    assert by_name["- filtering"].config.filtering.everything


def test_every_row_of_a_method_names_one_that_there_is() -> None:
    named = {row.name: row.methods for table in read_paper().tables for row in table.rows if row.methods}
    assert [name for name, methods in named.items() if not any(method in METHODS for method in methods)] == []


def test_claims_hold_do_not_hold_or_cannot_be_said() -> None:
    rows = [
        result("AutoAct", [1.0, 0.9, 1.0, 0.8] * 5), result("ReAct", [0.1, 0.0, 0.2, 0.1] * 5),
        result("- reflection", [0.0, 1.0] * 10), result("- multi", [1.0] * 20),
    ]  # fmt: skip
    verdicts = dict(judge_claims(read_paper(), rows))
    assert verdicts["AutoAct answers better than ReAct"].startswith("holds here (+82.5 points")
    assert verdicts["several adapters are better than one"].startswith("does not hold here (-7.5 points")
    assert verdicts["reflection helps"].startswith("holds here")
    assert verdicts["filtering helps"] == "not measured"
    level = [result("AutoAct", [0.0, 1.0] * 10), result("- filtering", [1.0, 0.0] * 10)]
    assert dict(judge_claims(read_paper(), level))["filtering helps"].startswith("cannot be said (+0.0 points")


def test_what_is_missing_is_said_in_words() -> None:
    methods, *_, scale = compare(read_paper(), [result("300 trajectories", [1.0], data=300)], choice=False)
    assert [row[:4] for row in scale.rows if row[1]] == [["300 trajectories", "100.0", "0.0 to 100.0", "1"]]
    assert "AutoAct: the experiment has no row of this name" in methods.missing
    assert scale.headings[-1] == "Llama-2-70B"
    choice = compare(read_paper(), [], choice=True)
    assert [table.title for table in choice] == ["Methods", "Ablations"]  # the others are of HotpotQA alone
    assert choice[1].rows[0][-1] == "78.6"


def test_plots_are_closed_and_escape_their_words() -> None:
    bars = draw_bars([Bar("<b> & \x1b[2J", 50.0, 40.0, 60.0), Bar("other", 0.0, 0.0, 0.0)])
    lines = draw_lines(
        [Line("ours", [(0, 1), (50, 20)], [(0, 5), (10, 30)]), Line("7B", [(0, 2), (50, 40)])], "n", "F1"
    )
    assert Structure(bars).counts == {"svg": 1, "rect": 2, "text": 4, "line": 2}
    assert Structure(lines).counts["polyline"] == 2
    assert "&lt;b&gt; &amp;" in bars
    assert "\x1b" not in bars


def test_a_report_shows_hostile_text_as_text() -> None:
    hostile = "<script>alert(1)</script> \x1b[31m ‮ | end"
    blocks = [
        Block("heading", hostile), Block("text", hostile), Block("list", lines=[hostile]), Block("code", hostile),
        Block("table", rows=[[hostile], [hostile]]),
    ]  # fmt: skip
    text = to_html(blocks)
    assert not OUTSIDE.search(text)
    assert Structure(text).counts["td"] == 1
    assert not re.search("[\x1b‮]", text + to_markdown(blocks))
    assert not any("<s" in line for line in to_markdown(blocks).split("\n") if not line.startswith("    "))


@pytest.mark.parametrize("again", [("--preset", "full"), ("--seeds", "1"), ("--limit", "9")])
def test_the_options_are_for_a_new_experiment(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], again: tuple[str, str]
) -> None:
    monkeypatch.setattr(queue_process, "play", lambda *_, detach: 0)
    root = str(project.root)
    assert main(["lab", "reproduce", root, "--html", "report.html"]) == 2
    assert main(["lab", "reproduce", root, "--preset", "quick", "--seeds", "2", "--limit", "3"]) == 0
    made = find_experiment(project.root, "paper")
    assert (made.preset, made.axes["seed"], made.settings["group_planning.limit"]) == ("quick", [7, 8], 3)
    assert main(["lab", "reproduce", root]) == 0
    assert main(["lab", "reproduce", root, *again]) == 2
    assert f"key `{again[0]}`: the experiment is made already" in capsys.readouterr().err


def test_the_paper_from_scripted_runs(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(queue_process, "launch", play_here)
    monkeypatch.setattr("autoact.experiments.queue.LOOK", 0.0)
    text = make_experiment(preset="quick", seeds=1, limit=0).replace("[settings]", GRID[: GRID.index("[axes]")].strip())
    folder = project.root / "experiments" / "paper"
    folder.mkdir(parents=True)
    (folder / "experiment.toml").write_text(text.replace("model.engine", "model.engine", 1))
    root, html = str(project.root), tmp_path / "report.html"
    assert main(["lab", "reproduce", root]) == 0
    capsys.readouterr()
    assert main(["lab", "reproduce", root, "--html", str(html)]) == 0
    assert capsys.readouterr().out == f"{html}\n"
    page = html.read_text()
    assert not OUTSIDE.search(page)
    counts = Structure(page).counts
    assert (counts["svg"], counts["h1"]) == (2, 1)
    assert counts["table"] == 4 + 2  # the paper's, the claims, the results
    for said in ("48.5", "Beside the paper", "cannot be said", "Wrong answers", "model.engine = &quot;scripted&quot;"):
        assert said in page, said
    assert main(["lab", "reproduce", root, "--markdown"]) == 0
    told = capsys.readouterr().out
    assert "| AutoAct | " in told
    assert "- Reflexion: the method `reflexion-gold` sees the gold answer, as in the original" in told
    assert "there is no such method here" not in told
    assert "300 trajectories: only " in told
    assert main(["lab", "table", root, "paper", "--html", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_text() == page
