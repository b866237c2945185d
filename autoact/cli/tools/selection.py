"""`autoact tools select`: runs tool selection alone and prints the meta-agent's choice with its reasons."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from autoact.cli.project.trust import add_trust, open_trusted_project

if TYPE_CHECKING:
    from autoact.project.project import Project
    from autoact.run.record.folder import RunFolder
    from autoact.run.record.state import RunState
    from autoact.tools.library.shortlist import ToolFit


def add(verbs: Any) -> None:
    """Adds the verb and its options."""
    parser = verbs.add_parser(
        "select", help="let the meta-agent choose the tools that the task needs",
        description="Offers the tools whose descriptions fit the task best, and prints which the meta-agent selects "
        "and its reasons. Writes only a run with this one stage.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument(
        "--explain", action="store_true", help="every tool, with its score and the reason it was not selected"
    )
    parser.add_argument("--detach", action="store_true", help="start it, print the run's name, and leave it running")
    parser.add_argument("--json", action="store_true")
    add_trust(parser)
    parser.set_defaults(run=select)


def select(arguments: argparse.Namespace) -> int:
    """Starts a run of tool selection alone and follows it to its end."""
    from msgspec.structs import replace

    from autoact.cli.start.run_start import check, start
    from autoact.registry.stages import TOOL_SELECTION

    project = open_trusted_project(arguments)
    config = project.config()
    config = replace(config, run=replace(config.run, stages=(TOOL_SELECTION,)))
    check(project, config)
    show = partial(print_selection, project, explain=arguments.explain, as_json=arguments.json)
    return start(project, config, "tools", show, fresh=True, detach=arguments.detach)


def print_selection(project: Project, folder: RunFolder, *, explain: bool, as_json: bool) -> None:
    """Prints the selection of a run; with `explain`, every tool in the order of its score."""
    from autoact.cli.output import print_columns, print_json
    from autoact.run.record.state import RunState

    state = RunState.of(folder.events)
    fits = _rank_tools(project) if explain else []
    if as_json:
        print_json(
            {
                "run": folder.name,
                "selected": [{"tool": tool, "why": why} for tool, why in state.selected],
                "passed_over": [{"tool": tool, "why": why} for tool, why in state.passed_over],
                "fits": [
                    {"tool": fit.tool.name, "score": fit.score, "shown": fit.uses, "words": fit.words} for fit in fits
                ],
            }
        )
        return
    rows = [(str(place), tool, why) for place, (tool, why) in enumerate(state.selected, 1)]
    print_columns([("CHOICE", "TOOL", "WHY"), *rows], "r")
    if explain:
        print()
        print_columns([("RANK", "SCORE", "TOOL", "FIT", "PASSED OVER"), *_explanation_rows(state, fits)], "rr")


def _rank_tools(project: Project) -> list[ToolFit]:
    from autoact.job.inputs import open_library
    from autoact.tools.library.shortlist import rank_tools

    library, corpus = open_library(project)
    try:
        return rank_tools(project.config().task.description, project.examples(), library.ready())
    finally:
        library.close()
        corpus.close()


def _explanation_rows(state: RunState, fits: list[ToolFit]) -> list[tuple[str, ...]]:
    passed = dict(state.passed_over)
    ranks = [
        (str(rank), f"{fit.score:.2f}", fit.tool.name, fit.reason(), passed.pop(fit.tool.name, ""))
        for rank, fit in enumerate(fits, 1)
    ]
    return [*ranks, *(("-", "-", tool, "cannot run here", why) for tool, why in passed.items())]
