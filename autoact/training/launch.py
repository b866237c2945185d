"""Trains an adapter in several processes that share the work of each step."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from autoact import errors
from autoact.errors import AutoActError, ModelFailed
from autoact.events import AdapterReady, Event
from autoact.run.record import event_json
from autoact.security.child_process import FOLDER, environment, python_command
from autoact.threads import thread_limit
from autoact.training.request import ENOUGH, FAILURE, FOLLOW, Failure, Request, write_request
from autoact.trajectory import Adapter

LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
"""The command that `accelerate launch` starts for several GPUs; for several processes on a CPU it would need MPI."""


def train_in_processes(request: Request) -> Generator[Event, bool | None, Adapter]:
    """Yields the events of a training in `request.settings.processes` processes, and returns the adapter.

    When True is sent, it ends after the step in progress. Raises the errors of the trainer, and ModelFailed when the
    processes end without a result.
    """
    with tempfile.TemporaryDirectory(prefix="autoact-training-") as name:
        folder = Path(name)
        write_request(folder, request)
        with _start(folder, request) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in process.stdout:
                event = event_json.decode(line)
                if isinstance(event, AdapterReady):
                    return event.adapter
                if event is not None:
                    enough = yield event
                    with suppress(BrokenPipeError):  # it has just ended, and says why below
                        process.stdin.write(f"{ENOUGH if enough else 'go'}\n".encode())
                        process.stdin.flush()
        raise _read_failure(folder)


@contextmanager
def _start(folder: Path, request: Request) -> Iterator[subprocess.Popen[bytes]]:
    """Starts the processes in a group of their own, which does not outlive the block."""
    count = request.settings.processes
    variables = {**environment(), "OMP_NUM_THREADS": str(max(1, thread_limit().threads // count))}
    if request.model.device == "cpu":
        variables["ACCELERATE_USE_CPU"] = "true"
    process = subprocess.Popen(
        python_command(*LAUNCHER, str(count), "-m", "autoact.training.worker", str(folder), FOLLOW),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables, cwd=FOLDER, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _read_failure(folder: Path) -> AutoActError:
    """Returns the error that the worker wrote down."""
    try:
        failure = msgspec.json.decode((folder / FAILURE).read_bytes(), type=Failure)
    except FileNotFoundError:
        return ModelFailed("the processes that trained have ended without a result; the job's output says more")
    kind = getattr(errors, failure.kind, ModelFailed)
    error: AutoActError = kind(failure.why)
    return error
