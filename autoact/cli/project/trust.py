"""`autoact trust`: letting a project or a run that came from elsewhere do what one's own may, after a look at it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from autoact.project.project import Project


def add(subparsers: Any) -> None:
    """The verb and its options."""
    parser = subparsers.add_parser(
        "trust", help="let a project or a run from elsewhere do what yours may",
        description="What was not made on this machine is foreign: it is read and shown, but none of its tools, code, "
        "servers or models run, and nothing is sent, before you trust it. Shows what it would run, and asks.",
    )  # fmt: skip
    parser.add_argument("target", metavar="RUN_OR_PROJECT", help="the folder of a project, or of a run")
    parser.add_argument("--run", dest="name", default="", help="this run of the project")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--revoke", action="store_true", help="make it foreign again")
    parser.set_defaults(run=trust)


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The option that `admitted` reads."""
    parser.add_argument("--trust", action="store_true", help="trust the project if it came from elsewhere, and go on")


def open_trusted_project(arguments: argparse.Namespace) -> Project:
    """The project of `arguments.project`, of which something is about to run. Raises NotTrusted."""
    from autoact.project.project import Project
    from autoact.security import trust as rules

    project = Project.open(arguments.project)
    if arguments.trust and not rules.is_trusted(project.root):
        rules.trust_project(project.root)
    rules.require("project", "run", project.root)
    return project


def trust(arguments: argparse.Namespace) -> int:
    """Show what would run, ask, and enter it. Exit code 1 when the person says no."""
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
    """Whether it is a run, and its folder. Raises BadInput."""
    from pathlib import Path

    from autoact.cli.target import find_target_run
    from autoact.project.project import Project

    if arguments.name or (Path(arguments.target).expanduser() / "run.toml").is_file():
        return True, find_target_run(arguments).path
    return False, Project.open(arguments.target).root


def _describe_project(root: Path) -> Iterator[str]:
    """What of a project could run, line by line. Raises BadProject for settings that cannot be read."""
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
            told = ", ".join(f"{key} = {value}" for key, value in record.settings.items() if value)
            yield f"tool   {record.name} ({record.kind}, may use {', '.join(record.powers)}): {told}"
        for name, url in secrets_of(record):
            where = f"sends it to {url}, after `autoact secrets allow`" if url else "gives it to its program"
            yield f"secret {name}: {record.name} {where}"
    runs = list(rules.foreign_runs(root))
    if imported := sum(map(rules.is_imported, runs)):
        yield f"runs   {imported} came in archives and stay foreign; `autoact trust RUN` is for those"
    yield f"runs   {len(runs) - imported} are trusted with it"


def _describe_run(folder: Path) -> Iterator[str]:
    from autoact.run.record.folder import RunFolder

    run = RunFolder(folder)
    model = run.read_config().get("model", {})
    yield f"model   {model.get('id', '') if isinstance(model, dict) else ''}"
    yield f"stages  {', '.join(run.stages()) or 'none'}"


def _confirm(question: str) -> bool:
    """What a person in a terminal answers. Raises BadInput where nobody can."""
    import sys

    from autoact.cli.output import ask
    from autoact.errors import BadInput

    if not sys.stdin.isatty():
        raise BadInput("nobody can be asked here; --yes trusts it without asking", key="--yes")
    return ask(question) in ("y", "yes")
