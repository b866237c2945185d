"""`autoact attach`: watch a run that goes on by itself."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from autoact.cli.target import add_target, find_target_run


def add(subparsers: Any) -> None:
    """The verb and its options."""
    parser = subparsers.add_parser(
        "attach", help="watch a run until it ends",
        description="Shows a run's progress until it ends, then what it made. Ctrl-C leaves it running.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="print the final figures as JSON")
    parser.set_defaults(run=attach)


def attach(arguments: argparse.Namespace) -> int:
    """Follow to the end; a run that has ended shows its end at once."""
    from autoact.cli.watch.follow import follow
    from autoact.cli.watch.table import print_result

    return follow(find_target_run(arguments), partial(print_result, as_json=arguments.json), stops=False)
