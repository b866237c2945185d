"""`autoact resume`: let an interrupted, cancelled or failed run go on where it stood."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from autoact.cli.project.trust import add_trust
from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.run.record.folder import RunFolder


def add(subparsers: Any) -> None:
    """The verb and its options."""
    parser = subparsers.add_parser(
        "resume", help="let an interrupted or paused run go on",
        description="Starts a run's job again; its answers are not asked again. Ctrl-C stops it, as in `autoact run`.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--unit", default="", help="of a live run: only this unit, which was paused by itself")
    parser.add_argument("--take-over", metavar="HOST", default="", help="go on with a run that HOST no longer tends")
    parser.add_argument("--detach", action="store_true", help="start it, print its name, and leave it running")
    parser.add_argument("--json", action="store_true", help="print the final figures as JSON")
    add_trust(parser)
    parser.set_defaults(run=resume)


def resume(arguments: argparse.Namespace) -> int:
    """Give the run a keeper again, and follow it."""
    from autoact.cli.start.run import launch_and_follow
    from autoact.cli.watch.table import print_result
    from autoact.run.process.health import attended

    folder = find_target_run(arguments)
    if arguments.trust:
        _trust(folder)
    if attended(folder):
        return _go_on(folder, arguments.unit)
    check(folder, arguments.take_over)
    return launch_and_follow(folder, partial(print_result, as_json=arguments.json), detach=arguments.detach)


def _trust(folder: RunFolder) -> None:
    from autoact.security import trust

    project = folder.path.absolute().parent.parent
    if not trust.is_trusted(project):
        trust.trust_project(project)
    if not trust.is_trusted(folder.path):
        trust.mark_trusted(folder.path)


def _go_on(folder: RunFolder, unit: str) -> int:
    """A live run that a person paused goes on; the job is there already."""
    import getpass

    from autoact.cli.control.command import deliver
    from autoact.run.control.command import Command, new_id

    reply = deliver(folder, Command(new_id(), "resume", unit, by=getpass.getuser()))
    print(f"resume: accepted as event {reply.seq}")
    return 0


def check(folder: RunFolder, host: str) -> None:
    """Refuse what must not be resumed. `host` is the machine that a person took the run from, if any.

    Raises BadInput for a finished run, unless its log holds work that cannot be read, and RunBusy for one that another
    machine has or had.
    """
    from autoact.errors import BadInput, RunBusy
    from autoact.run.process.health import AFAR, verdict
    from autoact.run.record.replay import Memory
    from autoact.run.record.state import RunState

    found = verdict(folder, RunState.of(folder.events))
    if found == "finished" and not Memory.of(folder.events).unreadable:
        raise BadInput(f"{folder.name} is finished; nothing is left to do")
    working, lost = AFAR
    if found.startswith(working):
        raise RunBusy(f"{folder.name} is {found}: stop it there")
    if found.startswith(lost) and host != found.removeprefix(lost):
        raise RunBusy(
            f"{folder.name}: {found}. Two jobs on one run would spoil it; "
            f"if that one is surely dead, add `--take-over {found.removeprefix(lost)}`"
        )
