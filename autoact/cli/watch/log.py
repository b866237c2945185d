"""`autoact log`: what happened in a run, event by event; what its job printed; where its job is right now."""

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
"""Seconds between looks at most, with --follow."""
WIDTH = 300
"""Letters of a line."""
PATIENCE = 20
"""Looks after which a job that was asked for its stacks is not expected to print them any more."""


def add(subparsers: Any) -> None:
    """The verb and its options."""
    parser = subparsers.add_parser("log", help="show a run's events, or what its job printed")
    add_target(parser)
    parser.add_argument("--follow", action="store_true", help="go on as long as the run does")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="one JSON object a line")
    what.add_argument("--console", action="store_true", help="what the job printed, instead of events")
    what.add_argument("--stack", action="store_true", help="have the job print where each of its threads is")
    parser.set_defaults(run=log)


def log(arguments: argparse.Namespace) -> int:
    """Print what is there, and with --follow what comes."""
    folder = find_target_run(arguments)
    if arguments.stack:
        return _print_stacks(folder)
    looks = _polls(folder, follow=arguments.follow)
    if arguments.console:
        _print_console(folder, looks)
    else:
        _print_events(folder, looks, as_json=arguments.json)
    return 0


def event_line(record: Record) -> str:
    """Time, number, type and words of one event."""
    import time

    from autoact.cli.output import printable
    from autoact.run.record.event_text import words

    at = time.strftime("%H:%M:%S", time.localtime(record.at))
    said = words(record.event) if record.event is not None else "(of a newer version)"
    text = printable(f"{at} {record.seq:6d}  {record.type:<20} {said}".rstrip())
    return text if len(text) <= WIDTH else text[:WIDTH] + "…"


def as_json_line(record: Record) -> str:
    """One event as a JSON object: `seq`, `at` in unix seconds, `type`, and its own fields."""
    import msgspec

    fields = msgspec.to_builtins(record.event) if record.event is not None else {}
    return msgspec.json.encode({"seq": record.seq, "at": record.at, "type": record.type, **fields}).decode()


def _polls(folder: RunFolder, *, follow: bool) -> Iterator[None]:
    """Once; with `follow` again and again, the last time after the run has lost its job and its keeper."""
    from autoact.run.process.health import attended
    from autoact.run.record.watch import Watch

    with Watch(folder.events, folder.console) as watch:
        while follow and attended(folder):
            yield
            watch.wait(EVERY)
    yield


def _print_events(folder: RunFolder, looks: Iterator[None], *, as_json: bool) -> None:
    from autoact.cli.output import print_json_text, printable
    from autoact.run.record.log import LogTail

    tail = LogTail(folder.events)
    try:
        for _ in looks:
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


def _print_console(folder: RunFolder, looks: Iterator[None], since: int = 0) -> None:
    """Print whole lines from byte `since`, with what would act on the terminal made visible."""
    from autoact.cli.output import printable
    from autoact.files import disk

    for _ in looks:
        try:
            file = disk.open_bytes(folder.console)
        except FileNotFoundError:
            continue
        with file:
            file.seek(since)
            for said in file:
                since += len(said)
                print(printable(said.decode(errors="replace").rstrip("\r\n")), flush=True)


def _print_stacks(folder: RunFolder) -> int:
    """Ask for the stacks and print what then comes. Raises BadInput when no job is alive here."""
    import time

    from autoact.errors import AutoActError, BadInput
    from autoact.files import disk
    from autoact.run.process.launch import dump_stacks

    before = disk.file_size(folder.console)
    if not dump_stacks(folder):
        raise BadInput(f"{folder.name} has no job on this machine")
    for _ in range(PATIENCE):
        time.sleep(EVERY)
        if disk.file_size(folder.console) > before:
            time.sleep(EVERY)  # the threads come one after another
            _print_console(folder, _polls(folder, follow=False), before)
            return 0
    raise AutoActError(f"{folder.name} printed no stacks; its console is {folder.console}")
