"""`autoact report`: one run, or several compared, as one HTML file or as Markdown."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autoact.cli.target import find_run_at

if TYPE_CHECKING:
    from autoact.cli.watch.compare import Compared
    from autoact.experiments.report import Block
    from autoact.lab.comparison import MethodComparison


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "report", help="write a run, or runs compared, as one HTML file or as Markdown",
        description="Reports a run: scores with intervals, counts, losses, wrong answers, signs of failure and "
        "settings. Several runs are also compared, on the questions that they share. The HTML file needs no other file "
        "and no network. Without --html, prints Markdown, which has no plots.",
    )  # fmt: skip
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="a run's folder, or a project for its live or latest run"
    )
    parser.add_argument("--run", dest="name", default="", help="which run of the project, by the beginning of its name")
    parser.add_argument("--html", metavar="FILE", help="write it as one HTML file")
    parser.set_defaults(run=report)


def report(arguments: argparse.Namespace) -> int:
    """Writes or prints the report. Raises BadInput for a run that is not found, or cannot be compared."""
    from autoact.cli.watch.compare import compare_runs
    from autoact.errors import BadInput
    from autoact.experiments.report import to_markdown, write_html
    from autoact.experiments.run_report import join_reports, make_run_report

    if arguments.name and len(arguments.runs) > 1:
        raise BadInput("goes with one project; name the folder of each run instead", key="--run")
    folders = [find_run_at(target, arguments.name) for target in arguments.runs]
    if len(folders) == 1:
        blocks = make_run_report(folders[0])
    else:
        compared = compare_runs(arguments.runs, unlike=True)
        blocks = join_reports(f"{len(folders)} runs compared", list(_comparison(compared)), folders)
    print(write_html(arguments.html, blocks) if arguments.html else to_markdown(blocks))
    return 0


def _comparison(compared: Compared) -> Iterator[Block]:
    from autoact.cli.watch.compare import HEADINGS, comparison_rows
    from autoact.experiments.report import Block

    runs = [f"{one.label}: {', '.join(manifest.run for manifest in one.manifests)}" for one in compared.read]
    yield Block("list", lines=runs)
    if wrong := [what.what for what in compared.unlike if what.condition]:
        yield Block("text", f"The runs differ in {', '.join(wrong)}, so their scores do not measure the same.")
    if compared.unknown:
        yield Block("text", f"Not recorded by every run, so perhaps different: {', '.join(compared.unknown)}.")
    headings = [heading.lower() for heading in HEADINGS]
    yield Block("table", rows=[headings, *(row for one in compared.made for row in comparison_rows(one))])
    yield Block("list", lines=[f"{one.first}, {one.second}: {one.words}{_left_out(one)}" for one in compared.made])
    differences = [what for what in compared.unlike if not what.condition]
    if differences:
        labels = ["setting", *(one.label for one in compared.read)]
        yield Block("table", rows=[labels, *([what.what, *what.values] for what in differences)])


def _left_out(one: MethodComparison) -> str:
    return f" ({one.left_out} questions left out, which not all of the runs answered)" if one.left_out else ""
