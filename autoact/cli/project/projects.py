"""`autoact new`, `list`, `check`, `duplicate`, `rename` and `shelve`: makes, lists, checks, copies, moves projects."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    """Adds the verbs and their options."""
    parser = subparsers.add_parser("new", aliases=["init"], help="make a project folder")
    parser.add_argument("folder", help="where to make it; must not exist, or be empty")
    parser.add_argument(
        "--template",
        default="starter",
        help="starter (an encyclopedia with questions), hotpotqa, scienceqa, textworld (text games) or blank",
    )
    parser.set_defaults(run=new)
    parser = subparsers.add_parser("list", aliases=["ls"], help="list your projects and the state of their runs")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=show_projects)
    parser = subparsers.add_parser(
        "check", help="read all of a project and report mistakes",
        description="Reads settings, examples, questions, tools, corpus and the model's name. Tells of how many "
        "questions the corpus has the gold pages and Retrieve opens them, and which questions repeat practice "
        "questions. Exit code 2 for errors.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument(
        "--data", default="", metavar="FILE", help="questions in place of the held-out ones, as for eval"
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=check)
    for name, text in (
        ("duplicate", "copy a project without its runs"),
        ("rename", "give a project another name"),
    ):
        parser = subparsers.add_parser(name, help=text)
        parser.add_argument("project", help="the project's folder or name")
        parser.add_argument("name", help="the new name; the folder stays beside the old one")
        parser.set_defaults(run=move, how=name)
    parser = subparsers.add_parser(
        "shelve", aliases=["archive"], help="move a project into the folder `archive` beside it"
    )
    parser.add_argument("project", help="the project's folder or name")
    parser.set_defaults(run=shelve)


def new(arguments: argparse.Namespace) -> int:
    """Makes the folder and prints the next steps."""
    from autoact.files import disk
    from autoact.project.project import create

    _remember(create(disk.expand_user(arguments.folder), arguments.template).root)
    folder = shlex.quote(arguments.folder)
    print(f"made {arguments.folder} from the {arguments.template} template; next:")
    if arguments.template == "blank":
        print(f"  edit {folder}/project.toml and {folder}/examples.jsonl, put documents into {folder}/corpus/")
    print(f"  autoact check {folder}")
    print(f"  autoact run {folder}{'' if arguments.template == 'textworld' else ' --preset quick'}")
    return 0


def show_projects(arguments: argparse.Namespace) -> int:
    """Prints a line for each project in the projects folder, in the working folder, and for each recent one."""
    from autoact.cli.output import print_columns, print_json
    from autoact.project.project import list_projects
    from autoact.project.recent import recent_projects

    here = Path().resolve()
    own = [here] if (here / "project.toml").is_file() else []
    listed = [*own, *(found.root for found in (*list_projects(here), *list_projects())), *recent_projects()]
    lines = [_summary(root) for root in dict.fromkeys(root.resolve() for root in listed)]
    if arguments.json:
        print_json(lines)
    elif lines:
        print_columns([("PROJECT", "RUNS", "RUN", "STATUS", "FOLDER"), *map(_cells, lines)], "lr")
    else:
        print("no projects yet; `autoact new NAME` makes one")
    return 0


def _summary(root: Path) -> dict[str, Any]:
    """Returns the line of a project, with the run that the studio leads with."""
    from autoact.run.process.health import verdict
    from autoact.run.process.leading import leading_run, list_candidates
    from autoact.run.record.log_end import read_end

    runs = list_candidates(root)
    first = leading_run(runs)
    return {
        "name": root.name, "runs": len(runs), "run": first.folder.name if first else "",
        "is": verdict(first.folder, read_end(first.folder.events)) if first else "",
        "alive": sum(run.alive for run in runs), "path": str(root),
    }  # fmt: skip


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    several = f" x{line['alive']}" if line["alive"] > 1 else ""
    return line["name"], str(line["runs"]), line["run"], line["is"] + several, line["path"]


def _remember(root: Path) -> None:
    """Adds a project to the recent ones, which the studio lists wherever they are."""
    from autoact.project.recent import remember_project

    if problem := remember_project(root):
        print(problem, file=sys.stderr)


def check(arguments: argparse.Namespace) -> int:
    """Prints every problem, or counts when there is no error."""
    from autoact.cli.output import print_json, printable
    from autoact.cli.project.inspection import inspect
    from autoact.project.project import Project

    found = inspect(Project.open(arguments.project), arguments.data)
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
    """Copies or renames a project and prints its new folder."""
    from autoact.project import folders
    from autoact.project.project import Project

    root = Project.open(arguments.project).root
    how = folders.duplicate if arguments.how == "duplicate" else folders.rename
    made = how(root, arguments.name).root
    _remember(made)
    print(made)
    return 0


def shelve(arguments: argparse.Namespace) -> int:
    """Archives a project and prints its new folder."""
    from autoact.project import folders
    from autoact.project.project import Project

    print(folders.archive(Project.open(arguments.project).root))
    return 0
