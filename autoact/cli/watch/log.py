"""`autoact log`: prints a run's events, the output of its job, or the stacks of its job's threads."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.run.record.folder import RunFolder
    from autoact.run.record.log import Record

EVERY = 0.25
"""The most seconds between two reads, with --follow."""
WIDTH = 300
"""The most characters of a line."""
STACK_POLLS = 20
"""Reads of the console to wait for the stacks of a job."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser("log", aliases=["logs"], help="print a run's events, or the output of its job")
    add_target(parser)
    parser.add_argument("--follow", action="store_true", help="continue until the run ends")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object per line")
    form.add_argument("--console", action="store_true", help="the output of the job instead of events")
    form.add_argument("--stack", action="store_true", help="the stacks of the job's threads, now")
    parser.set_defaults(run=log)


def log(arguments: argparse.Namespace) -> int:
    """Prints the events or the output so far, and with --follow what is added."""
    folder = find_target_run(arguments)
    if arguments.stack:
        return _print_stacks(folder)
    polls = _polls(folder, follow=arguments.follow)
    if arguments.console:
        _print_console(folder, polls)
    else:
        _print_events(folder, polls, as_json=arguments.json)
    return 0


def event_line(record: Record) -> str:
    """Returns time, number, type and text of one event."""
    import time

    from autoact.cli.output import printable
    from autoact.run.record.event_text import describe_event

    at = time.strftime("%H:%M:%S", time.localtime(record.at))
    summary = describe_event(record.event) if record.event is not None else "(of a newer version)"
    text = printable(f"{at} {record.seq:6d}  {record.type:<20} {summary}".rstrip())
    return text if len(text) <= WIDTH else text[:WIDTH] + "…"


def as_json_line(record: Record) -> str:
    """Returns one event as a JSON object: `seq`, `t` in Unix seconds and `type`, as in the log, and its own fields."""
    import msgspec

    fields = msgspec.to_builtins(record.event) if record.event is not None else {}
    return msgspec.json.encode({"seq": record.seq, "t": record.at, "type": record.type, **fields}).decode()


def _polls(folder: RunFolder, *, follow: bool) -> Iterator[None]:
    """Yields once; with `follow` until the run has no job and no keeper, and once after that."""
    from autoact.run.process.health import is_active
    from autoact.run.record.watch import Watch

    with Watch(folder.events, folder.console) as watch:
        while follow and is_active(folder):
            yield
            watch.wait(EVERY)
    yield


def _print_events(folder: RunFolder, polls: Iterator[None], *, as_json: bool) -> None:
    from autoact.cli.output import print_json_text, printable
    from autoact.run.record.log import LogTail

    tail = LogTail(folder.events)
    try:
        for _ in polls:
            for record in tail.poll():
                if as_json:
                    print_json_text(as_json_line(record))
                else:
                    print(event_line(record))
                sys.stdout.flush()
        for offset, why in tail.damaged:
            print(f"damaged at byte {offset}: {printable(why)}", file=sys.stderr)
    finally:
        tail.close()


def _print_console(folder: RunFolder, polls: Iterator[None], since: int = 0) -> None:
    """Prints lines from byte `since`, with control characters made visible."""
    from autoact.cli.output import printable
    from autoact.files import disk

    for _ in polls:
        try:
            file = disk.open_bytes(folder.console)
        except FileNotFoundError:
            continue
        with file:
            file.seek(since)
            for row in file:
                since += len(row)
                print(printable(row.decode(errors="replace").rstrip("\r\n")), flush=True)


def _print_stacks(folder: RunFolder) -> int:
    """Asks the job for its stacks and prints them. Raises BadInput when it has no live job here."""
    import time

    from autoact.errors import AutoActError, BadInput
    from autoact.files import disk
    from autoact.run.process.launch import dump_stacks

    before = disk.file_size(folder.console)
    if not dump_stacks(folder):
        raise BadInput(f"{folder.name} has no job on this machine")
    for _ in range(STACK_POLLS):
        time.sleep(EVERY)
        if disk.file_size(folder.console) > before:
            time.sleep(EVERY)  # the threads come one after another
            _print_console(folder, _polls(folder, follow=False), before)
            return 0
    raise AutoActError(f"{folder.name} printed no stacks; its console is {folder.console}")
