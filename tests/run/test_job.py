"""The job: all stages over a project, one owner at a time, and runs that start from another's material."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from subprocess import Popen
from threading import Event, Thread

import msgspec
import pytest
from worlds import scripted_world

from autoact import events as happened
from autoact.cli import main
from autoact.cli.start import rounds
from autoact.cli.start.resume import check
from autoact.errors import BadInput, ModelFailed, RunBusy, StageFailed
from autoact.events import (
    ModelAnswered,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunRecovered,
    StageStarted,
    TrainStepped,
    UnitForked,
)
from autoact.job.inputs import open_inputs, open_library
from autoact.job.job import Job
from autoact.job.pipeline import Pipeline
from autoact.lab.tally import tally
from autoact.model.engine import Ticket
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Config, Plan
from autoact.project.project import Project
from autoact.registry.roles import SUB_AGENTS
from autoact.registry.stages import (
    DIFFERENTIATION,
    GROUP_PLANNING,
    SELF_INSTRUCT,
    SESSION,
    SYNTHESIS,
    TOOL_SELECTION,
    pipeline,
)
from autoact.run.control.command import Command
from autoact.run.control.control_socket import save_command, send
from autoact.run.process.heartbeat import read_heartbeat
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder, latest_run, new_run
from autoact.run.record.log import LogWriter, read, seal
from autoact.run.record.state import RunState
from autoact.script import Answer, Ask, Train
from autoact.security import trust
from autoact.trajectory import Adapter

CAPITALS = {
    "Peru": "Lima", "Ghana": "Accra", "Malta": "Valletta", "Bolivia": "Sucre", "Denmark": "Copenhagen",
    "Ecuador": "Quito", "Finland": "Helsinki", "Canada": "Ottawa",
}  # fmt: skip
CHANGES = {
    "self_instruct.target": "3",
    "self_instruct.round": "8",
    "self_instruct.by_type": "false",
    "synthesis.samples": "1",
    "group_planning.limit": "2",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A small project of its own, and a cache that is not the person's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "p"
    (root / "corpus").mkdir(parents=True)
    (root / "questions").mkdir()
    (root / "project.toml").write_text('[task]\nname = "countries"\ndescription = "Answer questions."\n')
    (root / "examples.jsonl").write_text('{"question": "What is the capital of Peru?", "answer": "Lima"}\n')
    (root / "questions" / "heldout.jsonl").write_text(
        '{"id": "h-1", "question": "What is the capital of Ghana?", "answer": "Accra"}\n'
        '{"id": "h-2", "question": "What is the capital of Malta?", "answer": "Valletta"}\n'
    )
    for name in CAPITALS:
        (root / "corpus" / f"{name}.txt").write_text(f"{name} is a country. Its capital is {CAPITALS[name]}.\n")
    trust.mark_trusted(root)
    return Project.open(root)


def speak(ask: Ask) -> str:
    """A model that reads one page and then knows the answer."""
    if ask.choices:
        wanted = " Finish\n" if any("Observation:" in part for part in ask.prompt.segments) else " Retrieve\n"
        return wanted if wanted in ask.choices else ask.choices[0]
    subject = next(name for name in CAPITALS if name in ask.prompt.user)
    capital = CAPITALS[subject]
    if ask.part == "text":
        return f"What is the capital of {subject}?" if ask.prompt.segments[-1] == "Question:" else capital
    if ask.part == "argument":
        return capital if ask.prompt.segments[-2] == " Finish\n" else subject
    return f"The capital of {subject} is {capital}."


class Hall:
    """Opens worlds with a scripted model and a trainer that trains nothing, and remembers them."""

    def __init__(self, answers: Callable[[Ask], str] = speak):
        self.answers = answers
        self.engine: type[ScriptedEngine] = ScriptedEngine
        self.engines: list[ScriptedEngine] = []
        self.trained: list[str] = []
        self.taught: list[str] = []

    def open(self, config: Config, project: Project, folder: RunFolder) -> Pipeline:
        library, corpus = open_library(project)
        engine = self.engine(self.answers)
        self.engines.append(engine)

        def train(wish: Train) -> Generator[happened.Event, None, Adapter]:
            yield TrainStepped(wish.adapter, 0, 1, 0.5, 1e-3, 1.0, len(wish.lessons), 1.0)
            self.trained.append(wish.adapter)
            self.taught.append(wish.card.task)
            made = folder.adapters / wish.adapter
            made.mkdir(parents=True, exist_ok=True)
            (made / "adapter_model.safetensors").write_text(wish.adapter)
            return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", len(wish.lessons), 0.5)

        inputs = open_inputs(config, project, library, corpus)
        world = scripted_world(engine, library.session, train)
        return Pipeline(config, inputs, world, folder.path)


def prepared(project: Project, stages: tuple[str, ...] = pipeline(), base: str = "") -> RunFolder:
    config = msgspec.structs.replace(project.config(changes=CHANGES), run=Plan(stages=stages, base=base))
    return new_run(project.root, "run", msgspec.to_builtins(config), now=datetime(2026, 11, 22, 14, 30))


def state(folder: RunFolder) -> RunState:
    return RunState.of(folder.events)


def test_a_whole_run(project: Project) -> None:
    folder, hall = prepared(project), Hall()
    assert Job(folder, hall.open).run() == "finished"
    run = state(folder)
    assert list(run.stages) == list(pipeline())
    assert {stage.status for stage in run.stages.values()} == {"finished"}
    assert len(run.questions) == 3
    assert len(run.trajectories) == 4
    assert all(verdict.kept for verdict in run.verdicts.values())
    assert tuple(run.adapters) == tuple(hall.trained) == SUB_AGENTS
    assert [(one.cast, one.em) for one in run.solved] == [("meta", 1.0)] * 2 + [("group", 1.0)] * 2
    assert set(hall.engines[0].adapters) == set(SUB_AGENTS)
    assert run.stages["filtering"].made == 4
    assert run.status == "finished"
    assert run.config["self_instruct"]["target"] == 3
    assert run.engine == "scripted"
    assert set(run.inputs) == {"corpus", "tools", "prompts"}


@pytest.mark.parametrize("fails", [False, True])
def test_the_trainer_frees_what_it_keeps_when_its_stage_has_ended(project: Project, *, fails: bool) -> None:
    hall, order = Hall(), list[str]()

    def open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
        opened = hall.open(config, project, folder)
        trainer, train = opened.world.trainer, opened.world.trainer.train

        def note(wish: Train) -> Generator[happened.Event | None, bool | None, Adapter]:
            order.append(wish.adapter)
            if fails:
                raise ModelFailed("no room on the card")
            return (yield from train(wish))

        trainer.train, trainer.release = note, lambda: order.append("free")  # type: ignore[method-assign]
        return opened

    job = Job(prepared(project), open_world)
    if fails:
        with pytest.raises(StageFailed, match="no room on the card"):
            job.run()
    else:
        assert job.run() == "finished"
    assert [*SUB_AGENTS, "free"] == order[order.index("plan") :][: len(SUB_AGENTS) + 1]


def test_the_group_is_asked_in_its_own_roles(project: Project) -> None:
    folder, hall = prepared(project), Hall()
    Job(folder, hall.open).run()
    roles = {ticket.unit: set() for ticket, _ in hall.engines[0].asked}  # type: dict[str, set[str]]
    for ticket, ask in hall.engines[0].asked:
        roles[ticket.unit].add(ask.adapter)
    assert roles["group-h-1"] == {"plan", "tool", "reflect"}
    assert roles["meta-h-1"] == {"meta"}


def test_a_finished_run_has_nothing_left_to_do(project: Project) -> None:
    folder, hall = prepared(project), Hall()
    Job(folder, hall.open).run()
    assert Job(folder, hall.open).run() == "finished"
    assert len(hall.engines) == 1
    assert state(folder).attempt == 2
    assert state(folder).config


def test_a_run_has_one_owner(project: Project) -> None:
    folder = prepared(project)
    with RunLock.take(folder), pytest.raises(RunBusy):
        Job(folder, Hall().open).run()
    assert not folder.events.exists()


def test_the_pulse_tells_how_far_it_is(project: Project) -> None:
    folder = prepared(project)
    Job(folder, Hall().open).run()
    heartbeat = read_heartbeat(folder)
    assert heartbeat is not None
    assert heartbeat.pid == os.getpid()


# -- starting from another run ---------------------------------------------------------------------------------------


def test_a_run_takes_the_material_of_its_base(project: Project) -> None:
    base = prepared(project)
    Job(base, Hall().open).run()
    folder, hall = prepared(project, pipeline()[pipeline().index(SYNTHESIS) :], base.name), Hall()
    assert Job(folder, hall.open).run() == "finished"
    assert state(folder).questions == state(base).questions
    assert state(folder).selected == state(base).selected
    assert not any(ticket.unit.startswith("q-") or ticket.unit == "tools" for ticket, _ in hall.engines[0].asked)
    assert [record.event.stage for record in read(folder.events) if isinstance(record.event, StageStarted)] == list(
        pipeline()[pipeline().index(SYNTHESIS) :]
    )


def test_adapters_come_along(project: Project) -> None:
    base = prepared(project)
    Job(base, Hall().open).run()
    folder, hall = prepared(project, (GROUP_PLANNING,), base.name), Hall()
    assert Job(folder, hall.open).run() == "finished"
    assert hall.trained == []
    assert {path.name for path in folder.adapters.iterdir()} == set(SUB_AGENTS)
    assert all(path.is_relative_to(folder.path) for path in hall.engines[0].adapters.values())


def test_a_base_may_have_a_base(project: Project) -> None:
    first = prepared(project)
    Job(first, Hall().open).run()
    second = prepared(project, pipeline()[pipeline().index(SYNTHESIS) :], first.name)
    Job(second, Hall().open).run()
    third, hall = prepared(project, (DIFFERENTIATION, GROUP_PLANNING), second.name), Hall()
    assert Job(third, hall.open).run() == "finished"
    assert state(third).questions == state(first).questions
    assert tuple(hall.trained) == SUB_AGENTS


def test_a_base_that_lacks_a_stage_is_refused(project: Project) -> None:
    base = prepared(project, pipeline()[:2])
    Job(base, Hall().open).run()
    folder = prepared(project, (DIFFERENTIATION,), base.name)
    with pytest.raises(BadInput, match="filtering, synthesis"):
        Job(folder, Hall().open).run()
    assert state(folder).status == "failed"


def test_a_group_without_adapters_is_a_clear_error(project: Project) -> None:
    folder = prepared(project, (GROUP_PLANNING,))
    with pytest.raises(BadInput, match="adapter"):
        Job(folder, Hall().open).run()


# -- ends ------------------------------------------------------------------------------------------------------------


def test_a_cancelled_run_goes_on(project: Project) -> None:
    folder, hall = prepared(project), Hall()
    job = Job(folder, hall.open)

    def speak_and_stop(ask: Ask) -> str:
        if ask.part == "reflection":
            job.gate.cancel()
        return speak(ask)

    hall.answers = speak_and_stop
    assert job.run() == "cancelled"
    assert state(folder).status == "cancelled"
    hall.answers = speak
    assert Job(folder, hall.open).run() == "finished"
    first, second = ({ticket for ticket, _ in engine.asked} for engine in hall.engines)
    answered = {ticket for ticket in first & second}
    logged = [event for record in read(folder.events) if (event := record.event) and hasattr(event, "n")]
    assert len({(event.unit, event.n) for event in logged}) == len(logged)  # type: ignore[attr-defined]
    assert len(answered) <= 4  # what was in flight when it stopped
    assert state(folder).status == "finished"


def test_a_model_that_fails_is_the_runs_last_word(project: Project) -> None:
    def fail(ask: Ask) -> str:
        raise ModelFailed("out of memory")

    folder = prepared(project)
    with pytest.raises(ModelFailed):
        Job(folder, Hall(fail).open).run()
    assert "out of memory" in state(folder).error
    assert Job(folder, Hall().open).run() == "finished"
    last = [record.event for record in read(folder.events)]
    assert isinstance(last[-1], RunFinished)
    assert sum(isinstance(event, RunFailed) for event in last) == 1


def test_a_model_that_says_nothing(project: Project) -> None:
    def nothing(ask: Ask) -> str:
        return ask.choices[0] if ask.choices else ""

    folder = prepared(project, pipeline()[:4])
    assert Job(folder, Hall(nothing).open).run() == "finished"
    run = state(folder)
    assert run.questions == []
    assert set(run.refused) == {"not a question"}
    assert not any(verdict.kept for verdict in run.verdicts.values())


def commanded(folder: RunFolder, *commands: Command) -> Hall:
    """The job that finds these commands when it starts."""
    for command in commands:
        save_command(folder, command)
    hall = Hall()
    Job(folder, hall.open).run()
    return hall


def test_an_episode_of_a_finished_run_is_forked(project: Project) -> None:
    folder = prepared(project)
    Job(folder, Hall().open).run()
    before = state(folder)
    hall = commanded(
        folder, Command("c-1", "fork", "t-seed-001-0", 2, "The capital of Ghana is Accra."),
        Command("c-2", "fork", "group-h-1", 3),
    )  # fmt: skip
    run = state(folder)
    assert run.status == "finished"
    assert run.lanes.forks["t-seed-001-0~1"] == UnitForked("t-seed-001-0~1", "t-seed-001-0", 3, "c-1")
    assert {ticket.n for ticket, _ in hall.engines[0].asked if ticket.unit == "group-h-1~1"} >= {4}
    assert min(ticket.n for ticket, _ in hall.engines[0].asked) >= 3  # nothing replayed was asked
    assert set(run.trajectories) - set(before.trajectories) == {"t-seed-001-0~1"}
    (forked,) = run.solved[len(before.solved) :]
    assert (forked.trajectory.unit, forked.cast, forked.scored) == ("group-h-1~1", "group", False)
    costs = tally(folder.events).forks
    assert [(cost.at, cost.replayed.calls, cost.replayed.prefilled) for cost in costs] == [(3, 0, 0), (3, 0, 0)]
    assert all(cost.live.calls for cost in costs)


def test_a_fork_of_nothing_is_refused_and_the_run_stays_finished(project: Project) -> None:
    folder = prepared(project)
    Job(folder, Hall().open).run()
    commanded(folder, Command("c-1", "fork", "t-none", 2))
    run = state(folder)
    assert run.status == "finished"
    assert [type(seen).__name__ for seen in run.commands] == ["CommandRefused"]


def test_a_session_answers_what_it_finds_and_ends_when_it_is_left_alone(project: Project) -> None:
    base = prepared(project)
    Job(base, Hall().open).run()
    config = project.config(changes={**CHANGES, "session.idle": "1"})
    config = msgspec.structs.replace(config, run=Plan(stages=(SESSION,), base=base.name))
    folder = new_run(project.root, "session", msgspec.to_builtins(config), now=datetime(2026, 11, 22, 15, 0))
    ask = "What is the capital of Malta?"
    hall = commanded(folder, Command("c-1", "inject", text=ask), Command("c-2", "inject", text=ask, cast="meta"))
    run = state(folder)
    assert run.status == "finished"
    assert [(one.trajectory.unit, one.trajectory.answer) for one in run.solved] == [
        ("group-asked-0001", "Valletta"), ("meta-asked-0002", "Valletta"),
    ]  # fmt: skip
    assert set(hall.engines[0].adapters) == set(SUB_AGENTS)


def test_the_socket_of_a_job_takes_commands_while_it_works(project: Project) -> None:
    folder, replies = prepared(project), []
    sender = Thread(target=lambda: replies.append(send(folder, Command("c-1", "cancel"), timeout=30)))

    def answers(ask: Ask) -> str:
        if sender.ident is None:
            sender.start()
        return speak(ask)

    assert Job(folder, Hall(answers).open).run() == "cancelled"
    sender.join(30)
    assert [reply.accepted for reply in replies] == [True]
    assert not folder.socket.exists()


# -- while the model loads -------------------------------------------------------------------------------------------


class Slow(Hall):
    """A model that loads until it is told to have loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.loaded = Event(), Event()

    def open(self, config: Config, project: Project, folder: RunFolder) -> Pipeline:
        self.begun.set()
        assert self.loaded.wait(60)
        return super().open(config, project, folder)


@pytest.mark.parametrize("by_signal", [True, False])
def test_a_cancel_is_heard_while_the_model_loads(project: Project, by_signal: bool) -> None:
    folder, hall = prepared(project), Slow()
    job = Job(folder, hall.open)
    replies = []

    def cancel() -> None:
        hall.begun.wait()
        if by_signal:
            job.gate.cancel()
        else:
            replies.append(send(folder, Command("c-1", "cancel"), timeout=60))

    person = Thread(target=cancel)
    person.start()
    assert job.run() == "cancelled"
    person.join()
    hall.loaded.set()
    assert [reply.accepted for reply in replies] == ([] if by_signal else [True])
    assert state(folder).status == "cancelled"
    assert Job(folder, Hall().open).run() == "finished"


def test_commands_are_obeyed_while_the_model_loads_and_wait_where_they_need_it(project: Project) -> None:
    folder, hall, replies = prepared(project, pipeline()[:4]), Slow(), {}

    def edit() -> None:
        replies["edit"] = send(folder, Command("c-3", "edit", "nobody", 0, "a thought"), timeout=60)

    def speak() -> None:
        hall.begun.wait()
        replies["ping"] = send(folder, Command("c-1", "ping"), timeout=60)
        replies["pause"] = send(folder, Command("c-2", "pause"), timeout=60)
        assert state(folder).status == "paused"
        editor.start()
        while not (heartbeat := read_heartbeat(folder)) or heartbeat.doing != "loading smollm2-135m-instruct":
            time.sleep(0.01)
        assert "edit" not in replies
        hall.loaded.set()
        editor.join()
        replies["resume"] = send(folder, Command("c-4", "resume"), timeout=60)

    person, editor = Thread(target=speak), Thread(target=edit)
    person.start()
    assert Job(folder, hall.open).run() == "finished"
    person.join()
    assert {do: reply.why for do, reply in replies.items()} == {
        "ping": "", "pause": "", "edit": "`nobody` has no answer 0", "resume": "",
    }  # fmt: skip


def test_a_process_does_not_wait_for_a_model_that_loads(python: Callable[..., Popen[str]]) -> None:
    child = python(
        "import threading\nfrom autoact.job.job import LOADER, exit_process\n"
        "threading.Thread(target=threading.Event().wait, name=LOADER).start()\nprint('cancelled')\nexit_process(130)"
    )
    assert child.communicate()[0] == "cancelled\n"
    assert child.returncode == 130


def test_a_trajectory_is_judged_without_a_model(project: Project) -> None:
    folder = prepared(project)
    Job(folder, Hall().open).run()
    hall = commanded(folder, Command("c-1", "judge", "t-seed-001-0", 0, "dull", by="kim"))
    run = state(folder)
    assert hall.engines == []
    assert (run.status, run.verdicts["t-seed-001-0"].by, run.verdicts["t-seed-001-0"].kept) == (
        "finished",
        "kim",
        False,
    )
    assert not list(folder.control.iterdir())


def test_a_command_left_for_a_job_that_dies_as_it_loads_is_obeyed_by_the_next(project: Project) -> None:
    def die(config: Config, project: Project, folder: RunFolder) -> Pipeline:
        raise OSError("killed as it loads")

    folder = prepared(project)
    Job(folder, Hall().open).run()
    save_command(folder, Command("c-1", "fork", "t-seed-001-0", 2))
    with pytest.raises(OSError, match="killed"):
        Job(folder, die).run()
    assert "t-seed-001-0~1" not in state(folder).lanes.forks
    Job(folder, Hall().open).run()
    assert "t-seed-001-0~1" in state(folder).trajectories
    assert not list(folder.control.iterdir())


# -- what went wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [SELF_INSTRUCT, TOOL_SELECTION, SYNTHESIS, GROUP_PLANNING])
def test_a_stage_in_which_every_unit_fails_has_failed(project: Project, stage: str) -> None:
    """The model refuses the prompts of one stage, as a chat template may refuse the system role."""

    class Refusing(ScriptedEngine):
        def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
            now = state(folder).stage
            for ticket, answer in super().step():
                yield ticket, ModelFailed("no system role") if now == stage else answer

    folder, hall = prepared(project), Hall()
    hall.engine = Refusing
    with pytest.raises(StageFailed, match=f"^{stage}: .* failed: ModelFailed: no system role"):
        Job(folder, hall.open).run()
    run = state(folder)
    assert run.status == "failed"
    assert "no system role" in run.error
    assert run.stages[stage].status == "running"
    assert Job(folder, Hall().open).run() == "finished"
    answered = {record.event.unit for record in read(folder.events) if isinstance(record.event, ModelAnswered)}
    assert not answered & set(state(folder).unit_failures)
    assert answered & set(run.unit_failures)


def test_a_stage_of_which_one_unit_is_done_goes_on(project: Project) -> None:
    failed: set[str] = set()

    class Moody(ScriptedEngine):
        def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
            for ticket, answer in super().step():
                fails = ticket.unit.startswith("t-") and ticket.unit != "t-seed-001-0"
                failed.update({ticket.unit} if fails else ())
                yield ticket, ModelFailed("no luck") if fails else answer

    folder, hall = prepared(project, pipeline()[:4]), Hall()
    hall.engine = Moody
    assert Job(folder, hall.open).run() == "finished"
    assert set(state(folder).unit_failures) == failed
    assert failed


def test_work_that_the_log_cannot_give_back_is_done_again(project: Project) -> None:
    """An adapter's line reads as nothing, though its seal is whole: the finished stage is played once more."""
    folder = prepared(project)
    Job(folder, Hall().open).run()
    lines = folder.events.read_bytes().splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if b'"type":"adapter.ready"' in line)
    fields = msgspec.json.decode(lines[place])
    del fields["crc"], fields["adapter"]["path"]
    folder.events.write_bytes(b"".join([*lines[:place], seal(fields), *lines[place + 1 :]]))
    assert "plan" not in state(folder).adapters
    other = prepared(project, (GROUP_PLANNING,), folder.name)
    with pytest.raises(BadInput, match="adapter.ready cannot be read.*autoact resume"):
        Job(other, Hall().open).run()
    check(folder, "")
    hall = Hall()
    assert Job(folder, hall.open).run() == "finished"
    assert hall.trained == list(SUB_AGENTS)
    assert hall.engines[0].asked == []
    assert set(state(folder).adapters) == set(SUB_AGENTS)
    recovered = [record.event for record in read(folder.events) if isinstance(record.event, RunRecovered)]
    assert "adapter.ready cannot be read" in recovered[0].damaged[0]
    later = Hall()
    Job(folder, later.open).run()
    assert later.engines == []
    with pytest.raises(BadInput, match="is finished"):
        check(folder, "")
    assert Job(other, Hall().open).run() == "finished"


# -- rounds ----------------------------------------------------------------------------------------------------------


def play_with(hall: Hall, project: Project, monkeypatch: pytest.MonkeyPatch, *options: str) -> list[RunFolder]:
    """Plays `autoact run --rounds` with jobs in this process; returns the runs, the oldest first."""
    played: list[RunFolder] = []

    def start(
        project: Project, config: Config, what: str, show: object, *, fresh: bool = False, detach: bool = False
    ) -> int:
        folder = new_run(project.root, what, msgspec.to_builtins(config), now=datetime(2026, 11, 22, 15, len(played)))
        played.append(folder)
        return 0 if Job(folder, hall.open).run() == "finished" else 1

    monkeypatch.setattr(rounds, "start", start)
    settings = [f"--set={key}={value}" for key, value in (CHANGES | {"self_instruct.validation": "0.4"}).items()]
    assert main(["run", str(project.root), *settings, *options]) == 0
    return played


def speak_better(hall: list[Hall], ask: Ask) -> str:
    """The group answers wrongly until a second run opens its model; the meta-agent answers rightly."""
    said = speak(ask)
    lost = ask.adapter == "tool" and len(hall[0].engines) == 1 and ask.prompt.segments[-2] == " Finish\n"
    return "Atlantis" if lost else said


def test_rounds_end_without_a_gain_and_the_best_is_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    halls: list[Hall] = []
    halls.append(Hall(lambda ask: speak_better(halls, ask)))
    first, second, third = play_with(halls[0], project, monkeypatch, "--rounds", "5")
    assert [folder.set_aside.exists() for folder in (first, second, third)] == [False, False, True]
    assert [RunState.of(one.events).validated[0].f1 for one in (first, second, third)] == [0.0, 1.0, 1.0]
    assert latest_run(project.root) == second
    assert f"the best round is {second.name}" in capsys.readouterr().err
    assert play_with(halls[0], project, monkeypatch, "--rounds", "5") == []  # nothing is played twice


def test_a_round_adds_to_what_was_kept_and_keeps_questions_apart(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = Hall()
    first, second = play_with(hall, project, monkeypatch, "--rounds", "1")
    before, after = RunState.of(first.events), RunState.of(second.events)
    assert after.questions == before.questions
    new = after.trajectories.keys() - before.trajectories.keys()
    assert {unit.split("-")[0] for unit in new} == {"g1"}
    assert {after.trajectories[unit].cast for unit in new} == {"group"}
    held = {one.trajectory.question.id for one in after.validated}
    assert held
    assert not held & {one.question.id for one in after.trajectories.values()}
    assert (second.earlier_adapters / "plan" / "adapter_model.safetensors").exists()
    assert [name for name in hall.trained] == [*SUB_AGENTS, *SUB_AGENTS]


def test_a_process_of_its_own_plays_the_rounds_of_a_detached_run(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[tuple[Path, str, tuple[str, ...]]] = []

    def start_in_session(output: Path, module: str, *arguments: str) -> None:
        started.append((output, module, arguments))

    monkeypatch.setattr(rounds, "start_in_session", start_in_session)
    halls: list[Hall] = []
    halls.append(Hall(lambda ask: speak_better(halls, ask)))
    played = play_with(halls[0], project, monkeypatch, "--rounds", "3", "--detach")
    (first,) = played
    assert [(output, module) for output, module, _ in started] == [(first.rounds, "autoact.cli.start.rounds")]
    assert import_module(started[0][1]) is rounds
    assert "round 1" not in capsys.readouterr().out
    assert rounds.main(started[0][2]) == 0
    assert [folder.name[16:-5] for folder in played] == ["run", "run-round-1", "run-round-2"]
    assert [folder.set_aside.exists() for folder in played] == [False, False, True]
    assert f"the best round is {played[1].name}" in capsys.readouterr().err


def test_no_round_follows_a_run_that_kept_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = prepared(project)
    with LogWriter(folder) as log:
        log.append(RunFinished())
    monkeypatch.setattr(rounds, "start", None)
    assert rounds.main((str(folder.path), "run", "2")) == 1
    assert "no round can follow: it trained no adapters" in capsys.readouterr().err


def test_no_round_follows_a_run_that_was_stopped(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = prepared(project)
    with LogWriter(folder) as log:
        log.append(RunCancelled())
    monkeypatch.setattr(rounds, "start", None)
    assert rounds.main((str(folder.path), "run", "2")) == 130
    assert "is stopped" in capsys.readouterr().err
    folder.config.write_text("nonsense")
    assert rounds.main((str(folder.path), "run", "2")) == 1
    assert "run.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--to", "filtering"), "rounds need all stages up to differentiation"),
        (("--set", "self_instruct.validation=0"), "expected a share above 0"),
    ],
)
def test_rounds_need_trained_adapters_and_validation(
    project: Project, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], problem: str
) -> None:
    assert main(["run", str(project.root), "--rounds", "2", "--set", "self_instruct.validation=0.4", *options]) == 2
    assert problem in capsys.readouterr().err
