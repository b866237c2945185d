"""`autoact pause, step, edit, retry, finish, skip, keep, drop`: what a person may want of a run's units."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.run.control.command import Command, Reply
    from autoact.run.record.folder import RunFolder

PATIENCE = 60.0
"""Seconds to wait for a job that is still loading its model."""
UNHEARD = 10.0
"""Seconds after which a job without a socket is left the command in its folder, and seconds it has to find it."""
EACH = 5.0
"""Seconds of one try: a command that comes twice is obeyed once."""
LOOK = 0.5
"""Seconds between tries, and until a person is told of waiting."""


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
    from autoact.run.control.command import Command, new_id

    text, at = getattr(arguments, "text", ""), getattr(arguments, "at", -1)
    reply = deliver(
        find_target_run(arguments), Command(new_id(), arguments.do, arguments.unit, at, text, by=getpass.getuser())
    )
    print(f"{arguments.do}: accepted as event {reply.seq}")
    return 0


def judge(arguments: argparse.Namespace) -> int:
    """Keep or drop by hand; a job is started for a run that has none."""
    from autoact.run.control.command import Command, new_id

    deliver_or_start(
        find_target_run(arguments),
        Command(new_id(), "judge", arguments.unit, arguments.n, arguments.why, by=getpass.getuser()),
    )
    print(f"{arguments.do}: done")
    return 0


def deliver_or_start(folder: RunFolder, command: Command) -> None:
    """Deliver a command; to a run without a job it is left, and a job started for it."""
    from autoact.run.control.control_socket import leave
    from autoact.run.process.health import attended
    from autoact.run.process.launch import launch
    from autoact.security import trust

    if attended(folder):
        deliver(folder, command)
    else:
        trust.require_start(folder.path)  # before the command is left for a job that would never come
        leave(folder, command)
        launch(folder)


def deliver(folder: RunFolder, command: Command) -> Reply:
    """Hand a command to a run's job, waiting for one that is just starting, and saying so.

    Raises BadInput when the job refuses it, or when no job is alive; Unreachable when it takes no commands now.
    """
    from autoact.errors import BadInput
    from autoact.run.control.control_socket import Unreachable, send
    from autoact.run.process.health import attended

    began, told = time.monotonic(), False
    while True:
        try:
            reply = send(folder, command, timeout=EACH)
            break
        except Unreachable as error:
            waited = time.monotonic() - began
            if not attended(folder):
                raise BadInput(f"run {folder.name} is not alive; `autoact resume {folder.path}` goes on") from error
            if waited > PATIENCE or (waited > UNHEARD and not folder.socket.exists()):
                reply = _leave_command(folder, command)
                break
            if waited > LOOK and not told:
                print(f"waiting: {error}", file=sys.stderr)
                told = True
            time.sleep(LOOK)
    if not reply.accepted:
        raise BadInput(reply.why)
    return reply


def _leave_command(folder: RunFolder, command: Command) -> Reply:
    """The reply to a command that no socket takes: the job finds it in its folder, and the log tells what came of it.

    Raises Unreachable when it does not, for now.
    """
    from autoact.events import CommandAccepted, CommandRefused
    from autoact.run.control.command import Reply
    from autoact.run.control.control_socket import Unreachable, leave
    from autoact.run.record.log import LogTail

    leave(folder, command)
    tail, until = LogTail(folder.events), time.monotonic() + UNHEARD
    try:
        while time.monotonic() < until:
            for record in tail.poll():
                match record.event:
                    case CommandAccepted(id=command.id):
                        return Reply(command.id, record.seq)
                    case CommandRefused(id=command.id, why=why):
                        return Reply(command.id, why=why)
            time.sleep(LOOK)
    finally:
        tail.close()
    raise Unreachable(f"run {folder.name} does not answer; it will find the command in its folder when it can")
