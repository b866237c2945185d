"""`autoact delete`: removes a run with its log and adapters."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.run.record.folder import RunFolder


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser("delete", aliases=["rm"], help="remove a run with its log and adapters")
    add_target(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=delete)


def delete(arguments: argparse.Namespace) -> int:
    """Asks, then removes the run. Raises RunBusy while it, or a run based on it, has a job or a keeper."""
    from autoact.cli.output import ask, format_size, printable
    from autoact.errors import BadInput
    from autoact.project.project import projects_folder
    from autoact.project.recent import find_root
    from autoact.run.process.dependents import check_unused, describe_loss

    if not arguments.name and (find_root(arguments.target, projects_folder()) / "project.toml").is_file():
        raise BadInput("expected a run's folder, or a project with `--run NAME`", file=arguments.target)
    folder = find_target_run(arguments)
    check(folder)
    check_unused(folder)
    if loss := describe_loss(folder):
        print(printable(loss), file=sys.stderr)
    taken = format_size(sum(file.stat().st_size for file in folder.path.rglob("*") if file.is_file()))
    if not (
        arguments.yes
        or ask(f"Remove {printable(folder.name)} with its log and adapters, {taken}? [y/N] ") in ("y", "yes")
    ):
        print("nothing was removed")
        return 1
    _remove(folder)
    print(f"{folder.name} is removed")
    return 0


def check(folder: RunFolder) -> None:
    """Raises RunBusy when the run may have a job."""
    from autoact.errors import RunBusy
    from autoact.run.process.health import check_elsewhere, is_active, verdict
    from autoact.run.record.state import RunState

    if is_active(folder):
        found = verdict(folder, RunState.of(folder.events))
        raise RunBusy(f"{folder.name} is {found}; `autoact cancel {folder.path}` stops it")
    check_elsewhere(folder)


def _remove(folder: RunFolder) -> None:
    """Removes a run while holding its locks, so that no job starts meanwhile."""
    import shutil

    from autoact.run.process.lock import RunLock

    with RunLock.take(folder, keeper=True), RunLock.take(folder):
        shutil.rmtree(folder.path)
