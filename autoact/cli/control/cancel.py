"""`autoact cancel`: ask a run's job to stop, and wait until it has."""

from __future__ import annotations

import argparse
from typing import Any

from autoact.cli.target import add_target, find_target_run


def add(subparsers: Any) -> None:
    """The verb and its options."""
    parser = subparsers.add_parser(
        "cancel", help="stop a run so that it can go on later",
        description="Asks the job to stop, which it does after the answer in hand, and waits for it.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long (default: 60)")
    parser.add_argument("--kill", action="store_true", help="end it at once; what was logged is safe")
    parser.set_defaults(run=cancel)


def cancel(arguments: argparse.Namespace) -> int:
    """Ask, wait, and say what happened. Exit code 1 when it has not stopped in time."""
    import time

    from autoact.errors import AutoActError
    from autoact.run.process import launch
    from autoact.run.process.health import attended, verdict
    from autoact.run.record.state import RunState

    folder = find_target_run(arguments)
    asked = launch.kill(folder) if arguments.kill else launch.stop(folder)
    until = time.monotonic() + arguments.wait
    while attended(folder) and time.monotonic() < until:
        time.sleep(0.1)
    found = verdict(folder, RunState.of(folder.events))
    if attended(folder):
        raise AutoActError(
            f"run {folder.name} was asked to stop, but is {found} after {arguments.wait:g} s; `--kill` ends it at once"
        )
    print(f"run {folder.name} {'is' if asked else 'has no job to stop here; it is'} {found}")
    return 0
