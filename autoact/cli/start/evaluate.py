"""`autoact eval`: answers held-out questions or a data set and prints exact match, F1, tokens and seconds."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.project.config import Config
    from autoact.project.project import Project

from autoact.cli.project.trust import add_trust, open_trusted_project

MAPPED = ("question", "answer", "id", "choices", "level", "type")
"""The parts of a question that --columns may name."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "eval", help="score methods on held-out questions or a data set",
        description="Answers the project's held-out questions, or those of --data, and prints EM and F1 with 95 % "
        "intervals. --data takes JSON lines, a JSON list or object, CSV, TSV or Parquet, in AutoAct's own format or "
        "the official one of HotpotQA, 2WikiMultihopQA, MuSiQue, Bamboogle, StrategyQA, GSM8K or ScienceQA, which are "
        "scored as their own scorers do. If the file has paragraphs, as HotpotQA's has, Retrieve and WebSearch search "
        "the paragraphs of all its questions; otherwise they search the project's corpus.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("--data", default="", help="a file of questions, or a folder of `datasets` (save_to_disk)")
    parser.add_argument(
        "--columns", default="", metavar="OURS=THEIRS,...",
        help="the columns of --data, such as question=prompt,answer=label; also id, choices, level and type",
    )  # fmt: skip
    parser.add_argument(
        "--method", default="",
        help="methods, separated by commas; `all` stands for every one that can answer (default: meta,group; meta if "
        "no group is trained)",
    )  # fmt: skip
    parser.add_argument(
        "--tokens", type=int, default=0,
        help="most tokens that a method generates for a question, so that methods are compared at equal cost: those of "
        "several attempts make attempts until it is reached, others end there (default: no limit)",
    )  # fmt: skip
    parser.add_argument(
        "--limit", type=int, default=0, help="questions to answer, evenly spaced over the file (default: all)"
    )
    parser.add_argument("--base", default="", help="run whose adapters answer (default: the newest trained one)")
    parser.add_argument("--new", action="store_true", help="start a new run even if one could be resumed")
    parser.add_argument("--detach", action="store_true", help="start it, print its name, and leave it running")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print figures and answers as JSON; `predictions`, by cast, have the format of HotpotQA's scorer",
    )
    add_trust(parser)
    parser.set_defaults(run=evaluate)


def evaluate(arguments: argparse.Namespace) -> int:
    """Starts a run of group planning alone and prints its scores."""
    from autoact.cli.start.run_start import check, start
    from autoact.cli.watch.table import print_result
    from autoact.errors import BadInput

    project = open_trusted_project(arguments)
    config = _settings(project, arguments)
    if not arguments.data and not (held_out := project.questions_file("heldout")).exists():
        raise BadInput("not found; expected questions here, or in a file named by --data", file=held_out)
    check(project, config)
    show = partial(print_result, as_json=arguments.json)
    return start(project, config, "eval", show, fresh=arguments.new, detach=arguments.detach)


def _settings(project: Project, arguments: argparse.Namespace) -> Config:
    from msgspec.structs import replace

    from autoact.errors import BadInput
    from autoact.job.answer_config import make_answer_config
    from autoact.project.project import Project

    if arguments.limit < 0:
        raise BadInput(f"expected 0 or more questions, found {arguments.limit}", key="--limit")
    if arguments.tokens < 0:
        raise BadInput(f"expected 0 or more tokens, found {arguments.tokens}", key="--tokens")
    data = str(Project.file(arguments.data).resolve()) if arguments.data else ""
    config = make_answer_config(project, arguments.base, _methods(project, arguments), data=data)
    tokens = arguments.tokens or config.group_planning.tokens
    plan = replace(config.run, columns=_columns(arguments))
    asked = replace(config.group_planning, limit=arguments.limit, tokens=tokens)
    return replace(config, run=plan, group_planning=asked)


def _columns(arguments: argparse.Namespace) -> dict[str, str]:
    from autoact.cli.target import parse_pairs
    from autoact.errors import BadInput

    columns = parse_pairs(arguments.columns, "--columns")
    if columns and not arguments.data:
        raise BadInput("expected --data with it", key="--columns")
    if unknown := sorted(columns.keys() - MAPPED):
        raise BadInput(f"expected some of {', '.join(MAPPED)}, found {', '.join(unknown)}", key="--columns")
    return columns


def _methods(project: Project, arguments: argparse.Namespace) -> tuple[str, ...]:
    """Returns the methods that were named, each once; else those that a comparison has by default."""
    from autoact.errors import BadInput
    from autoact.project.trained_runs import find_trained_run
    from autoact.registry.methods import ALL, METHODS, answerable_methods

    names = tuple(dict.fromkeys(filter(None, (name.strip() for name in arguments.method.split(",")))))
    if any(name not in METHODS and name != ALL for name in names) or (arguments.method and not names):
        known = ", ".join((*METHODS.names(), ALL))
        raise BadInput(f"expected some of {known}, found {arguments.method!r}", key="--method")
    if ALL in names:
        return _all_methods(project, arguments.base)
    if names or arguments.base or find_trained_run(project.root) is not None:
        return names or answerable_methods(trained=True, usual=True)
    print("no run has trained a group yet, so the meta-agent answers alone", file=sys.stderr)
    return answerable_methods(trained=False, usual=True)


def _all_methods(project: Project, base: str) -> tuple[str, ...]:
    """Returns every method that can answer with the adapters of a run: `base`, or the newest with some."""
    from autoact.project.trained_runs import find_trained_run, trained_adapters
    from autoact.registry.methods import answerable_methods
    from autoact.run.record.folder import find_run

    found = find_run(project.root, base) if base else find_trained_run(project.root)
    adapters = trained_adapters(found) if found else frozenset()
    return answerable_methods(trained=found is not None, adapters=adapters, gold=True)
