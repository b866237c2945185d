"""`autoact lab`: makes, plays, stops and shows the experiments of a project."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from autoact.cli.lab import reproduce
from autoact.cli.project.trust import add_trust, open_trusted_project

if TYPE_CHECKING:
    from autoact.experiments.progress import ExperimentProgress
    from autoact.project.project import Project

TEMPLATE = """# An experiment: `autoact lab run PROJECT {name}` plays its cells, `autoact lab table` scores them.
# Every combination of the values of [axes] is a cell. Cells that differ only in later stages share the earlier ones.
# A change here or in project.toml makes other cells: they are played anew from the first stage that differs.
title = "{name}"
preset = "quick"

[settings]               # of all cells, by section.key
group_planning.limit = 12

[axes]
seed = [7, 8]
method = ["meta", "group"]
# adapters = ["none", "one", "three", "per tool"]
# data = [0, 50, 100]    # trajectories to train on
# filtering = [true, false]
# reflection = [true, false]
# training = [true, false]
# rounds = [0, 1]
# model = ["smollm2-135m-instruct"]
# synthesis.samples = [1, 4]

# seed_from = "differentiation" (at the top) lets all seeds share the stages before it.
# [[rows]]               # values that are not a grid: each row is combined with the axes
# name = "minus reflection"
# reflection = false
"""


def add(subparsers: Any) -> None:
    """Adds all verbs of `autoact lab` and their options."""
    group = subparsers.add_parser("lab", help="experiments: many runs from one file, resumed, and scored in one table")
    verbs = group.add_subparsers(title="verbs", metavar="VERB", required=True)
    parser = verbs.add_parser("new", help="make an experiment to edit")
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("experiment", help="its name")
    parser.set_defaults(run=new)
    parser = _add_verb(verbs, "run", "play the cells that are not finished", run)
    reproduce.add_run_options(parser)
    add_trust(parser)
    parser = _add_verb(verbs, "status", "show how far each cell is", status)
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser = _add_verb(verbs, "table", "print scores by method and axes, pooled over seeds", table)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the rows as JSON")
    form.add_argument("--markdown", action="store_true", help="print a Markdown table")
    form.add_argument("--html", metavar="FILE", help="write a report with plots, wrong answers and settings to FILE")
    reproduce.add(verbs)
    _add_verb(verbs, "stop", "stop the queue of an experiment and its runs; `lab run` resumes them", stop)


def _add_verb(verbs: Any, name: str, words: str, function: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=words, description=f"{words[0].upper()}{words[1:]}. A project's experiments are files "
        "experiments/NAME/experiment.toml; `autoact lab new` makes one with all options.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("experiment", nargs="?", default="", help="its name (default: the only one)")
    parser.set_defaults(run=function)
    return parser


def new(arguments: argparse.Namespace) -> int:
    """Makes the folder and the file of an experiment. Raises BadInput when there is one of that name."""
    from autoact.experiments.experiment import create_experiment
    from autoact.project.project import Project

    project = Project.open(arguments.project)
    print(create_experiment(project.root, arguments.experiment, TEMPLATE.format(name=arguments.experiment)))
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Plays an experiment, here or in a process of its own. Exit code 1 when a cell is not finished at the end."""
    from autoact.cli.lab.queue_process import play
    from autoact.experiments.experiment import find_experiment

    project = open_trusted_project(arguments)
    experiment = find_experiment(project.root, arguments.experiment)
    return play(project, experiment, *reproduce.read_limits(arguments), detach=arguments.detach)


def _open(arguments: argparse.Namespace) -> tuple[Project, ExperimentProgress]:
    """Returns the project and the progress of the experiment that the arguments name. Raises BadInput."""
    from autoact.experiments.experiment import find_experiment
    from autoact.experiments.progress import ExperimentProgress, Grid
    from autoact.project.project import Project

    project = Project.open(arguments.project)
    return project, ExperimentProgress(Grid.of(project, find_experiment(project.root, arguments.experiment)))


def status(arguments: argparse.Namespace) -> int:
    """Prints a line for every cell, then the counts."""
    from autoact.cli.output import print_columns, print_json
    from autoact.experiments.progress import describe_counts, is_playing

    _, progress = _open(arguments)
    cells, playing = progress.cell_progress(), is_playing(progress.experiment.folder)
    if arguments.json:
        lines = [{"cell": one.cell.values, "status": one.status, "run": one.run, "cause": one.cause} for one in cells]
        print_json({"experiment": progress.experiment.name, "playing": playing, "cells": lines})
        return 0
    rows = [(one.cell.title, one.status, one.run, one.cause) for one in cells]
    print_columns([("CELL", "STATUS", "RUN", "REASON"), *rows])
    print(f"{describe_counts(cells)}; {'its queue is running' if playing else 'no queue is running'}")
    return 0


def table(arguments: argparse.Namespace) -> int:
    """Prints the scores of the finished cells."""
    from autoact.cli.output import print_columns, print_json, printable
    from autoact.experiments.report import make_report, write_html
    from autoact.experiments.results import HEADINGS, as_json, make_results, markdown_table, notes, table_cells

    project, progress = _open(arguments)
    if arguments.html:
        print(write_html(arguments.html, make_report(project, progress)))
        return 0
    rows = make_results(progress)
    headings, cells = table_cells(rows)
    if arguments.json:
        print_json(as_json(progress.experiment.name, rows))
        return 0
    if arguments.markdown:
        print(*map(printable, markdown_table(headings, cells)), sep="\n")
    else:
        print_columns([headings, *cells], "l" * headings.index(HEADINGS[0]) + "r" * len(HEADINGS))
    for note in notes(rows):
        print(printable(f"- {note}" if arguments.markdown else note))
    return 0


def stop(arguments: argparse.Namespace) -> int:
    """Asks the queue to stop; it stops its runs. Raises BadInput when none is running."""
    from autoact.errors import BadInput
    from autoact.experiments.experiment import find_experiment
    from autoact.project.project import Project
    from autoact.run.process import launch
    from autoact.run.record.folder import RunFolder

    experiment = find_experiment(Project.open(arguments.project).root, arguments.experiment)
    if not launch.stop(RunFolder(experiment.folder)):
        raise BadInput("no queue is running here; `autoact lab status` shows the cells", file=experiment.folder)
    print("stopping; `autoact lab run` goes on from here")
    return 0
