"""`autoact tools`: which tools a project has, and trying one by hand."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: Any) -> None:
    """The verbs and their options."""
    group = subparsers.add_parser("tools", help="list a project's tools, or try one")
    verbs = group.add_subparsers(title="verbs", metavar="VERB", required=True)
    parser = verbs.add_parser("list", help="every tool, with what keeps it from running")
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=show)
    parser = verbs.add_parser("try", help="call a tool and see its observation")
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("name", help="the tool's name")
    parser.add_argument("argument", help='what it is called with, as in "Marie Curie"')
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=attempt)


def show(arguments: argparse.Namespace) -> int:
    """Name, kind, state and reason of every tool."""
    from autoact.cli.output import print_columns, print_json
    from autoact.project import Project
    from autoact.run.inputs import open_library

    library, corpus = open_library(Project.open(arguments.project))
    corpus.close()
    if arguments.json:
        print_json([{**_told(record), "aliases": record.aliases} for record in library.records()])
    else:
        print_columns(
            [("NAME", "KIND", "STATE", "REASON"), *(tuple(_told(record).values())[:4] for record in library.records())]
        )
    return 0


def _told(record: Any) -> dict[str, str]:
    return {
        "name": record.name, "kind": record.kind, "state": record.state, "reason": record.reason,
        "definition": record.definition, "usage": record.usage,
    }  # fmt: skip


def attempt(arguments: argparse.Namespace) -> int:
    """One call in a session of its own. Exit code 1 when the observation is a failure, 2 for an unknown tool."""
    from autoact.cli.output import print_json
    from autoact.errors import BadInput
    from autoact.project import Project
    from autoact.run.inputs import open_library

    library, corpus = open_library(Project.open(arguments.project))
    record = library.resolve(arguments.name)
    if record is None:
        known = ", ".join(record.name for record in library.records())
        raise BadInput(f"no tool `{arguments.name}` in this project; expected one of {known}", key="NAME")
    seen = library.session().call(record.name, arguments.argument)
    corpus.close()
    if arguments.json:
        print_json(
            {
                "tool": record.name,
                "argument": arguments.argument,
                "text": seen.text,
                "failed": seen.failed,
                "ms": seen.ms,
            }
        )
    else:
        print(seen.text)
    return int(seen.failed)
