"""`autoact resume`: resumes an interrupted, paused, cancelled or failed run."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from autoact.cli.project.trust import add_trust
from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.run.record.folder import RunFolder


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "resume", help="resume an interrupted or paused run",
        description="Starts a run's job again; its logged answers are reused. Ctrl-C stops it, as in `autoact run`.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--unit", default="", help="resume only this paused unit of a live run")
    parser.add_argument("--take-over", metavar="HOST", default="", help="resume a run whose job on HOST is dead")
    parser.add_argument("--detach", action="store_true", help="start it, print its name, and leave it running")
    parser.add_argument("--json", action="store_true", help="print the final figures as JSON")
    add_trust(parser)
    parser.set_defaults(run=resume)


def resume(arguments: argparse.Namespace) -> int:
    """Starts the run's keeper again and follows the run."""
    from autoact.cli.start.run_start import launch_and_follow
    from autoact.cli.watch.table import print_result
    from autoact.errors import BadInput
    from autoact.run.process.health import is_active

    folder = find_target_run(arguments)
    if arguments.trust:
        _trust(folder)
    if is_active(folder):
        return _end_pause(folder, arguments.unit)
    if arguments.unit:
        raise BadInput(f"{folder.name} has no live job, and --unit is for a live run", key="--unit")
    check(folder, arguments.take_over)
    return launch_and_follow(folder, partial(print_result, as_json=arguments.json), detach=arguments.detach)


def _trust(folder: RunFolder) -> None:
    from autoact.security import trust

    project = folder.path.absolute().parent.parent
    if not trust.is_trusted(project):
        trust.trust_project(project)
    if not trust.is_trusted(folder.path):
        trust.mark_trusted(folder.path)


def _end_pause(folder: RunFolder, unit: str) -> int:
    """Resumes a paused run, or one of its units, whose job is alive."""
    from autoact.cli.control.command import deliver
    from autoact.run.control.command import Command, new_id, user_name

    reply = deliver(folder, Command(new_id(), "resume", unit, by=user_name()))
    print(f"resume: accepted as event {reply.seq}")
    return 0


def check(folder: RunFolder, host: str) -> None:
    """Checks that a run may be resumed. `host` is the machine in --take-over.

    Raises BadInput for a finished run, unless part of its log is unreadable, and RunBusy for a run that another machine
    has, or had unless that is `host`.
    """
    from autoact.errors import BadInput, RunBusy
    from autoact.run.process.health import ELSEWHERE, verdict
    from autoact.run.record.replay import Memory
    from autoact.run.record.state import RunState

    found = verdict(folder, RunState.of(folder.events))
    if found == "finished" and not Memory.of(folder.events).unreadable:
        raise BadInput(f"{folder.name} is finished")
    working, lost = ELSEWHERE
    if found.startswith(working):
        raise RunBusy(f"{folder.name} is {found}: stop it there")
    if found.startswith(lost) and host != found.removeprefix(lost):
        raise RunBusy(
            f"{folder.name}: {found}. Two jobs on one run would damage it; "
            f"if that job is certainly dead, add `--take-over {found.removeprefix(lost)}`"
        )
