"""Trains the adapters of a stage as jobs at the same time, each in a process of its own, here or on Slurm (submitit).

The jobs write into folders of the run: jobs/NAME has a job's request, its events and its logs, and checkpoints and
adapters are where other trainings have them. So a resumed run goes on with what its jobs have done.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from autoact import errors
from autoact.errors import AutoActError, BadInput, ModelFailed
from autoact.events import AdapterReady, Event
from autoact.files import disk
from autoact.project.config import Config
from autoact.run.record import event_json
from autoact.script import Train
from autoact.training import worker
from autoact.training.request import ENOUGH, EVENTS, FAILURE, REQUEST, Failure, Request, write_request
from autoact.trajectory import Adapter

JOBS = "jobs"
"""The folder of the jobs' folders in a run folder."""
LOCK, NUMBER = "lock", "job"
"""In a job's folder: the file that a running job holds, and the one with its number on the cluster."""
POLL = 0.5
"""Seconds between two looks at the files of the jobs."""
ENDING = 10.0
"""Seconds that `close` waits at most for jobs to end."""
LONGEST = {"local": 60 * 24 * 365, "slurm": 60 * 12}
"""Minutes that a job may take. SBATCH_TIMELIMIT overrides it on Slurm, where a job that is ended begins again."""

Cluster = Literal["local", "slurm"]


class TrainingJob:
    """The function of a job: trains the request in a folder, unless that is done. It is pickled."""

    def __init__(self, folder: str, card: str | None):
        """Takes the job's folder, and the GPU that it shall use; None for any."""
        self.folder, self.card = folder, card

    def __call__(self) -> int:
        """Returns the exit code of the worker. Waits for an earlier job of the same folder that has not ended yet."""
        from autoact.threads import limit_spinning

        folder = Path(self.folder)
        if self.card is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = self.card
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if find_adapter(folder) is not None:
                return 0
            for name in (EVENTS, FAILURE):  # new files: whoever reads the old ones begins again
                (folder / name).unlink(missing_ok=True)
            limit_spinning()
            return worker.main([self.folder])

    def checkpoint(self) -> Any:
        """Returns the job to queue again when the cluster ends this one; it continues from its last checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class EventFile:
    """Reads the events that a job appends to its file."""

    def __init__(self, file: Path):
        self.file = file
        self.inode = self.offset = 0

    def read(self) -> Iterator[Event]:
        """Yields the new events of complete lines, from the beginning when the file is another one."""
        with suppress(FileNotFoundError), self.file.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_ino != self.inode or found.st_size < self.offset:  # another file may get the same number
                self.inode, self.offset = found.st_ino, 0
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                if (event := event_json.decode(line)) is not None:
                    yield event


class RunningJob:
    """A job that has been submitted, as the run sees it."""

    def __init__(self, name: str, folder: Path, job: Any):
        self.name, self.folder, self.job = name, folder, job
        self.file = EventFile(folder / EVENTS)
        self.adapter: Adapter | None = None

    def events(self) -> Iterator[Event]:
        """Yields new events; takes the adapter when it is ready."""
        for event in self.file.read():
            if isinstance(event, AdapterReady):
                self.adapter = event.adapter
            else:
                yield event

    def ended(self) -> bool:
        """Returns whether the job has ended. Ask before its last events are read."""
        return self.job is None or bool(self.job.done())

    def error(self) -> AutoActError:
        """Returns the reason why it has no adapter, with its log."""
        log = next((path for path in (self.job.paths.stderr, self.job.paths.stdout) if path.exists()), self.folder)
        try:
            failure = msgspec.json.decode((self.folder / FAILURE).read_bytes(), type=Failure)
        except FileNotFoundError:
            return ModelFailed(f"job {self.job.job_id}, which trained `{self.name}`, ended without a result; see {log}")
        kind = getattr(errors, failure.kind, ModelFailed)
        error: AutoActError = kind(f"{failure.why} (job {self.job.job_id}, which trained `{self.name}`; see {log})")
        return error

    def cancel(self) -> None:
        """Ends the job."""
        if self.job is not None and self.adapter is None and not self.job.done():
            self.job.cancel(check=False)


class JobTrainer:
    """Trains adapters as jobs. The first request of a stage starts those beside it too."""

    def __init__(self, config: Config, *, cluster: Cluster, root: Path):
        """Takes the settings of a run, and its folder as `root`. Raises BadInput when submitit is not installed."""
        try:
            import submitit
        except ImportError as error:
            raise BadInput(
                "jobs need submitit: `pip install 'autoact-studio[cluster]'`", key="differentiation.executor"
            ) from error
        if cluster == "slurm" and shutil.which("srun") is None:
            raise BadInput("this machine is no part of a Slurm cluster: it has no srun", key="differentiation.executor")
        self.submitit: Any = submitit
        self.config, self.cluster, self.root = config, cluster, root.absolute()
        self.running: dict[str, RunningJob] = {}
        self.left: list[RunningJob] = []
        """Jobs that need not be followed any more; they may still be ending."""

    def train(self, request: Train) -> Generator[Event | None, bool | None, Adapter]:
        """Yields the events of all jobs until this adapter is ready; see `Trainer` in autoact.run.conductor.world.

        Ending the generator ends its job, but not those beside it; `release` ends them.
        """
        for number, one in enumerate((request, *request.beside)):
            if one.adapter not in self.running:
                self.running[one.adapter] = self._start(one, number)
        mine = self.running[request.adapter]
        try:
            while True:
                ended = mine.ended()
                for job in list(self.running.values()):
                    for event in job.events():
                        self._pass_on(mine, (yield event))
                if mine.adapter is not None:
                    return mine.adapter
                if ended:
                    raise mine.error()
                self._pass_on(mine, (yield None))
                time.sleep(POLL)
        finally:
            mine.cancel()
            self.left.append(self.running.pop(request.adapter))

    def release(self) -> None:
        """Ends the jobs that are left, and waits for their ends."""
        for job in self.running.values():
            job.cancel()
        until = time.monotonic() + ENDING
        while time.monotonic() < until and not all(job.ended() for job in (*self.left, *self.running.values())):
            time.sleep(POLL / 10)

    def _pass_on(self, job: RunningJob, enough: bool | None) -> None:
        """Tells a job to end after its current step when a person wants so."""
        if enough:
            (job.folder / ENOUGH).touch()

    def _start(self, train: Train, number: int) -> RunningJob:
        """Starts a training, unless an earlier attempt of the run has finished it. Raises ModelFailed."""
        folder = self.root / JOBS / train.adapter
        folder.mkdir(parents=True, exist_ok=True)
        asked = Request(
            msgspec.structs.replace(train, beside=()), self.config.differentiation, self.config.model,
            self.config.model.seed, str(self.root),
        )  # fmt: skip
        if find_adapter(folder) is not None and (folder / REQUEST).read_bytes() == msgspec.json.encode(asked):
            return RunningJob(train.adapter, folder, None)
        self._end_earlier(folder)
        for name in (ENOUGH, FAILURE, EVENTS):
            (folder / name).unlink(missing_ok=True)
        write_request(folder, asked)
        return RunningJob(train.adapter, folder, self._submit(train.adapter, folder, number))

    def _submit(self, name: str, folder: Path, number: int) -> Any:
        """Submits a job and records its number. Raises ModelFailed when the cluster refuses it."""
        executor = self.submitit.AutoExecutor(folder=folder, cluster=self.cluster)
        parameters: dict[str, Any] = {"name": f"autoact-{name}", "timeout_min": LONGEST[self.cluster]}
        if self.cluster == "slurm" and self.config.model.device != "cpu":
            parameters["gpus_per_node"] = 1
        executor.update_parameters(**parameters)
        own = {key: value for key, value in os.environ.items() if key.startswith("SBATCH_")}
        try:
            with self.submitit.helpers.clean_env():  # the run may be a job of Slurm itself
                os.environ.update(own)
                job = executor.submit(TrainingJob(str(folder), self._card(number)))
        except (self.submitit.core.utils.FailedJobError, self.submitit.core.utils.FailedSubmissionError) as error:
            raise ModelFailed(f"Slurm refuses the job that trains `{name}`: {' '.join(str(error).split())}") from error
        (folder / NUMBER).write_text(job.job_id)
        return job

    def _card(self, number: int) -> str | None:
        """Returns the GPU of a job on this machine: each job has the next one. Slurm gives its jobs theirs."""
        import torch

        if self.cluster == "slurm" or not torch.cuda.is_available():
            return None
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        cards = visible.split(",") if visible else [str(card) for card in range(torch.cuda.device_count())]
        return cards[number % len(cards)].strip()

    def _end_earlier(self, folder: Path) -> None:
        """Ends a job on Slurm that the run's process left behind when it was killed."""
        if self.cluster == "slurm" and (folder / NUMBER).exists():
            job = self.submitit.SlurmJob(folder=folder, job_id=(folder / NUMBER).read_text().strip())
            job.cancel(check=False)


def find_adapter(folder: Path) -> Adapter | None:
    """Returns the adapter that a job's folder says is ready, if its weights are the ones that were written."""
    ready = [event.adapter for event in EventFile(folder / EVENTS).read() if isinstance(event, AdapterReady)]
    if not ready:
        return None
    weights = folder.parent.parent / ready[-1].path / "adapter_model.safetensors"
    return ready[-1] if weights.exists() and disk.sha256(weights) == ready[-1].sha256 else None
