"""`autoact cancel`: asks a run's job to stop and waits for its end."""

from __future__ import annotations

import argparse
from typing import Any

from autoact.cli.target import add_target, find_target_run


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "cancel", aliases=["stop"], help="stop a run, which can be resumed",
        description="Asks the job to stop after the current answer, and waits for its end.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="seconds to wait (default: 60)")
    parser.add_argument("--kill", action="store_true", help="kill the job at once; logged answers are kept")
    parser.set_defaults(run=cancel)


def cancel(arguments: argparse.Namespace) -> int:
    """Stops a run's job and prints the run's state. Exit code 1 when it has none, or has not stopped in time."""
    import time

    from autoact.errors import AutoActError
    from autoact.run.process import launch
    from autoact.run.process.health import is_active, verdict
    from autoact.run.record.state import RunState

    folder = find_target_run(arguments)
    asked = launch.kill(folder) if arguments.kill else launch.stop(folder)
    until = time.monotonic() + arguments.wait
    while is_active(folder) and time.monotonic() < until:
        time.sleep(0.1)
    found = verdict(folder, RunState.of(folder.events))
    if is_active(folder):
        raise AutoActError(
            f"run {folder.name} was asked to stop, but is {found} after {arguments.wait:g} s; `--kill` ends it at once"
        )
    if not asked:
        raise AutoActError(f"run {folder.name} has no job on this machine; it is {found}")
    print(f"run {folder.name} is {found}")
    return 0
