"""Trains one adapter in a process of its own, or in several that share the work, from a request in a folder.

    python -m autoact.training.worker FOLDER
    python -m torch.distributed.run --standalone --nproc-per-node 2 -m autoact.training.worker FOLDER

FOLDER/request.json is a `Request` as JSON (autoact/training/request.py); `main(["FOLDER"])` is the same call.
Every event is a line of FOLDER/events.jsonl, in the form of the event log; the last is `adapter.ready`, and then the
adapter is in `adapters/NAME` of the request's root. A file FOLDER/enough ends the training after the step in progress.
An error of AutoAct is written to FOLDER/failure.json, and the exit code is 1. The same request again continues from the
newest checkpoint in `checkpoints/NAME` of the root.

With --follow, events go to standard output, and after each the worker waits for a line on standard input, `go` or
`enough`; it ends when there are no more, because the process that follows it has ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from autoact.errors import AutoActError
from autoact.events import AdapterReady, Event
from autoact.project.config import Config
from autoact.run.record import event_json
from autoact.training.request import ENOUGH, EVENTS, FAILURE, FOLLOW, REQUEST, Failure, Request

PR_SET_PDEATHSIG = 1
"""Option of prctl on Linux: the signal that a process gets when its parent ends."""


class Listener(Protocol):
    """The receiver of the events of a training, who may end it."""

    def send(self, event: Event) -> None:
        """Passes an event on."""

    def enough(self) -> bool:
        """Returns whether the training shall end after the step in progress."""


class FolderListener:
    """Appends events to a file; another file ends the training."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / EVENTS).write_bytes(b"")

    def send(self, event: Event) -> None:
        """Appends a line to the file of events."""
        with (self.folder / EVENTS).open("ab") as file:
            file.write(event_json.encode(event) + b"\n")

    def enough(self) -> bool:
        """Returns whether the file `enough` exists."""
        return (self.folder / ENOUGH).exists()


class PipeListener:
    """Writes events to standard output and reads the replies from standard input."""

    def __init__(self) -> None:
        self.out: BinaryIO = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # whatever libraries print must not mix with the events

    def send(self, event: Event) -> None:
        """Writes one line."""
        self.out.write(event_json.encode(event) + b"\n")
        self.out.flush()

    def enough(self) -> bool:
        """Reads one line. Raises SystemExit when the process that follows has ended."""
        line = sys.stdin.readline()
        if not line:
            raise SystemExit("the training ends: no process follows it any more")
        return line.strip() == ENOUGH


class SilentListener:
    """Stands for the listener in all processes but the first."""

    def send(self, event: Event) -> None:
        """Does nothing."""

    def enough(self) -> bool:
        """Returns False: the first process decides."""
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains the request of a folder; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    folder = Path(next(argument for argument in arguments if argument != FOLLOW))
    first = os.environ.get("RANK", "0") == "0"
    listener: Listener = SilentListener()
    if first:
        listener = PipeListener() if FOLLOW in arguments else FolderListener(folder)
    try:
        _train(msgspec.json.decode((folder / REQUEST).read_bytes(), type=Request), listener)
    except AutoActError as error:
        if first:
            (folder / FAILURE).write_bytes(msgspec.json.encode(Failure(type(error).__name__, str(error))))
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def end_with_parent() -> None:
    """Makes the kernel end this process with its parent, which starts each one in a session of its own."""
    with suppress(AttributeError):  # other systems have no prctl; there a killed launcher leaves its processes
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _train(request: Request, listener: Listener) -> None:
    import torch
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    from autoact.model.local import open_engine
    from autoact.training.trainer import open_trainer

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    settings = msgspec.structs.replace(request.settings, processes=1)
    engine = open_engine(Config(model=request.model))
    PartialState(cpu=engine.model.device.type == "cpu")  # connects the processes
    training = open_trainer(engine, settings, seed=request.seed, root=Path(request.root)).train(request.train)
    enough: bool | None = None
    while True:
        try:
            event = training.send(enough)
        except StopIteration as end:
            listener.send(AdapterReady(end.value))
            return
        listener.send(event)
        enough = bool(broadcast_object_list([listener.enough()])[0])


if __name__ == "__main__":
    from autoact.threads import limit_spinning

    if "RANK" in os.environ:
        end_with_parent()
    limit_spinning()
    sys.exit(main())
