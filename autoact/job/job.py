"""The job: the process of one run. It takes the run's lock, reads the log, and plays the remaining stages."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
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
from autoact.run.process.heartbeat import INTERVAL, Heartbeat, resident_mb
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.live import LiveWriter
from autoact.run.record.state import RunState
from autoact.security.secrets import Vault, hide_output
from autoact.threads import limit_spinning

OpenWorld = Callable[[Config, Project, RunFolder], Pipeline]
"""A function that makes the pipeline of a run: it loads the model and opens the tools."""

LOOK = 0.1
"""Seconds between checks for commands while the model loads."""
LOADER = "loader"
"""Name of the thread that loads the model."""
OOM_SCORE = 300
"""Amount added to the job's out-of-memory score, so that the kernel kills it before the keeper and the terminal."""


class Job:
    """One attempt at a run. Other threads stop it through `gate`."""

    def __init__(self, folder: RunFolder, open_world: OpenWorld):
        self.folder, self.open_world = folder, open_world
        self.gate = Gate()
        self.config = read_settings(folder)
        self.project = Project.open(folder.path.parent.parent)
        self.vault = Vault.open()
        self.ticks = 0
        self.ticked_at, self.ticked_cpu = time.time(), time.process_time()
        self.doing = ""
        """The activity that is waited for, for people; see `Heartbeat.doing`."""

    def run(self) -> str:
        """Plays the remaining stages. Returns `finished` or `cancelled`. Raises RunBusy, DiskFull and others."""
        with RunLock.take(self.folder):
            if warning := check_room(self.folder.path):
                print(warning, file=sys.stderr)
            journal = Journal(self.folder, wait=self.gate.sleep)
            try:
                return self._play(journal)
            finally:
                self.gate.close()
                journal.close()

    def _play(self, journal: Journal) -> str:
        """Plays the stages and logs how the run ended. An error that ends the run is logged and raised again."""
        journal.append(self._opened_event(journal.state.attempt + 1))
        try:
            with HeartbeatThread(self, journal.state):
                self._play_stages(journal)
        except Cancelled:
            with suppress(Cancelled):  # raised again while the disk is full: the log ends without this event
                journal.append(RunCancelled())
            return "cancelled"
        except (AutoActError, OSError, RuntimeError, ValueError) as error:
            with suppress(OSError):  # the log's disk may be the one that failed
                journal.append(RunFailed(self.vault.hide(f"{type(error).__name__}: {error}")[:4000]))
            raise
        journal.append(RunFinished())
        return "finished"

    def _opened_event(self, attempt: int, engine: str = "", inputs: Mapping[str, str] | None = None) -> RunOpened:
        """Returns the event that is logged twice an attempt: at its start, and when the model's engine is known."""
        settings = msgspec.to_builtins(self.config)
        return RunOpened(attempt, os.getpid(), socket.gethostname(), engine, settings, dict(inputs or {}))

    def _play_stages(self, journal: Journal) -> None:
        if self.config.run.base:
            adopt(journal, self.folder, self.config.run)
        remaining = [name for name in self.config.run.stages if not _is_finished(journal, name)]
        if not remaining and not control_socket.has_commands(self.folder) and not journal.memory.open_forks():
            return
        with ControlServer(self.folder, self.gate.submit), closing(LiveWriter(self.folder)) as live:
            commands = RunCommands(journal, self.gate)
            commands.obey()
            if not remaining and self.gate.empty and not journal.memory.open_forks():
                return  # the commands needed no model
            pipeline = self._open_pipeline(commands)
            with closing(pipeline.world):
                self._conduct(remaining, pipeline, journal, live)

    def _conduct(self, remaining: list[str], pipeline: Pipeline, journal: Journal, live: LiveWriter) -> None:
        journal.append(self._opened_event(journal.state.attempt, pipeline.world.engine.name, pipeline.inputs.digests))
        conductor = Conductor(
            pipeline.world, journal, self.gate, seed=self.config.model.seed, tick=self.tick, live=live,
            revive=lambda unit: pipeline.find(unit, journal.state), hide=self.vault.hide,
        )  # fmt: skip
        with closing(conductor):
            for name in remaining:
                self._play_stage(name, pipeline, conductor, journal)
            conductor.play_forks()

    def _open_pipeline(self, commands: RunCommands) -> Pipeline:
        """Loads the model and opens the tools in a thread, while commands are carried out here. May take minutes.

        Raises Cancelled; the thread then continues until the process ends.
        """
        pipeline: Future[Pipeline] = Future()
        self.tick(f"loading {self.config.model.id}")
        thread = threading.Thread(target=self._load, args=(pipeline,), name=LOADER, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(LOOK)
            commands.obey()
            commands.journal.sync()
        self.tick()
        return pipeline.result()

    def _load(self, pipeline: Future[Pipeline]) -> None:
        try:
            pipeline.set_result(self.open_world(self.config, self.project, self.folder))
        except BaseException as error:  # raised again by `result`
            pipeline.set_exception(error)

    def _play_stage(self, name: str, pipeline: Pipeline, conductor: Conductor, journal: Journal) -> None:
        began = time.monotonic()
        stage, expected = pipeline.begin(name, journal.state)
        started = StageStarted(name, expected)
        if name in journal.memory.unreadable:
            journal.append(started)
        else:
            journal.append_once(started)
        earlier = journal.state.stages[name].worked
        try:
            conductor.play(name, stage, expected)
        finally:
            pipeline.world.trainer.release()
        seconds = round(earlier + time.monotonic() - began, 3)
        journal.append(StageFinished(name, STAGES.get(name).made(journal.state), seconds))

    def tick(self, doing: str = "") -> None:
        """Counts progress. `doing` names the activity that is waited for from now on, if that may take long."""
        self.ticks += 1
        self.ticked_at, self.ticked_cpu, self.doing = time.time(), time.process_time(), doing


def read_settings(folder: RunFolder) -> Config:
    """Returns the settings of a run. Raises BadInput for those of another version, or damaged ones."""
    try:
        return msgspec.convert(folder.read_config(), Config)
    except msgspec.ValidationError as error:
        raise BadInput(f"not the settings of a run: {error}", file=folder.config) from error


def _is_finished(journal: Journal, name: str) -> bool:
    stage = journal.state.stages.get(name)
    return stage is not None and stage.status == "finished" and name not in journal.memory.unreadable


class HeartbeatThread:
    """Writes the heartbeat every two seconds in a thread of its own, so that it continues during a training step."""

    def __init__(self, job: Job, state: RunState):
        self.job, self.state = job, state
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> HeartbeatThread:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def _run(self) -> None:
        while True:
            with suppress(OSError):  # the disk may be full now and have room for the next one
                self._heartbeat().write(self.job.folder)
            if self.stopped.wait(INTERVAL):
                return

    def _heartbeat(self) -> Heartbeat:
        state = self.state
        stage = state.stages.get(state.stage)
        return Heartbeat(
            os.getpid(), state.seq, state.stage, stage.done if stage else 0, stage.of if stage else 0,
            self.job.ticks, resident_mb(), time.time(), self.job.ticked_at, bool(self.job.doing), self.job.doing,
            round(time.process_time() - self.job.ticked_cpu, 3),
        )  # fmt: skip


def _open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    from autoact.job.open_world import open_world  # imports torch, after the lock is taken and the heartbeat started

    return open_world(config, project, folder)


def prepare_process() -> None:
    """Makes crashes and SIGUSR1 print every thread's stack, and raises the process's out-of-memory score."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        with suppress(PermissionError):  # a container may forbid it
            score.write_text(str(min(1000, int(score.read_text()) + OOM_SCORE)))


def main(arguments: list[str] | None = None, open_world: OpenWorld = _open_world) -> int:
    """Runs `python -m autoact.job.job FOLDER`.

    Returns the exit code: 0 finished, 130 cancelled, 1 failed, 2 bad input or a full disk, 3 the run is busy.
    """
    prepare_process()
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
        raise  # exit code 1, and a traceback on the console that shows the failing part of the model
    except AutoActError as error:
        print(error, file=sys.stderr)
        if isinstance(error, BadInput | DiskFull):  # a restart would fail too
            return exit_record.BAD_INPUT
        return exit_record.BUSY if isinstance(error, RunBusy) else exit_record.FAILED


def exit_process(code: int) -> NoReturn:
    """Ends the process with this exit code, without waiting for a model that still loads, which nothing interrupts."""
    if any(thread.name == LOADER for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    exit_process(main())
