"""`autoact lab reproduce`: plays the paper's tables on a project, and shows ours beside the published figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoact.cli.project.trust import add_trust, open_trusted_project
from autoact.project.presets import PRESETS

if TYPE_CHECKING:
    from autoact.project.project import Project

MOST_JOBS, MOST_SEEDS = 64, 20
USUAL: dict[str, Any] = {"preset": "full", "seeds": 3, "limit": 0}
"""The options with which the experiment is made, and their defaults."""


def add(verbs: Any) -> None:
    """Adds the verb and its options."""
    parser = verbs.add_parser(
        "reproduce", help="play the paper's tables, and show ours beside the published figures",
        description="Makes the experiment `paper` of the project, with the methods, ablations, adapters and numbers of "
        "trajectories of the paper's tables, and plays what is missing of it; the same command resumes. --html and "
        "--markdown play nothing: they report what is finished so far.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("--preset", choices=PRESETS, help="settings of all cells of a new experiment (full)")
    parser.add_argument("--seeds", type=_number(MOST_SEEDS), metavar="N", help="seeds of a new experiment (3)")
    parser.add_argument(
        "--limit", type=_number(10**6), metavar="N", help="held-out questions of a new experiment (all)"
    )
    add_run_options(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--html", metavar="FILE", help="write the report as one HTML file")
    form.add_argument("--markdown", action="store_true", help="print the report as Markdown")
    add_trust(parser)
    parser.set_defaults(run=reproduce)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a verb that plays an experiment."""
    parser.add_argument(
        "--jobs",
        type=_number(MOST_JOBS),
        metavar="N",
        help="runs at the same time (as many as there are --cards, or 1)",
    )
    parser.add_argument(
        "--cards", default="", metavar="N_OR_IDS",
        help="GPUs to hand out, as a number or as ids such as 0,2: each run gets one, or as many as "
        "`differentiation.processes`, by CUDA_VISIBLE_DEVICES",
    )  # fmt: skip
    parser.add_argument("--detach", action="store_true", help="start it and leave it running")


def read_limits(arguments: argparse.Namespace) -> tuple[int, Sequence[str]]:
    """Returns the most runs at the same time, and the cards that they may use. Raises BadInput for other cards."""
    from autoact.model.memory_plan.cards import choose_cards

    cards = choose_cards(arguments.cards) if arguments.cards else ()
    return arguments.jobs or len(cards) or 1, cards


def _number(most: int) -> Any:
    """Returns a function that reads a number from 1 to `most`. It raises ArgumentTypeError for any other text."""

    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1 to {most}")
        return int(text)

    return read


def reproduce(arguments: argparse.Namespace) -> int:
    """Plays the paper's experiment, or reports it. Exit code 1 when a cell is not finished at the end."""
    from autoact.cli.lab.queue_process import play
    from autoact.experiments import paper
    from autoact.experiments.experiment import find_experiment
    from autoact.experiments.progress import ExperimentProgress, Grid
    from autoact.project.project import Project

    reports = arguments.html or arguments.markdown
    project = Project.open(arguments.project) if reports else open_trusted_project(arguments)
    if not reports:
        _make(project, arguments)
    experiment = find_experiment(project.root, paper.NAME)
    if not reports:
        return play(project, experiment, *read_limits(arguments), detach=arguments.detach)
    return _report(project, ExperimentProgress(Grid.of(project, experiment)), arguments)


def _make(project: Project, arguments: argparse.Namespace) -> None:
    """Makes the experiment if there is none. Raises BadInput for options that an existing one would not follow."""
    from autoact.errors import BadInput
    from autoact.experiments import paper
    from autoact.experiments.experiment import FILE, create_experiment, experiments_folder, list_experiments

    given = {name: value for name in USUAL if (value := getattr(arguments, name)) is not None}
    if paper.NAME not in list_experiments(project.root):
        create_experiment(project.root, paper.NAME, paper.make_experiment(**(USUAL | given)))
    elif given:
        file = experiments_folder(project.root) / paper.NAME / FILE
        raise BadInput(
            "the experiment is made already; edit it, or remove its folder", file=file, key=f"--{[*given][0]}"
        )


def _report(project: Project, progress: Any, arguments: argparse.Namespace) -> int:
    from autoact.experiments.report import make_report, to_markdown, write_html

    blocks = make_report(project, progress)
    print(write_html(arguments.html, blocks) if arguments.html else to_markdown(blocks))
    return 0
