"""The job: a process that owns one run. It takes the lock, folds the log, and plays the stages that are left."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import NoReturn

import msgspec

from autoact.errors import AutoActError, BadInput, DiskFull, ModelFailed, RunBusy
from autoact.events import (
    RunCancelled,
    RunFailed,
    RunFinished,
    RunOpened,
    StageFinished,
    StageStarted,
)
from autoact.job.base_run import adopt
from autoact.job.pipeline import Pipeline
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.registry import load_plugins
from autoact.registry.stages import STAGES
from autoact.run.conductor.conductor import Conductor
from autoact.run.conductor.steering import RunCommands
from autoact.run.control import control_socket
from autoact.run.control.control_socket import ControlServer
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.process import exit_record
from autoact.run.process.disk_space import check_room
from autoact.run.process.heartbeat import EVERY, Pulse, resident_mb
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.live import LiveWriter
from autoact.run.record.state import RunState
from autoact.security.secrets import Vault, hide_output
from autoact.threads import limit_spinning

OpenWorld = Callable[[Config, Project, RunFolder], Pipeline]
"""Makes the pipeline of a run: loads the model, opens the tools."""

LOOK = 0.1
"""Seconds between looks for commands while the model loads."""
LOADER = "loader"
"""Name of the thread that loads it."""
DISPENSABLE = 300
"""Added to the job's score in the kernel's choice of whom to kill: the terminal and the keeper shall outlive it."""


class Job:
    """One attempt at a run. `gate` stops it from outside."""

    def __init__(self, folder: RunFolder, open_world: OpenWorld):
        self.folder, self.open_world = folder, open_world
        self.gate = Gate()
        self.config = _settings(folder)
        self.project = Project.open(folder.path.parent.parent)
        self.vault = Vault.open()
        self.ticks = 0
        self.ticked_at, self.ticked_cpu = time.time(), time.process_time()
        self.doing = ""
        """What is waited for, for people; see `Pulse.doing`."""

    def run(self) -> str:
        """Play what is left; the run's last word: finished, cancelled or failed. Raises RunBusy and DiskFull."""
        with RunLock.take(self.folder):
            if warning := check_room(self.folder.path):
                print(warning, file=sys.stderr)
            journal = Journal(self.folder, wait=self.gate.rest)
            try:
                return self._play(journal)
            finally:
                self.gate.close()
                journal.close()

    def _play(self, journal: Journal) -> str:
        """The boundary of the process: an error it cannot turn into data becomes the run's last word."""
        journal.append(self._opened(journal.state.attempt + 1))
        try:
            with Heart(self, journal.state):
                self._stages(journal)
        except Cancelled:
            with suppress(Cancelled):  # the disk is full to the last byte: the log ends without this word
                journal.append(RunCancelled())
            return "cancelled"
        except (AutoActError, OSError, RuntimeError, ValueError) as error:
            with suppress(OSError):  # it may be the log's own disk that failed
                journal.append(RunFailed(self.vault.hide(f"{type(error).__name__}: {error}")[:4000]))
            raise
        journal.append(RunFinished())
        return "finished"

    def _opened(self, attempt: int, engine: str = "") -> RunOpened:
        """Said twice an attempt: at once, and when the model is loaded and has a name."""
        return RunOpened(attempt, os.getpid(), socket.gethostname(), engine, msgspec.to_builtins(self.config))

    def _stages(self, journal: Journal) -> None:
        if self.config.run.base:
            adopt(journal, self.folder, self.config.run)
        left = [name for name in self.config.run.stages if not _finished(journal, name)]
        if not left and not control_socket.left(self.folder) and not journal.memory.open_forks():
            return
        with ControlServer(self.folder, self.gate.submit), closing(LiveWriter(self.folder)) as live:
            commands = RunCommands(journal, self.gate)
            commands.obey()
            if not left and self.gate.empty and not journal.memory.open_forks():
                return  # what was left to do needed no model
            pipeline = self._open(commands)
            with closing(pipeline.world):
                self._conduct(left, pipeline, journal, live)

    def _conduct(self, left: list[str], pipeline: Pipeline, journal: Journal, live: LiveWriter) -> None:
        journal.append(self._opened(journal.state.attempt, pipeline.world.engine.name))
        conductor = Conductor(
            pipeline.world, journal, self.gate, seed=self.config.model.seed, tick=self.tick, live=live,
            revive=lambda unit: pipeline.find(unit, journal.state), hide=self.vault.hide,
        )  # fmt: skip
        for name in left:
            self._stage(name, pipeline, conductor, journal)
        conductor.play_forks()

    def _open(self, commands: RunCommands) -> Pipeline:
        """Load the model and open the tools in a thread, while commands are obeyed here. May take minutes.

        Raises Cancelled; the thread then goes on until the process ends.
        """
        opened: Future[Pipeline] = Future()
        self.tick(f"loading {self.config.model.id}")
        thread = threading.Thread(target=self._load, args=(opened,), name=LOADER, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(LOOK)
            commands.obey()
            commands.journal.sync()
        self.tick()
        return opened.result()

    def _load(self, opened: Future[Pipeline]) -> None:
        try:
            opened.set_result(self.open_world(self.config, self.project, self.folder))
        except BaseException as error:  # raised again where the result is wanted
            opened.set_exception(error)

    def _stage(self, name: str, pipeline: Pipeline, conductor: Conductor, journal: Journal) -> None:
        began = time.monotonic()
        stage, expected = pipeline.begin(name, journal.state)
        started = StageStarted(name, expected)
        if name in journal.memory.unreadable:
            journal.append(started)
        else:
            journal.once(started)
        conductor.play(name, stage, expected)
        journal.append(StageFinished(name, STAGES.get(name).made(journal.state), round(time.monotonic() - began, 3)))

    def tick(self, doing: str = "") -> None:
        """Something moved. `doing` says what is waited for from now on, if that may take any time."""
        self.ticks += 1
        self.ticked_at, self.ticked_cpu, self.doing = time.time(), time.process_time(), doing


def _settings(folder: RunFolder) -> Config:
    try:
        return msgspec.convert(folder.read_config(), Config)
    except msgspec.ValidationError as error:
        raise BadInput(f"not the settings of a run: {error}", file=folder.config) from error


def _finished(journal: Journal, name: str) -> bool:
    stage = journal.state.stages.get(name)
    return stage is not None and stage.status == "finished" and name not in journal.memory.unreadable


class Heart:
    """Writes the pulse every two seconds from a thread of its own: a long training step is no silence."""

    def __init__(self, job: Job, state: RunState):
        self.job, self.state = job, state
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Heart:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def _beat(self) -> None:
        while True:
            with suppress(OSError):  # a full disk takes no pulse; the next one may fit
                self._pulse().write(self.job.folder)
            if self.stopped.wait(EVERY):
                return

    def _pulse(self) -> Pulse:
        state = self.state
        stage = state.stages.get(state.stage)
        return Pulse(
            os.getpid(), state.seq, state.stage, stage.done if stage else 0, stage.of if stage else 0,
            self.job.ticks, resident_mb(), time.time(), self.job.ticked_at, bool(self.job.doing), self.job.doing,
            round(time.process_time() - self.job.ticked_cpu, 3),
        )  # fmt: skip


def _open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    from autoact.job.open_world import open_world  # torch is loaded here: by now the run is owned, and has a pulse

    return open_world(config, project, folder)


def settle() -> None:
    """Crashes, and SIGUSR1, print every thread's stack; when memory ends, the kernel takes this process first."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        with suppress(PermissionError):  # a container may forbid it; then all are equal
            score.write_text(str(min(1000, int(score.read_text()) + DISPENSABLE)))


def main(arguments: list[str] | None = None, open_world: OpenWorld = _open_world) -> int:
    """`python -m autoact.job.job FOLDER`: exit code 0 finished, 130 cancelled, 1 failed, 2 bad input, 3 run is busy."""
    settle()
    limit_spinning()
    (folder,) = sys.argv[1:] if arguments is None else arguments
    try:
        load_plugins()
        job = Job(RunFolder(Path(folder).resolve()), open_world)
        hide_output(job.vault)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: job.gate.cancel())
        return {"finished": exit_record.FINISHED, "cancelled": exit_record.CANCELLED}[job.run()]
    except ModelFailed:
        raise  # exit code 1, and a traceback on the console: where in the model it was is worth knowing
    except AutoActError as error:
        print(error, file=sys.stderr)
        if isinstance(error, BadInput | DiskFull):  # no other try would go better
            return exit_record.BAD_INPUT
        return exit_record.BUSY if isinstance(error, RunBusy) else exit_record.FAILED


def leave(code: int) -> NoReturn:
    """End the process with this exit code, without waiting for a model that still loads: nothing interrupts that."""
    if any(thread.name == LOADER for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    leave(main())
