"""The paper's tables as an experiment, and the results beside the published figures (paper.json names their source)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from statistics import fmean
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from autoact.experiments.results import ResultRow, percent
from autoact.metrics import interval
from autoact.registry.methods import METHODS

NAME = "paper"
"""The name of the experiment."""
OURS = "group"
"""The method of this name is the paper's AutoAct."""


class PublishedRow(Struct, frozen=True):
    """One row of a table of the paper."""

    name: str
    values: dict[str, Any]
    """The values of the cell that reproduces it."""
    hotpotqa: list[float | None]
    """F1 in percent by model; None where the paper has no figure."""
    scienceqa: list[float | None] = []
    """Accuracy in percent by model."""
    methods: list[str] = []
    """For a row of a method: names of METHODS that reproduce it, the best first."""


class PublishedTable(Struct, frozen=True):
    """One table or figure of the paper."""

    title: str
    models: list[str]
    rows: list[PublishedRow]


class Paper(Struct, frozen=True):
    """All published figures, and what the paper concludes from them."""

    source: str
    setting: str
    tables: list[PublishedTable]
    claims: list[tuple[str, str, str]]
    """The row that is better, the row that is worse, and the claim."""
    missing: list[str]
    """Tables and claims that nothing here reproduces."""


class PaperTable(NamedTuple):
    """A table of the paper with our figures beside the published ones."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    missing: list[str]
    """Rows without a figure of ours, each with the reason."""


def read_paper() -> Paper:
    """Returns the published figures."""
    text = resources.files("autoact.experiments").joinpath("paper.json").read_bytes()
    return msgspec.json.decode(text, type=Paper)


def paper_rows(paper: Paper) -> dict[str, dict[str, Any]]:
    """Returns the values of every row that can be reproduced, by its name."""
    rows: dict[str, dict[str, Any]] = {}
    for table in paper.tables:
        for row in table.rows:
            method = next((name for name in row.methods if name in METHODS), "")
            if method or not row.methods:
                rows.setdefault(row.name, row.values if method in ("", OURS) else {"method": method})
    return rows


def make_experiment(*, preset: str, seeds: int, limit: int) -> str:
    """Returns the text of the experiment. Seeds share the practice questions and trajectories, and train anew."""
    lines = [
        "# The paper's tables, made by `autoact lab reproduce`; may be edited before the first run.",
        'title = "The tables of the paper"',
        f'preset = "{preset}"',
        'seed_from = "differentiation"  # the seeds share the practice questions and the trajectories',
        "", "[settings]", f"group_planning.limit = {limit}  # held-out questions; 0 means all",
        "", "[axes]", f"seed = {[7 + number for number in range(seeds)]}",
    ]  # fmt: skip
    for name, values in paper_rows(read_paper()).items():
        lines += ["", "[[rows]]", f'name = "{name}"', *(f"{axis} = {_toml(value)}" for axis, value in values.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()  # texts, numbers and booleans are the same in both


def compare(paper: Paper, results: Sequence[ResultRow], *, choice: bool) -> list[PaperTable]:
    """Returns the paper's tables with our figures; `choice` compares accuracy on ScienceQA, else F1 on HotpotQA."""
    found = {str(row.values.get("name")): row for row in results}
    return [made for table in paper.tables if (made := _compare(table, found, choice=choice)) is not None]


def _compare(table: PublishedTable, found: Mapping[str, ResultRow], *, choice: bool) -> PaperTable | None:
    published = {row.name: row.scienceqa if choice else row.hotpotqa for row in table.rows}
    if not any(published.values()):
        return None
    measure = "accuracy" if choice else "F1"
    headings = [table.title, f"ours, {measure}", "95 %", "n", *table.models]
    rows = [
        [row.name, *_our_figures(found.get(row.name), choice=choice), *map(_figure, published[row.name])]
        for row in table.rows
    ]
    missing = [f"{row.name}: {why}" for row in table.rows if (why := _why_missing(row, found.get(row.name)))]
    return PaperTable(table.title, headings, rows, missing)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _our_figures(row: ResultRow | None, *, choice: bool) -> list[str]:
    if row is None or row.score is None:
        return ["", "", ""]
    score = row.score
    shown = percent(score.em, score.em_interval) if choice else percent(score.f1, score.f1_interval)
    return [*shown, f"{score.questions}"]


def _why_missing(row: PublishedRow, ours: ResultRow | None) -> str:
    """Returns why there is no figure of ours, or what is particular about it; empty if nothing is."""
    if ours is None:
        without = row.methods and not any(name in METHODS for name in row.methods)
        return "there is no such method here" if without else "the experiment has no row of this name"
    if ours.score is None:
        counts = ", ".join(f"{count} {status}" for status, count in ours.statuses.items())
        return "; ".join([f"no answers yet ({counts})", *ours.causes])
    said = []
    if ours.finished < ours.cells:
        said.append(f"only {ours.finished} of {ours.cells} seeds are finished")
    if row.methods and ours.method not in (row.methods[0], OURS):
        said.append(f"ours is the method `{ours.method}`, which comes nearest")
    if row.methods and ours.method in METHODS and METHODS.get(ours.method).gold:
        said.append(f"the method `{ours.method}` sees the gold answer, as in the original")
    wanted = row.values.get("data", 0)
    if ours.kept and min(ours.kept) < wanted:
        said.append(f"only {min(ours.kept)} trajectories were kept")
    return "; ".join(said)


def judge_claims(paper: Paper, results: Sequence[ResultRow]) -> Iterator[tuple[str, str]]:
    """Yields each claim of the paper with whether it holds here, by the F1 of the same questions."""
    found = {str(row.values.get("name")): row.f1_by_question for row in results}
    for better, worse, claim in paper.claims:
        high, low = found.get(better, {}), found.get(worse, {})
        differences = [high[question] - low[question] for question in high if question in low]
        yield claim, _verdict(differences)


def _verdict(differences: Sequence[float]) -> str:
    if not differences:
        return "not measured"
    low, high = (100 * end for end in interval(differences))
    figures = f"{100 * fmean(differences):+.1f} points, {low:+.1f} to {high:+.1f}, n = {len(differences)}"
    if low > 0:
        return f"holds here ({figures})"
    return f"does not hold here ({figures})" if high < 0 else f"cannot be said ({figures})"
