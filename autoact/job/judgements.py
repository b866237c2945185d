"""Judgements on the trajectories of a run without a job: logged without a model, and without resuming the run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from autoact.errors import AutoActError
from autoact.registry import load_plugins
from autoact.run.conductor.steering import RunCommands
from autoact.run.control.command import Command
from autoact.run.control.gate import Gate
from autoact.run.process.disk_space import check_room
from autoact.run.process.health import check_elsewhere
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.security import trust


def log_judgements(folder: RunFolder, commands: Sequence[Command]) -> list[str]:
    """Carries out the commands `judge` as a job does. Returns for each the reason of a refusal, else an empty text.

    Raises RunBusy when the run has a job, here or on another machine, NotTrusted for an untrusted run or project, and
    DiskFull.
    """
    trust.require_start(folder.path)
    check_elsewhere(folder)
    gate = Gate()
    replies = [gate.submit(command) for command in commands]
    with RunLock.take(folder, sign=False):  # the file tells how the last job ended
        check_room(folder.path)
        with closing(Journal(folder)) as journal:
            RunCommands(journal, gate).obey()
    return [reply.result().why for reply in replies]


def main() -> int:
    """Runs `python -m autoact.job.judgements FOLDER`: reads a list of commands as JSON, and prints the replies."""
    output, sys.stdout = sys.stdout.buffer, sys.stderr  # a plug-in may print
    try:
        load_plugins()
        commands = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Command])
        output.write(msgspec.json.encode(log_judgements(RunFolder(Path(sys.argv[1])), commands)))
    except (AutoActError, OSError) as error:  # the outermost handler of this process
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
