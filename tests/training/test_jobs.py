"""Adapters trained as jobs at the same time: by submitit here, and on a Slurm whose programs are stand-ins."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import submitit
from msgspec.structs import replace
from worlds import Begins

from autoact.errors import BadInput, ModelFailed
from autoact.events import AdapterReady, CheckpointSaved, Event, ExamplesBuilt, TrainStepped
from autoact.files import disk
from autoact.model.local import LocalEngine
from autoact.model.store import Weights
from autoact.project.config import Config, Differentiation, Model
from autoact.registry.roles import ROLES
from autoact.run.conductor.conductor import Conductor
from autoact.run.conductor.world import World
from autoact.run.control.command import Command
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.record import event_json
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.log import read
from autoact.script import Card, Lesson, Train
from autoact.stages.differentiation import differentiation
from autoact.training import jobs, worker
from autoact.training.jobs import JobTrainer, TrainingJob, find_adapter
from autoact.training.trainer import LocalTrainer
from autoact.trajectory import FINISH, REFLECT, Adapter, Question, Step, Tool, Trajectory, Verdict

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
STEPS = (
    Step("I look.", "Retrieve", "Fidelio", "By Beethoven."), Step("It says so.", FINISH, "Beethoven", "Reflect."),
    Step("I see.", REFLECT, "right"),
)  # fmt: skip
TRAJECTORIES = [
    Trajectory(f"t-{number}", Question(f"q-{number}", text, "Beethoven"), STEPS, "Beethoven", "right", reward=1.0)
    for number, text in enumerate(("Who wrote Fidelio?", "Whose opera is Fidelio?", "Fidelio is by whom?"))
]
VERDICTS = {one.unit: Verdict(one.unit, True, 1.0) for one in TRAJECTORIES}
SETTINGS = Differentiation(epochs=2, batch=2, learning_rate=0.01, save_every=1)


def request(name: str, beside: tuple[Train, ...] = ()) -> Train:
    return Train(name, (Lesson(TRAJECTORIES[0], ROLES.get(name).parts),), CARD, beside)


class FakeJob:
    """A job that submitit has started; the test says when it ends, and writes its files."""

    def __init__(self, work: TrainingJob, number: int):
        self.work, self.job_id, self.over, self.cancelled = work, str(number), False, False
        folder = Path(work.folder)
        self.paths = SimpleNamespace(stderr=folder / f"{number}_0_log.err", stdout=folder / f"{number}_0_log.out")
        self.paths.stderr.write_text("out of memory")

    def done(self) -> bool:
        return self.over

    def cancel(self, check: bool) -> None:
        self.cancelled = self.over = True

    def write(self, *events: Event) -> None:
        with (Path(self.work.folder) / worker.EVENTS).open("ab") as file:
            file.write(b"".join(event_json.encode(event) + b"\n" for event in events))

    def finish(self, name: str) -> Adapter:
        """Leaves an adapter behind, as a worker does."""
        weights = Path(self.work.folder).parent.parent / "adapters" / name / "adapter_model.safetensors"
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_text(name)
        adapter = Adapter(name, f"adapters/{name}", disk.sha256(weights), 3, 1.5)
        self.write(AdapterReady(adapter))
        self.over = True
        return adapter


class Submitted(list[FakeJob]):
    """Takes the place of submitit's executor, and has the jobs that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters: dict[str, Any] = {}
        self.refusal = ""

    def __call__(self, folder: Path, cluster: str) -> Submitted:
        self.cluster = cluster
        return self

    def update_parameters(self, **parameters: Any) -> None:
        self.parameters = parameters

    def submit(self, work: TrainingJob) -> FakeJob:
        if self.refusal:
            raise submitit.core.utils.FailedJobError(self.refusal)
        self.append(FakeJob(work, 40 + len(self)))
        return self[-1]


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    monkeypatch.setattr(submitit, "AutoExecutor", made := Submitted())
    monkeypatch.setattr(jobs, "POLL", 0.0)
    return made


def local(root: Path, settings: Differentiation = SETTINGS) -> JobTrainer:
    return JobTrainer(Config(model=Model("tiny", "cpu"), differentiation=settings), cluster="local", root=root)


def step(name: str, number: int) -> TrainStepped:
    return TrainStepped(name, number, 9, 1.0, 0.1, 0.1, 1, 1.0)


def take(training: Generator[Event | None, bool | None, Adapter], number: int) -> list[Event]:
    """The next events. Between them the training may look more than once."""
    looks = (next(training) for _ in range(10 * number))
    return list(islice((event for event in looks if event is not None), number))


def end(training: Generator[Event | None, bool | None, Adapter]) -> tuple[list[Event], Adapter]:
    events: list[Event] = []
    while True:
        try:
            event = next(training)
        except StopIteration as stop:
            return events, stop.value
        if event is not None:
            events.append(event)


def test_the_first_request_starts_those_beside_it(submitted: Submitted, tmp_path: Path) -> None:
    trainer = local(tmp_path)
    tool, reflect = request("tool"), request("reflect")
    training = trainer.train(request("plan", (tool, reflect)))
    assert next(training) is None  # nothing yet
    assert [Path(job.work.folder).name for job in submitted] == ["plan", "tool", "reflect"]
    submitted[1].write(step("tool", 0))
    submitted[0].write(step("plan", 0))
    assert take(training, 2) == [step("plan", 0), step("tool", 0)]
    made = submitted[0].finish("plan")
    assert end(training) == ([], made)
    submitted[1].write(step("tool", 1))
    made = submitted[1].finish("tool")
    assert end(trainer.train(replace(tool, beside=(reflect,)))) == ([step("tool", 1)], made)
    assert len(submitted) == 3


def test_a_job_that_ends_without_a_result_names_its_log(submitted: Submitted, tmp_path: Path) -> None:
    training = local(tmp_path).train(request("plan"))
    next(training)
    submitted[0].over = True
    with pytest.raises(ModelFailed, match=r"job 40, which trained `plan`, ended without .*jobs/plan/40_0_log\.err"):
        end(training)


def test_a_job_that_fails_says_why_and_names_its_log(submitted: Submitted, tmp_path: Path) -> None:
    training = local(tmp_path).train(request("plan"))
    next(training)
    (tmp_path / "jobs" / "plan" / worker.FAILURE).write_bytes(
        msgspec.json.encode(worker.Failure("BadInput", "no such model"))
    )
    submitted[0].over = True
    with pytest.raises(BadInput, match=r"no such model \(job 40.*40_0_log"):
        end(training)


def test_a_line_that_is_being_written_is_read_later(submitted: Submitted, tmp_path: Path) -> None:
    training = local(tmp_path).train(request("plan"))
    next(training)
    line = event_json.encode(step("plan", 0)) + b"\n"
    file = tmp_path / "jobs" / "plan" / worker.EVENTS
    file.write_bytes(line[:20])
    assert next(training) is None
    file.write_bytes(line)
    assert take(training, 1) == [step("plan", 0)]


def test_a_job_that_begins_again_has_its_events_read_again(submitted: Submitted, tmp_path: Path) -> None:
    training = local(tmp_path).train(request("plan"))
    next(training)
    submitted[0].write(step("plan", 0), step("plan", 1))
    assert take(training, 2) == [step("plan", 0), step("plan", 1)]
    file = tmp_path / "jobs" / "plan" / worker.EVENTS
    file.rename(tmp_path / "old")  # what `TrainingJob` does: a new file
    submitted[0].write(step("plan", 2), step("plan", 3), step("plan", 4))
    assert take(training, 3) == [step("plan", number) for number in (2, 3, 4)]


def test_enough_reaches_the_job(submitted: Submitted, tmp_path: Path) -> None:
    training = local(tmp_path).train(request("plan", (request("tool"),)))
    next(training)
    submitted[0].write(step("plan", 0))
    assert take(training, 1) == [step("plan", 0)]
    training.send(True)
    assert (tmp_path / "jobs" / "plan" / worker.ENOUGH).exists()
    assert not (tmp_path / "jobs" / "tool" / worker.ENOUGH).exists()


def test_skipping_one_training_leaves_the_others(submitted: Submitted, tmp_path: Path) -> None:
    trainer = local(tmp_path)
    training = trainer.train(request("plan", (request("tool"),)))
    next(training)
    training.close()
    assert [job.cancelled for job in submitted] == [True, False]
    trainer.release()
    assert [job.cancelled for job in submitted] == [True, True]


def test_a_finished_job_is_not_started_again(submitted: Submitted, tmp_path: Path) -> None:
    training = local(tmp_path).train(request("plan"))
    next(training)
    submitted[0].write(step("plan", 0))
    made = submitted[0].finish("plan")
    training.close()
    assert end(local(tmp_path).train(request("plan", (request("tool"),)))) == ([step("plan", 0)], made)
    assert [Path(job.work.folder).name for job in submitted] == ["plan", "tool"]
    (tmp_path / made.path / "adapter_model.safetensors").write_text("damaged")
    next(local(tmp_path).train(request("plan")))
    assert len(submitted) == 3


def test_other_settings_are_trained_anew(submitted: Submitted, tmp_path: Path) -> None:
    next(local(tmp_path).train(request("plan")))
    submitted[0].finish("plan")
    next(local(tmp_path, replace(SETTINGS, rank=4)).train(request("plan")))
    assert len(submitted) == 2


def test_slurm_gives_each_job_a_gpu(submitted: Submitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_programs(tmp_path / "bin", monkeypatch, {"srun": "exit 0"})
    for device, more in (("auto", {"gpus_per_node": 1}), ("cpu", {})):
        config = Config(model=Model("tiny", device), differentiation=SETTINGS)  # type: ignore[arg-type]
        next(JobTrainer(config, cluster="slurm", root=tmp_path / device).train(request("plan")))
        assert submitted.cluster == "slurm"
        assert submitted.parameters == {"name": "autoact-plan", "timeout_min": 720, **more}
        assert submitted[-1].work.card is None


def test_a_refusal_of_slurm_is_passed_on(submitted: Submitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_programs(tmp_path / "bin", monkeypatch, {"srun": "exit 0"})
    submitted.refusal = "sbatch: error:\ninvalid partition"
    trainer = JobTrainer(Config(), cluster="slurm", root=tmp_path)
    with pytest.raises(ModelFailed, match="Slurm refuses the job that trains `plan`: sbatch: error: invalid partition"):
        next(trainer.train(request("plan")))


def test_slurm_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="no srun"):
        JobTrainer(Config(), cluster="slurm", root=tmp_path)


def test_submitit_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(BadInput, match=r"autoact-studio\[cluster\]"):
        local(tmp_path)


def make_programs(folder: Path, monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


# -- in a run ----------------------------------------------------------------------------------------------------------


class Patient(Gate):
    """Hands in commands, each when the log has reached this number."""

    def __init__(self, journal: Journal, commands: dict[int, Command]):
        super().__init__()
        self.journal, self.commands = journal, commands

    def check(self) -> None:
        for at in sorted(self.commands):
            if self.journal.state.seq >= at:
                self.submit(self.commands.pop(at))
        super().check()


def play(folder: RunFolder, trainer: Any, commands: dict[int, Command] | None = None) -> list[Event]:
    """Plays differentiation, as a run's job does, and returns the log."""
    journal = Journal(folder)
    gate = Patient(journal, dict(commands or {}))
    world = World(Lanes(), trainer, Begins(lambda question: None))  # type: ignore[arg-type]
    if isinstance(trainer, JobTrainer):
        world.closing.callback(trainer.release)
    try:
        conductor = Conductor(world, journal, gate, seed=7)
        conductor.play("differentiation", differentiation(TRAJECTORIES, VERDICTS, SETTINGS, CARD, seed=7))
        conductor.close()
    finally:
        world.close()
        journal.close()
    return [record.event for record in read(folder.events) if record.event is not None]


class Lanes:
    """An engine that is asked nothing."""

    lanes = 4

    def forget(self, unit: str) -> None:
        """It remembers nothing."""


def ready(log: list[Event]) -> dict[str, str]:
    return {event.adapter.name: event.adapter.sha256 for event in log if isinstance(event, AdapterReady)}


def test_three_fake_jobs_in_a_run(submitted: Submitted, folder: RunFolder) -> None:
    """Their events are logged once each, as they come; one that fails leaves the others."""
    trainer = local(folder.path)

    class Busy(Submitted):
        def submit(self, work: TrainingJob) -> FakeJob:
            job = super().submit(work)
            name = Path(work.folder).name
            job.write(ExamplesBuilt(name, 3, 6, 60), step(name, 0), step(name, 1))
            job.over = True
            if name != "tool":
                job.finish(name)
            return job

    trainer.submitit = SimpleNamespace(AutoExecutor=Busy(), helpers=submitit.helpers, core=submitit.core)
    log = play(folder, trainer)
    assert set(ready(log)) == {"plan", "reflect"}
    steps = [(event.role, event.step) for event in log if isinstance(event, TrainStepped)]
    assert sorted(steps) == sorted({(name, number) for name in ("plan", "tool", "reflect") for number in (0, 1)})
    (failed,) = (event for event in log if type(event).__name__ == "UnitFailed")
    assert "log.err" in failed.error


@pytest.mark.slow
def test_three_jobs_of_this_machine(folder: RunFolder, tiny: Path, weights: Weights, tmp_path: Path) -> None:
    """The run goes on with the adapters that one process would have trained, byte for byte.

    It is killed once, after a checkpoint of a job: resumed, it has what the jobs did meanwhile or goes on with them.
    """
    config = Config(model=Model(str(tiny), "cpu", "float32"), differentiation=SETTINGS)
    trainer = JobTrainer(config, cluster="local", root=folder.path)
    training = trainer.train(request_all())
    saved = next(event for event in training if isinstance(event, CheckpointSaved))
    assert saved.step == 1
    assert len({running.job.job_id for running in trainer.running.values()}) == 3
    os.kill(int(trainer.running["plan"].job.job_id), signal.SIGKILL)
    training.close()
    trainer.release()
    log = play(folder, JobTrainer(config, cluster="local", root=folder.path))
    here = LocalTrainer(LocalEngine(weights, 2), SETTINGS, seed=7, root=tmp_path / "here")
    assert ready(log) == {one.adapter: end(here.train(one))[1].sha256 for one in (request_all(), *request_all().beside)}
    for name in ("plan", "tool", "reflect"):
        assert find_adapter(folder.path / "jobs" / name) is not None


def request_all() -> Train:
    """The first request of the stage."""
    stage = differentiation(TRAJECTORIES, VERDICTS, SETTINGS, CARD, seed=7)
    first: Any = next(stage)
    found: Train = next(first.units[0].begin())
    return found


SBATCH = """
echo "sbatch $(grep -c 'gpus-per-node' "$1")" >> "$CALLS"
export SLURM_JOB_ID=$((40 + $(grep -c sbatch "$CALLS"))) SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0
export SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_JOB_NODELIST=here
setsid bash "$1" > "$CALLS.log" 2>&1 < /dev/null &
echo $! > "$CALLS.$SLURM_JOB_ID"
echo "Submitted batch job $SLURM_JOB_ID"
"""
SRUN = """
while [[ $1 == --* ]]; do [[ $1 == --output || $1 == --error ]] && shift; shift; done
exec "$@"
"""
SACCT = """
echo 'JobID|State|NodeList'
for file in "$CALLS".4?; do
    kill -0 $(cat "$file") 2> /dev/null && state=RUNNING || state=COMPLETED
    echo "${file##*.}|$state|here"
done
"""
SCANCEL = """
echo "scancel $1" >> "$CALLS"
kill -- -$(cat "$CALLS.$1") 2> /dev/null
exit 0
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Programs of a Slurm with one node. Returns the file of their calls."""
    calls = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(calls))
    programs = {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT, "scancel": SCANCEL}
    make_programs(tmp_path / "bin", monkeypatch, programs)
    yield calls
    for file in tmp_path.glob("calls.4?"):
        with suppress(ProcessLookupError):
            os.killpg(int(file.read_text()), signal.SIGKILL)


@pytest.mark.slow
def test_a_job_on_slurm(slurm: Path, tiny: Path, tmp_path: Path) -> None:
    config = Config(model=Model(str(tiny), "cpu", "float32"), differentiation=SETTINGS)
    root = tmp_path / "run"
    events, made = end(JobTrainer(config, cluster="slurm", root=root).train(request("plan")))
    assert any(isinstance(event, TrainStepped) for event in events)
    assert disk.sha256(root / made.path / "adapter_model.safetensors") == made.sha256
    assert slurm.read_text() == "sbatch 0\n"  # no GPU for a model on the processor
    assert (root / "jobs" / "plan" / "job").read_text() == "41"
    (root / "jobs" / "plan" / worker.EVENTS).unlink()  # as if the run had been killed while the job was running
    trainer = JobTrainer(config, cluster="slurm", root=root)
    next(trainer.train(request("plan")))
    assert slurm.read_text().split("\n")[1:3] == ["scancel 41", "sbatch 0"]
    trainer.release()
    assert "scancel 42" in slurm.read_text()


def test_a_job_waits_for_an_earlier_one_of_its_folder(tmp_path: Path, submitted: Submitted) -> None:
    next(local(tmp_path).train(request("plan")))
    folder = tmp_path / "jobs" / "plan"
    made = submitted[0].finish("plan")
    assert TrainingJob(str(folder), None)() == 0  # it has the lock, and there is nothing left to do
    assert find_adapter(folder) == made


def test_cancelling_the_run_ends_all_jobs(submitted: Submitted, folder: RunFolder) -> None:
    trainer = local(folder.path)
    with pytest.raises(Cancelled):
        play(folder, trainer, {-1: Command("c-1", "cancel")})
    assert all(job.cancelled for job in submitted)
