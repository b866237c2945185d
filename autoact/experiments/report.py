"""The report of an experiment as HTML in one file, or as Markdown: tables, plots, wrong answers and settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from autoact.events import QuestionSolved
from autoact.experiments import paper as published
from autoact.experiments.experiment import FILE
from autoact.experiments.plots import Bar, Line, draw_bars, draw_lines
from autoact.experiments.progress import FINISHED, ExperimentProgress, describe_counts
from autoact.experiments.results import ResultRow, make_results, markdown_table, notes, table_cells
from autoact.files import disk
from autoact.project.project import Project
from autoact.run.record.folder import to_toml
from autoact.security import untrusted_text
from autoact.trajectory import Trajectory

MOST_WRONG = 8
"""The most wrong answers that are shown."""
LONGEST_OBSERVATION = 300
"""The most characters of an observation in them."""
DATA = ("project.toml", "examples.jsonl", "tools.toml", "questions/reference.jsonl", "questions/heldout.jsonl")
"""Files of a project whose digests the report has."""
STYLE = """body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
color: #111; background: #fff } table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .6rem; text-align: right } th:first-child, td:first-child
{ text-align: left }
pre { background: #f4f4f4; padding: .8rem; overflow-x: auto; white-space: pre-wrap }
svg { max-width: 100%; height: auto }"""


class Block(NamedTuple):
    """A part of a report. A figure is SVG, which only HTML has."""

    kind: Literal["heading", "text", "list", "table", "code", "figure"]
    text: str = ""
    lines: Sequence[str] = ()
    """The items of a list."""
    rows: Sequence[Sequence[str]] = ()
    """The rows of a table, headings first."""


def make_report(project: Project, progress: ExperimentProgress) -> list[Block]:
    """Returns the parts of the report of what is finished so far. Raises BadInput."""
    results = make_results(progress)
    return [
        Block("heading", progress.experiment.title),
        Block("text", f"Project {project.name}. {describe_counts(progress.cell_progress())}."),
        *(_compare_with_paper(project, results) if progress.experiment.name == published.NAME else ()),
        *_list_results(results),
        *_list_wrong_answers(progress),
        *_list_settings(project, progress),
    ]


def _compare_with_paper(project: Project, results: Sequence[ResultRow]) -> Iterator[Block]:
    paper, choice = published.read_paper(), project.config().task.answer == "choice"
    yield Block("heading", "Beside the paper")
    yield Block(
        "text", f"Published figures: {paper.source}. They are of {paper.setting}. Ours are of another model, other "
        "questions and other tools: compare differences between rows, not the figures themselves. All figures are "
        "percentages; intervals are 95 % bootstrap intervals over questions, seeds pooled.",
    )  # fmt: skip
    for table in published.compare(paper, results, choice=choice):
        yield Block("table", rows=[table.headings, *table.rows])
        if table.missing:
            yield Block("list", lines=table.missing)
    if not choice:  # the paper has this curve for HotpotQA alone
        yield from _plot_scale(paper, results)
    yield Block("heading", "What the paper claims, and what holds here")
    claims = [list(claim) for claim in published.judge_claims(paper, results)]
    yield Block("table", rows=[["claim", "here, by F1 on the same questions"], *claims])
    yield Block("text", "Not reproduced:")
    yield Block("list", lines=paper.missing)


def _plot_scale(paper: published.Paper, results: Sequence[ResultRow]) -> Iterator[Block]:
    """Yields the curve of the number of trajectories, ours beside the published ones."""
    ours = [(row.values["data"], row.score) for row in results if "data" in row.values and row.score]
    if len(ours) < 2:
        return
    points = [(float(data), 100 * score.f1) for data, score in ours]
    ends = [(100 * score.f1_interval[0], 100 * score.f1_interval[1]) for _, score in ours]
    table = paper.tables[-1]
    lines = [Line("ours", points, ends)]
    for at, model in enumerate(table.models):
        pairs = [(float(row.values["data"]), figure) for row in table.rows if (figure := row.hotpotqa[at]) is not None]
        lines.append(Line(model, pairs))
    yield Block("figure", draw_lines(lines, "trajectories to train on", "F1 %"))


def _list_results(results: Sequence[ResultRow]) -> Iterator[Block]:
    headings, rows = table_cells(results)
    yield Block("heading", "Results")
    yield Block("table", rows=[headings, *rows])
    if found := notes(results):
        yield Block("list", lines=found)
    bars = [
        Bar(row.title[:40], *(100 * value for value in (row.score.f1, *row.score.f1_interval)))
        for row in results
        if row.score
    ]
    if bars:
        yield Block("text", "F1 in percent, with 95 % intervals:")
        yield Block("figure", draw_bars(bars))


def _list_wrong_answers(progress: ExperimentProgress) -> Iterator[Block]:
    """Yields wrong answers of the first finished cell whose method has adapters, else of the first finished one."""
    done = [one for one in progress.cell_progress() if one.status == FINISHED]
    for one in sorted(done, key=lambda one: not one.cell.trained)[:1]:
        solved = progress.reader.read(one.run).state.solved
        wrong = [each for each in solved if each.cast == one.cell.method and each.scored and each.f1 == 0]
        yield Block("heading", "Wrong answers")
        yield Block("text", f"{len(wrong)} answers of {one.cell.title} have F1 0, in run {one.run}; the first are:")
        for each in wrong[:MOST_WRONG]:
            yield Block("code", describe_answer(each))


def describe_answer(solved: QuestionSolved) -> str:
    """Returns a question with its options, the steps of an answer, and the answer beside the expected one."""
    trajectory = solved.trajectory
    question = trajectory.question
    options = [f"  ({chr(65 + number)}) {choice}" for number, choice in enumerate(question.choices)]
    given = f"answer: {trajectory.answer or 'none'}; expected: {question.answer or 'not known'}"
    return "\n".join([f"question: {question.text}", *options, *_steps(trajectory), given])


def _steps(trajectory: Trajectory) -> Iterator[str]:
    for step in trajectory.steps:
        yield f"  thought: {step.thought}"
        yield f"  {step.action}[{step.argument}]"
        if step.observation:
            yield f"    {step.observation[:LONGEST_OBSERVATION]}"


def _list_settings(project: Project, progress: ExperimentProgress) -> Iterator[Block]:
    yield Block("heading", "Settings")
    yield Block("text", f"AutoAct {version('autoact-studio')}; the experiment, {FILE}:")
    yield Block("code", progress.experiment.text)
    yield Block("text", "The settings that all cells share:")
    yield Block("code", to_toml(msgspec.to_builtins(progress.cells[0].common)))
    yield Block("text", "The project's files now (SHA-256); a run keeps the data that it read in its own log:")
    digests = [f"{name}: {_digest(project.root / name)}" for name in DATA if (project.root / name).is_file()]
    runs = sorted({one.run for one in progress.cell_progress() if one.run})
    yield Block("list", lines=digests)
    yield Block("text", "The runs with the answers: " + (", ".join(runs) or "none yet") + ".")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_html(name: str, blocks: Sequence[Block]) -> Path:
    """Writes a report as one HTML file without scripts or links to other files; returns its path."""
    file = disk.expand_user(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    disk.rewrite(file, to_html(blocks).encode())
    return file


def to_html(blocks: Sequence[Block]) -> str:
    """Returns a report as HTML; control characters of texts are made visible."""
    title = _safe(next((block.text for block in blocks if block.kind == "heading"), "Report"))
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"<head>{meta}<title>{title}</title><style>{STYLE}</style></head>"
    body, level = [], 1
    for block in blocks:
        body.append(_html(block, level))
        level = 2
    return f'<!doctype html>\n<html lang="en">{head}\n<body>{"".join(body)}</body></html>\n'


def _safe(text: str) -> str:
    return escape("\n".join(untrusted_text.one_line(line) for line in text.split("\n")))


def _html(block: Block, level: int) -> str:
    match block.kind:
        case "heading":
            return f"<h{level}>{_safe(block.text)}</h{level}>\n"
        case "text":
            return f"<p>{_safe(block.text)}</p>\n"
        case "code":
            return f"<pre>{_safe(block.text)}</pre>\n"
        case "figure":
            return f"<p>{block.text}</p>\n"
        case "list":
            return "<ul>" + "".join(f"<li>{_safe(line)}</li>" for line in block.lines) + "</ul>\n"
    first, *rest = block.rows
    head = "".join(f"<th>{_safe(cell)}</th>" for cell in first)
    rows = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rest)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>\n"


def to_markdown(blocks: Sequence[Block]) -> str:
    """Returns a report as Markdown, without its plots. A text cannot become HTML."""
    lines: list[str] = []
    for block in blocks:
        before = len(lines)
        match block.kind:
            case "heading":
                lines += [f"{'##' if lines else '#'} {block.text}", ""]
            case "text":
                lines += [block.text, ""]
            case "list":
                lines += [*(f"- {line}" for line in block.lines), ""]
            case "code":
                lines += [*(f"    {line}" for line in block.text.split("\n")), ""]
            case "table":
                first, *rest = block.rows
                lines += [*markdown_table(first, rest), ""]
        if block.kind != "code":
            lines[before:] = [line.replace("<", "&lt;") for line in lines[before:]]
    return "\n".join(untrusted_text.whole(line) for line in lines)
