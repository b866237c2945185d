"""`autoact ask`: asks the group, or the meta-agent alone, one question and prints every turn."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from autoact.cli.project.trust import add_trust, open_trusted_project
from autoact.registry import load_plugins

if TYPE_CHECKING:
    from autoact.run.record.folder import RunFolder
    from autoact.trajectory import Trajectory


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser("ask", help="ask the trained group a question")
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("question")
    parser.add_argument(
        "--method",
        "--cast",
        dest="cast",
        type=_method,
        metavar="METHOD",
        default="group",
        help="group, meta, or another method of `autoact eval` (default: group)",
    )
    parser.add_argument("--base", default="", help="run whose adapters answer (default: the newest trained one)")
    parser.add_argument(
        "--session", action="store_true",
        help="ask the project's live session, which keeps the model loaded; start one if there is none",
    )  # fmt: skip
    parser.add_argument("--idle", type=int, help="seconds without a question after which a new session ends")
    parser.add_argument("--json", action="store_true", help="print the trajectory as JSON")
    add_trust(parser)
    parser.set_defaults(run=ask)


def _method(name: str) -> str:
    """Returns the name of a method that needs no gold answer. Raises ArgumentTypeError for any other."""
    from autoact.registry.methods import METHODS

    load_plugins()  # a method may come from one
    names = [method.name for method in METHODS if not method.gold]
    if name in METHODS and name not in names:
        raise argparse.ArgumentTypeError(f"`{name}` sees the gold answer, which only questions of `autoact eval` have")
    if name not in names:
        raise argparse.ArgumentTypeError(f"no method `{name}`; choose from {', '.join(names)}")
    return name


def ask(arguments: argparse.Namespace) -> int:
    """Starts a run of one question and prints its trajectory."""
    from autoact.cli.start.run_start import check, start
    from autoact.errors import BadInput
    from autoact.job.answer_config import make_answer_config

    if not arguments.question.strip():
        raise BadInput("expected a question, found nothing", key="QUESTION")
    project = open_trusted_project(arguments)
    if arguments.session:
        from autoact.cli.start.session import ask_session

        solved = ask_session(project, arguments.question.strip(), arguments.cast, arguments.base, arguments.idle)
        show(solved, as_json=arguments.json)
        return 0
    config = make_answer_config(project, arguments.base, (arguments.cast,), question=arguments.question.strip())
    check(project, config)
    return start(project, config, "ask", partial(print_trajectory, as_json=arguments.json), fresh=True)


def print_trajectory(folder: RunFolder, *, as_json: bool) -> None:
    """Prints the trajectory of a run of one question."""
    from autoact.run.record.state import RunState

    (solved,) = RunState.of(folder.events).solved
    show(solved.trajectory, as_json=as_json)


def show(trajectory: Trajectory, *, as_json: bool) -> None:
    """Prints a trajectory for a person or as JSON."""
    from autoact.cli.output import print_json, print_turns

    if as_json:
        print_json(trajectory)
    else:
        print_turns(trajectory)
