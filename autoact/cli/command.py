"""`autoact pause, step, edit, retry, finish, skip, keep, drop`: what a person may want of a run's units."""

from __future__ import annotations

import argparse
import getpass
import time
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, target

if TYPE_CHECKING:
    from autoact.run.command import Command, Reply
    from autoact.run.folder import RunFolder

PATIENCE = 60.0
"""Seconds to wait for a job that is still loading its model."""


def add(subparsers: Any) -> None:
    """The verbs and their options."""
    _verb(subparsers, "pause", "hold a live run's answers, or one unit's", unit="?")
    _verb(subparsers, "step", "let one more answer of a held unit through", unit="?")
    edit = _verb(subparsers, "edit", "replace an answer; what followed it is asked anew", unit=None)
    edit.add_argument("--at", type=int, required=True, metavar="N", help="number of the answer, from 0")
    edit.add_argument("--text", required=True, help="what it is to say")
    retry = _verb(subparsers, "retry", "ask a unit's answers again, with other luck", unit=None)
    retry.add_argument("--at", type=int, default=0, metavar="N", help="first answer to ask again (default: 0)")
    _verb(subparsers, "finish", "end a training early and keep its adapter", unit="?")
    _verb(subparsers, "skip", "end a unit without a result", unit="?")
    for do, n, what in (("keep", 1, "learn from a trajectory"), ("drop", 0, "do not learn from a trajectory")):
        parser = _verb(subparsers, do, f"{what}, whatever the filter says", unit=None)
        parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for the log")
        parser.set_defaults(run=judge, n=n)


def _verb(subparsers: Any, do: str, what: str, *, unit: str | None) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(do, help=what, description=what.capitalize() + ".")
    add_target(parser)
    parser.add_argument("unit", nargs=unit, default="", help="as `autoact log` names it")
    parser.set_defaults(run=command, do=do)
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Send it to the live job and say what became of it."""
    from autoact.run.command import Command, new_id

    text, at = getattr(arguments, "text", ""), getattr(arguments, "at", -1)
    reply = deliver(target(arguments), Command(new_id(), arguments.do, arguments.unit, at, text, by=getpass.getuser()))
    print(f"{arguments.do}: accepted as event {reply.seq}")
    return 0


def judge(arguments: argparse.Namespace) -> int:
    """Keep or drop by hand; a job is started for a run that has none."""
    from autoact.run.command import Command, new_id

    hand(
        target(arguments),
        Command(new_id(), "judge", arguments.unit, arguments.n, arguments.why, by=getpass.getuser()),
    )
    print(f"{arguments.do}: done")
    return 0


def hand(folder: RunFolder, command: Command) -> None:
    """Deliver a command; to a run without a job it is left, and a job started for it."""
    from autoact.run.control import leave
    from autoact.run.launch import launch
    from autoact.run.liveness import attended

    if attended(folder):
        deliver(folder, command)
    else:
        leave(folder, command)
        launch(folder)


def deliver(folder: RunFolder, command: Command) -> Reply:
    """Hand a command to a run's job, waiting for one that is just starting.

    Raises BadInput when the job refuses it, or when no job is alive.
    """
    from autoact.errors import BadInput
    from autoact.run.control import Unreachable, send
    from autoact.run.liveness import attended

    until = time.monotonic() + PATIENCE
    while True:
        try:
            reply = send(folder, command, timeout=PATIENCE)
            break
        except Unreachable as error:
            if not attended(folder):
                raise BadInput(f"run {folder.name} is not alive; `autoact resume {folder.path}` goes on") from error
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    if not reply.accepted:
        raise BadInput(reply.why)
    return reply
