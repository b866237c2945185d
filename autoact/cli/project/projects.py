"""`autoact new`, `check`, `duplicate`, `rename` and `shelve`: projects made, read for mistakes, and moved about."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    """The verbs and their options."""
    parser = subparsers.add_parser("new", help="make a project folder")
    parser.add_argument("folder", help="where to make it; must not exist, or be empty")
    parser.add_argument(
        "--template", default="starter", help="starter (an encyclopedia with questions), hotpotqa, scienceqa or blank"
    )
    parser.set_defaults(run=new)
    parser = subparsers.add_parser(
        "check", help="read all of a project and report mistakes",
        description="Reads settings, examples, questions, tools, corpus and the model's name. Exit code 2 for errors.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=check)
    for name, told in (
        ("duplicate", "a copy of a project without its runs"),
        ("rename", "give a project another name"),
    ):
        parser = subparsers.add_parser(name, help=told)
        parser.add_argument("project", help="the project's folder")
        parser.add_argument("name", help="the new name; the folder stays beside the old one")
        parser.set_defaults(run=move, how=name)
    parser = subparsers.add_parser("shelve", help="move a project out of sight, into `archive` beside it")
    parser.add_argument("project", help="the project's folder")
    parser.set_defaults(run=shelve)


def new(arguments: argparse.Namespace) -> int:
    """Make the folder and say what to do with it."""
    from autoact.project.project import create

    create(Path(arguments.folder).expanduser(), arguments.template)
    folder = shlex.quote(arguments.folder)
    print(f"made {arguments.folder} from the {arguments.template} template; next:")
    if arguments.template == "blank":
        print(f"  edit {folder}/project.toml and {folder}/examples.jsonl, put documents into {folder}/corpus/")
    print(f"  autoact check {folder}")
    print(f"  autoact run {folder} --preset quick")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Print every problem, or counts when there is no error."""
    from autoact.cli.output import print_json, printable
    from autoact.cli.project.inspection import inspect
    from autoact.project.project import Project

    found = inspect(Project.open(arguments.project))
    if arguments.json:
        print_json({"ok": not found.errors, "errors": found.errors, "warnings": found.warnings, "counts": found.counts})
        return 2 if found.errors else 0
    for severity, lines in (("error", found.errors), ("warning", found.warnings)):
        for line in lines:
            print(printable(f"{severity}: {line}"), file=sys.stderr)
    if found.errors:
        return 2
    width = max(map(len, found.counts))
    for name, value in found.counts.items():
        print(printable(f"{name:<{width}}  {value}"))
    return 0


def move(arguments: argparse.Namespace) -> int:
    """Copy or rename, and say where it is."""
    from autoact.project import folders
    from autoact.project.project import Project

    root = Project.open(arguments.project).root
    how = folders.duplicate if arguments.how == "duplicate" else folders.rename
    print(how(root, arguments.name).root)
    return 0


def shelve(arguments: argparse.Namespace) -> int:
    """Out of sight, nothing lost; say where it is."""
    from autoact.project import folders
    from autoact.project.project import Project

    print(folders.archive(Project.open(arguments.project).root))
    return 0
