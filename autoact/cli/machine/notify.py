"""`autoact notify`: shows how a person is told that a run ended or waits, and sends a test notification."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "notify", help="show how you are told that a run ended, failed, waits or stands still",
        description="Shows the settings in notify.toml: what the studio does in its terminal, and what the process "
        "that keeps a run does (a command, a webhook, ntfy), also when the studio is closed.",
    )  # fmt: skip
    parser.add_argument("--test", action="store_true", help="send a test notification by each way that is set")
    parser.set_defaults(run=notify)


def notify(arguments: argparse.Namespace) -> int:
    """Prints the settings, or an example when there is no file; returns 1 when a test notification failed."""
    from autoact.cli.output import printable
    from autoact.errors import AutoActError
    from autoact.run.process.notification import EXAMPLE, Notification, read_settings, settings_file
    from autoact.run.process.notify import send

    settings, file = read_settings(), settings_file()
    if file.exists():
        print(f"{printable(str(file))}:\n")
        print("\n".join(map(printable, file.read_text("utf-8").splitlines())))
    else:
        print(f"There is no {printable(str(file))}; this would be the usual one:\n\n{EXAMPLE}", end="")
    if not arguments.test:
        return 0
    keeper = settings.keeper
    if not (keeper.command or keeper.webhook or keeper.ntfy):
        raise AutoActError("nothing to test: neither command, webhook nor ntfy is set under [keeper]")
    failures = send(keeper, Notification("finished", "a test of autoact notify"))
    for failure in failures:
        print(printable(f"failed: {failure}"))
    print("" if failures else "\nsent")
    return 1 if failures else 0
