"""`autoact fork`: replays the first answers of an episode, changes the next one, and continues from there."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.lab.spending import ForkCost


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "fork", help="continue from the middle of an episode, with a changed answer",
        description="Makes a new unit that replays the first N answers of another without asking the model, then "
        "asks the model. With --edit, answer N is the given text. `autoact log` numbers the answers.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("unit", help="the episode, as `autoact log` names it")
    parser.add_argument("--at", type=int, required=True, metavar="N", help="answers to replay")
    parser.add_argument("--edit", default="", metavar="TEXT", help="the new text of answer N")
    parser.add_argument("--json", action="store_true", help="print the trajectory and its cost as JSON")
    parser.set_defaults(run=fork)


def fork(arguments: argparse.Namespace) -> int:
    """Forks a unit in the live job, or in one started for it, waits for the fork's end, and prints it."""
    from autoact.cli.control.command import deliver_or_start, wait_for_trajectory
    from autoact.cli.output import print_json, print_turns
    from autoact.lab.tally import tally
    from autoact.run.control.command import Command, new_id, user_name

    folder = find_target_run(arguments)
    command = Command(new_id(), "fork", arguments.unit, arguments.at, arguments.edit, by=user_name())
    deliver_or_start(folder, command)
    made = wait_for_trajectory(folder, command)
    cost = next(cost for cost in tally(folder.events).forks if cost.unit == made.unit)
    if arguments.json:
        print_json({"trajectory": made, "cost": cost})
    else:
        print_turns(made)
        print(_line(cost), file=sys.stderr)
    return 0


def _line(cost: ForkCost) -> str:
    return (
        f"{cost.unit}: {cost.at} answers replayed for {cost.replayed.prefilled} tokens encoded and "
        f"{cost.replayed.decoded} generated; {cost.live.calls} new ones for {cost.live.prefilled} and "
        f"{cost.live.decoded}"
    )
