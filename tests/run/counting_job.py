"""A job that counts: `counting_job.py [WISHES] FOLDER`.

It takes the run's lock, beats, logs an answer at each count and goes on where the log stops, as the real job does, but
has no model and starts in a moment.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from autoact.errors import RunBusy
from autoact.events import ModelAnswered, RunCancelled, RunFailed, RunFinished, RunOpened
from autoact.job.job import prepare_process
from autoact.run.process import exit_record
from autoact.run.process.heartbeat import Heartbeat, resident_mb
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from autoact.run.record.state import RunState

stopped: list[int] = []


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--of", type=int, default=5)
    parser.add_argument("--every", type=float, default=0.0)
    parser.add_argument("--crash", type=int, default=-1)
    parser.add_argument("--stumble", type=int, default=-1, help="crash after this many counts of every attempt")
    parser.add_argument("--deaf", action="store_true", help="do not listen to SIGTERM")
    parser.add_argument("--fail", action="store_true")
    parser.add_argument("--exit", type=int, default=0)
    parser.add_argument("folder", type=Path)
    wish = parser.parse_args()
    prepare_process()
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    if wish.exit:
        print(f"leaving with {wish.exit}", file=sys.stderr)
        return int(wish.exit)
    try:
        with RunLock.take(RunFolder(wish.folder)):
            return count(RunFolder(wish.folder), wish)
    except RunBusy as error:
        print(error, file=sys.stderr)
        return exit_record.BUSY


def count(folder: RunFolder, wish: argparse.Namespace) -> int:
    before = RunState.of(folder.events)
    with LogWriter(folder) as log:
        log.append(RunOpened(before.attempt + 1, os.getpid(), "here"))
        for n in range(before.answers, wish.of):
            beat(folder, log.seq, n, wish.of)
            if n == wish.crash or n - before.answers == wish.stumble:
                os.kill(os.getpid(), signal.SIGKILL)
            if stopped and not wish.deaf:
                log.append(RunCancelled())
                return exit_record.CANCELLED
            log.append(ModelAnswered("t-1", n, "d", "meta", "thought", str(n)))
            time.sleep(wish.every)
        log.append(RunFailed("out of luck") if wish.fail else RunFinished())
    return exit_record.FAILED if wish.fail else exit_record.FINISHED


def beat(folder: RunFolder, seq: int, n: int, of: int) -> None:
    Heartbeat(os.getpid(), seq, "synthesis", n, of, n, resident_mb(), time.time(), time.time()).write(folder)


if __name__ == "__main__":
    sys.exit(main())
