"""`autoact attach`: shows the progress of a run that has been detached."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from autoact.cli.target import add_target, find_target_run


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "attach", aliases=["watch"], help="show a run's progress until it ends",
        description="Shows a run's progress until it ends, then its results. Ctrl-C leaves it running.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="print the final figures as JSON")
    parser.set_defaults(run=attach)


def attach(arguments: argparse.Namespace) -> int:
    """Follows a run to its end; of a run that has ended, shows the end at once."""
    from autoact.cli.watch.follow import follow
    from autoact.cli.watch.table import print_result

    return follow(find_target_run(arguments), partial(print_result, as_json=arguments.json), stops=False)
