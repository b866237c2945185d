"""`autoact eval`: casts on a data set's questions, with exact match and F1, by level, tokens and seconds."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from autoact.cli.trust import add_trust, admitted


def add(subparsers: Any) -> None:
    """The verb and its options."""
    parser = subparsers.add_parser(
        "eval", help="score casts on held-out questions or a data set",
        description="Answers the project's held-out questions, or those of --data (HotpotQA's form brings its own "
        "paragraphs as the corpus), and prints EM and F1 with 95 % intervals.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("--data", default="", help="a JSONL file of questions")
    parser.add_argument("--method", default="meta,group", help="casts, separated by commas (default: meta,group)")
    parser.add_argument("--limit", type=int, default=0, help="questions to answer (default: all)")
    parser.add_argument("--base", default="", help="run whose adapters answer (default: the newest trained one)")
    parser.add_argument("--detach", action="store_true", help="start it, print its name, and leave it running")
    parser.add_argument("--json", action="store_true")
    add_trust(parser)
    parser.set_defaults(run=evaluate)


def evaluate(arguments: argparse.Namespace) -> int:
    """Start a run of group planning alone and print its scores."""
    from msgspec.structs import replace

    from autoact.cli.run import check, start
    from autoact.cli.table import print_result
    from autoact.run.answering import answering

    project = admitted(arguments)
    config = answering(project, arguments.base, _casts(arguments.method), data=_data(arguments.data))
    config = replace(config, group_planning=replace(config.group_planning, limit=arguments.limit))
    check(project, config)
    return start(project, config, "eval", partial(print_result, as_json=arguments.json), detach=arguments.detach)


def _casts(text: str) -> tuple[str, ...]:
    from autoact.errors import BadInput
    from autoact.trajectory import CASTS

    names = tuple(filter(None, (name.strip() for name in text.split(","))))
    if not names or any(name not in CASTS for name in names):
        raise BadInput(f"expected some of {', '.join(CASTS)}, found {text!r}", key="--method")
    return names


def _data(text: str) -> str:
    """The data file, read once now so that a bad line is named before a model is loaded."""
    if not text:
        return ""
    from autoact.project import Project, questions

    file = Project.file(text).resolve()
    questions(file, origin=file.stem)
    return str(file)
