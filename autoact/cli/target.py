"""Arguments that several verbs have: the run that a verb is about, by its folder, its project or --run; and tables."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoact.run.record.folder import RunFolder


def add_target(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that `find_target_run` reads."""
    parser.add_argument(
        "target", metavar="RUN_OR_PROJECT", help="a run's folder, or a project for its live or latest run"
    )
    parser.add_argument("--run", dest="name", default="", help="which run of the project, by the beginning of its name")


def find_target_run(arguments: argparse.Namespace) -> RunFolder:
    """Returns the run that the arguments name. Raises BadInput."""
    return find_run_at(arguments.target, arguments.name)


def find_run_at(target: str, name: str = "") -> RunFolder:
    """Returns the run in this folder, or the leading run, or the one whose name begins so, of the project in it.

    `target` may also be the name of a project. Says on stderr which run was chosen where another may be meant.
    Raises BadInput.
    """
    from autoact.errors import BadInput
    from autoact.project.project import Project, projects_folder
    from autoact.project.recent import find_root
    from autoact.run.process.leading import find_leading_run
    from autoact.run.record.folder import RunFolder, find_run

    path = find_root(target, projects_folder())
    if (path / "run.toml").is_file():
        if name:
            raise BadInput(f"expected the folder of a project with --run; {path} is a run", key="--run")
        return RunFolder(path.resolve())
    if not (path / "project.toml").is_file():
        raise BadInput(
            "expected a project's name, or the folder of a run (with run.toml) or a project (with project.toml)",
            file=path,
        )
    project = Project.open(path)
    if name:
        return find_run(project.root, name)
    choice = find_leading_run(project.root)
    if choice.why:
        print(f"this is about run {choice.folder.name}, {choice.why}", file=sys.stderr)
    return choice.folder


def parse_pairs(text: str, key: str) -> dict[str, str]:
    """Returns `a=b,c=d` as a table. Raises BadInput for other texts."""
    from autoact.errors import BadInput

    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    for left, equals, right in pairs:
        if not (left.strip() and equals and right.strip()):
            raise BadInput(f"expected NAME=NAME,..., found {text!r:.60}", key=key)
    return {left.strip(): right.strip() for left, _, right in pairs}
