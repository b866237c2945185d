"""`autoact trust`: shows what a foreign project or run would start, and trusts it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from autoact.project.project import Project


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "trust", help="trust a project or a run from elsewhere, after a look at it",
        description="A project or run that was not made on this machine is foreign: it is read and shown, but before "
        "you trust it none of its tools, code, servers or models run, and nothing is sent. Shows what it would run, "
        "and asks.",
    )  # fmt: skip
    parser.add_argument("target", metavar="RUN_OR_PROJECT", help="the folder of a project, or of a run")
    parser.add_argument("--run", dest="name", default="", help="this run of the project")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--revoke", action="store_true", help="make it foreign again")
    parser.set_defaults(run=trust)


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Adds the option that `open_trusted_project` reads."""
    parser.add_argument("--trust", action="store_true", help="trust the project if it came from elsewhere")


def open_trusted_project(arguments: argparse.Namespace) -> Project:
    """Returns the project of the arguments, of which something is about to run. Raises NotTrusted."""
    from autoact.project.project import Project
    from autoact.security import trust as rules

    project = Project.open(arguments.project)
    if arguments.trust and not rules.is_trusted(project.root):
        rules.trust_project(project.root)
    rules.require("project", "run", project.root)
    return project


def trust(arguments: argparse.Namespace) -> int:
    """Shows what would run, asks, and trusts the folder. Exit code 1 when the person declines."""
    from autoact.cli.output import printable
    from autoact.security import trust as rules

    run, folder = _find_target(arguments)
    if arguments.revoke:
        rules.revoke(folder)
        print(f"{folder} is foreign again")
        return 0
    if not rules.is_trusted(folder):
        for line in _describe_run(folder) if run else _describe_project(folder):
            print(printable(line))
        if not (arguments.yes or _confirm(f"Trust this {'run' if run else 'project'}? [y/N] ")):
            print("nothing was changed; it can still be read")
            return 1
    (rules.mark_trusted if run else rules.trust_project)(folder)
    print(f"{folder} is trusted")
    return 0


def _find_target(arguments: argparse.Namespace) -> tuple[bool, Path]:
    """Returns whether the target is a run, and its folder. Raises BadInput."""
    from autoact.cli.target import find_target_run
    from autoact.files import disk
    from autoact.project.project import Project

    if arguments.name or (disk.expand_user(arguments.target) / "run.toml").is_file():
        return True, find_target_run(arguments).path
    return False, Project.open(arguments.target).root


def _describe_project(root: Path) -> Iterator[str]:
    """Yields a line for each part of a project that could run. Raises BadProject for unreadable settings."""
    from autoact.job.inputs import open_library
    from autoact.project.project import Project
    from autoact.security import trust as rules
    from autoact.tools.library.secret_use import secrets_of

    project = Project(root)
    yield f"model  {project.config().model.id}"
    library, corpus = open_library(project)
    library.close()
    corpus.close()
    for record in library.records():
        if record.powers:
            settings = ", ".join(f"{key} = {value}" for key, value in record.settings.items() if value)
            yield f"tool   {record.name} ({record.kind}, may use {', '.join(record.powers)}): {settings}"
        for name, url in secrets_of(record):
            where = f"sends it to {url}, after `autoact secrets allow`" if url else "gives it to its program"
            yield f"secret {name}: {record.name} {where}"
    runs = list(rules.foreign_runs(root))
    if imported := sum(map(rules.is_imported, runs)):
        yield f"runs   {imported} were imported from archives and stay foreign; `autoact trust RUN` trusts one"
    yield f"runs   {len(runs) - imported} are trusted with the project"


def _describe_run(folder: Path) -> Iterator[str]:
    from autoact.run.record.folder import RunFolder

    run = RunFolder(folder)
    model = run.read_config().get("model", {})
    yield f"model   {model.get('id', '') if isinstance(model, dict) else ''}"
    yield f"stages  {', '.join(run.stages()) or 'none'}"


def _confirm(question: str) -> bool:
    """Asks a person a yes/no question. Raises BadInput without a terminal."""
    import sys

    from autoact.cli.output import ask
    from autoact.errors import BadInput

    if not sys.stdin.isatty():
        raise BadInput("there is no terminal to ask in; `--yes` trusts it without asking")
    return ask(question) in ("y", "yes")
