"""`autoact pause, step, edit, retry, finish, skip, keep, drop`: sends a command about a run or a unit to its job."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.run.control.command import Command, Reply
    from autoact.run.record.folder import RunFolder
    from autoact.run.record.state import RunState
    from autoact.trajectory import Trajectory

PATIENCE = 60.0
"""Seconds to wait for a job that is still loading its model."""
NO_SOCKET = 10.0
"""Seconds to wait for a job's socket before the command is left in its folder, and then for the job to find it."""
EACH = 5.0
"""Seconds of one try; a command that arrives twice is carried out once."""
LOOK_AT_LOG = 0.1
"""Seconds between two reads of the log while a unit is awaited."""
LOOK = 0.5
"""Seconds between tries, and before the message that the command waits."""


def add(subparsers: Any) -> None:
    """Adds the verbs and their options."""
    _verb(subparsers, "pause", "pause a live run, or one unit of it", unit="?")
    _verb(subparsers, "step", "accept one more answer of a paused unit", unit="?")
    edit = _verb(subparsers, "edit", "replace an answer; later answers of the unit are asked again", unit=None)
    edit.add_argument("--at", type=int, required=True, metavar="N", help="number of the answer, from 0")
    edit.add_argument("--text", required=True, help="the new answer")
    retry = _verb(subparsers, "retry", "ask a unit's answers again, with another seed", unit=None)
    retry.add_argument("--at", type=int, default=0, metavar="N", help="first answer to ask again (default: 0)")
    _verb(subparsers, "finish", "end a training early and keep its adapter", unit="?")
    _verb(subparsers, "skip", "end a unit without a result", unit="?")
    for do, n, text in (("keep", 1, "learn from a trajectory"), ("drop", 0, "do not learn from a trajectory")):
        parser = _verb(subparsers, do, f"{text}, whatever the filter decides", unit=None)
        parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for the log")
        parser.set_defaults(run=judge, n=n)


def _verb(subparsers: Any, do: str, text: str, *, unit: str | None) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(do, help=text, description=text.capitalize() + ".")
    add_target(parser)
    parser.add_argument("unit", nargs=unit, default="", help="as `autoact log` names it")
    parser.set_defaults(run=command, do=do)
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Sends a command to the live job and prints the number of its event."""
    from autoact.run.control.command import Command, new_id, user_name

    text, at = getattr(arguments, "text", ""), getattr(arguments, "at", -1)
    request = Command(new_id(), arguments.do, arguments.unit, at, text, by=user_name())
    reply = deliver(find_target_run(arguments), request)
    print(f"{arguments.do}: accepted as event {reply.seq}")
    return 0


def judge(arguments: argparse.Namespace) -> int:
    """Keeps or drops a trajectory; a run without a job gets none for it."""
    from autoact.errors import BadInput
    from autoact.job.judgements import log_judgements
    from autoact.run.control.command import Command, new_id, user_name
    from autoact.run.process.health import is_active

    folder = find_target_run(arguments)
    verdict = Command(new_id(), "judge", arguments.unit, arguments.n, arguments.why, by=user_name())
    if is_active(folder):
        deliver(folder, verdict)
    elif why := log_judgements(folder, [verdict])[0]:
        raise BadInput(why)
    print(f"{arguments.do}: done")
    return 0


def deliver_or_start(folder: RunFolder, command: Command) -> None:
    """Delivers a command; for a run without a job, leaves the command in its folder and starts a job."""
    from autoact.run.control.control_socket import save_command
    from autoact.run.process.health import is_active
    from autoact.run.process.launch import launch
    from autoact.security import trust

    if is_active(folder):
        deliver(folder, command)
    else:
        trust.require_start(folder.path)  # before the command is left for a job that would not start
        save_command(folder, command)
        launch(folder)


def deliver(folder: RunFolder, command: Command) -> Reply:
    """Sends a command to a run's job; waits for one that is starting, with a message.

    Raises BadInput when the job refuses it or no job is alive; Unreachable when the job does not answer.
    """
    from autoact.errors import BadInput
    from autoact.run.control.control_socket import Unreachable, send
    from autoact.run.process.health import is_active

    began, printed = time.monotonic(), False
    while True:
        try:
            reply = send(folder, command, timeout=EACH)
            break
        except Unreachable as error:
            waited = time.monotonic() - began
            if not is_active(folder):
                raise BadInput(f"run {folder.name} is not alive{_advise_resume(folder)}") from error
            if waited > PATIENCE or (waited > NO_SOCKET and not folder.socket.exists()):
                reply = _leave_command(folder, command)
                break
            if waited > LOOK and not printed:
                print(f"waiting: {error}", file=sys.stderr)
                printed = True
            time.sleep(LOOK)
    if not reply.accepted:
        raise BadInput(reply.why)
    return reply


def _advise_resume(folder: RunFolder) -> str:
    """Returns the end of a message about a run without a job: that it is finished, else how to resume it."""
    from autoact.run.record.state import RunState

    finished = RunState.of(folder.events).status == "finished"
    return ": it is finished" if finished else f"; `autoact resume {folder.path}` resumes it"


def _leave_command(folder: RunFolder, command: Command) -> Reply:
    """Leaves a command in the run's folder, where the job finds it, and reads the reply from the log.

    Raises Unreachable when there is no reply in time.
    """
    from autoact.events import CommandAccepted, CommandRefused
    from autoact.run.control.command import Reply
    from autoact.run.control.control_socket import Unreachable, save_command
    from autoact.run.record.log import LogTail

    save_command(folder, command)
    tail, until = LogTail(folder.events), time.monotonic() + NO_SOCKET
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
    raise Unreachable(
        f"run {folder.name} does not answer; it will carry out the command, which is in its folder, as soon as it can"
    )


def wait_for_trajectory(folder: RunFolder, command: Command) -> Trajectory:
    """Waits for the unit that a fork or a question to a session makes, and returns its trajectory.

    Raises BadInput when the command is refused, AutoActError when the unit fails or the job ends before.
    """
    from autoact.errors import AutoActError, BadInput
    from autoact.events import CommandRefused
    from autoact.run.process.health import is_active, read_activity
    from autoact.run.record.log import LogTail
    from autoact.run.record.state import RunState

    state, tail, printed = RunState(), LogTail(folder.events), ""
    try:
        while True:
            alive, activity = is_active(folder), read_activity(folder)
            if activity.startswith("loading") and activity != printed:
                printed = activity
                print(f"{activity} ...", file=sys.stderr)
            state.follow(tail)
            unit = _unit_of(state, command)
            if (trajectory := _find_trajectory(state, unit)) is not None:
                return trajectory
            for reply in state.commands:
                if isinstance(reply, CommandRefused) and reply.id == command.id:
                    raise BadInput(reply.why)
            if unit in state.unit_failures or not alive:
                raise AutoActError(f"no answer: {state.unit_failures.get(unit) or state.error or 'the job ended'}")
            time.sleep(LOOK_AT_LOG)
    finally:
        tail.close()


def _unit_of(state: RunState, command: Command) -> str:
    """Returns the unit that a command made; empty as long as there is none."""
    forked = (fork.unit for fork in state.lanes.forks.values() if fork.command == command.id)
    asked = (question.unit for question in state.injected.values() if question.command == command.id)
    return next(itertools.chain(forked, asked), "")


def _find_trajectory(state: RunState, unit: str) -> Trajectory | None:
    if unit in state.trajectories:
        return state.trajectories[unit]
    answers = (*(one.trajectory for one in state.solved), *(one.trajectory for one in state.validated))
    return next((one for one in answers if one.unit == unit), None)
