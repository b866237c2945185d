"""Servers that sleep while the run trains: in which order, after errors, and without sleep mode."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from conformance import answer_one, make_adapters, make_ask, make_prompt
from model_server import ModelServer
from worlds import Begins

from autoact.errors import AutoActError, BadInput, ModelFailed
from autoact.job.open_world import SleepTrainer, _make_world
from autoact.model.server.engine import ServerEngine
from autoact.model.store import Weights
from autoact.project.config import Config, Differentiation, Plan, Server
from autoact.registry.engines import ENGINES
from autoact.registry.roles import ROLES
from autoact.registry.stages import DIFFERENTIATION, GROUP_PLANNING
from autoact.script import Card, Lesson, Train
from autoact.trajectory import FINISH, Adapter, Question, Step, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

Start = Callable[..., ModelServer]
Open = Callable[..., ServerEngine]

REQUEST = Train("plan", (), Card("Answer the question.", ()))
STEPS = (Step("I look.", "Retrieve", "Fidelio", "By Beethoven."), Step("It says so.", FINISH, "Beethoven"))
LESSON = Lesson(Trajectory("t-1", Question("q-1", "Who wrote Fidelio?", "Beethoven"), STEPS), ROLES.get("tool").parts)
TRAINS = (DIFFERENTIATION,)
CHANGES = ("/sleep?level=1", "/wake_up", "/v1/unload_lora_adapter", "/v1/load_lora_adapter")


class Trainer:
    """Notes whether the servers sleep while it trains and when it frees the card; fails when it is told to."""

    def __init__(self, *servers: ModelServer):
        self.servers, self.error = servers, ""
        self.seen: list[tuple[str, bool]] = []

    def train(self, request: Train) -> Generator[None, bool | None, Adapter]:
        yield None
        self.seen.append(("train", all(server.asleep for server in self.servers)))
        if self.error:
            raise ModelFailed(self.error)
        return Adapter(request.adapter, "", "", 0, 0.0)

    def release(self) -> None:
        self.seen.append(("free", all(server.asleep for server in self.servers)))


def train(trainer: SleepTrainer) -> None:
    """Trains one adapter."""
    assert list(trainer.train(REQUEST)) == [None]


def changes(server: ModelServer) -> list[str]:
    """The requests that changed a server's state."""
    return [path.partition("?")[0] for path, _, _ in server.asked if path in CHANGES]


def test_servers_sleep_from_the_first_adapter_to_the_end_of_the_stage(
    start: Start, open_servers: Open, weights: Weights, tmp_path: Path
) -> None:
    one, other = start(sleeps=True), start(sleeps=True)
    engine = open_servers(one, other, sleep=True, stages=TRAINS)
    folders = make_adapters(weights, tmp_path, 0.3)
    engine.adapt({"plan": folders["plan"]})
    before = answer_one(engine, make_ask(make_prompt(), 4, "plan"), "u", 0).tokens
    inner = Trainer(one, other)
    trainer = SleepTrainer(inner, engine)
    assert not one.asleep
    train(trainer)
    train(trainer)
    assert one.adapters == {}  # vLLM has answered wrongly with an adapter that was loaded before it slept
    trainer.release()
    trainer.release()
    assert inner.seen == [("train", True), ("train", True), ("free", True), ("free", False)]
    for server in (one, other):
        assert changes(server) == ["/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/sleep", "/wake_up"]
    assert answer_one(engine, make_ask(make_prompt(), 4, "plan"), "u", 1).tokens == before


def test_a_run_without_training_opens_no_trainer(start: Start, open_servers: Open, tmp_path: Path) -> None:
    """It needs no PyTorch then."""
    server = start()
    config = Config(run=Plan(stages=(GROUP_PLANNING,)), server=Server((server.url,)))
    world = _make_world(config, open_servers(server), ENGINES.get("server"), Begins(lambda question: None), tmp_path)
    with pytest.raises(AutoActError, match="tool: this run has no stage that trains adapters"):
        next(world.trainer.train(Train("tool", (LESSON,), REQUEST.card)))
    world.close()


def test_a_run_trains_while_its_servers_sleep_and_then_uses_the_adapter(
    start: Start, open_servers: Open, tmp_path: Path
) -> None:
    server = start(sleeps=True)
    engine = open_servers(server, sleep=True, stages=TRAINS)
    settings = Differentiation(epochs=1)
    config = Config(run=Plan(stages=TRAINS), server=Server((server.url,), sleep=True), differentiation=settings)
    world = _make_world(config, engine, ENGINES.get("server"), Begins(lambda question: None), tmp_path)
    training, asleep = world.trainer.train(Train("tool", (LESSON,), REQUEST.card)), list[bool]()
    for _ in training:
        asleep.append(server.asleep)
    assert set(asleep) == {True}
    world.close()  # as a run that ends before its stage does
    assert not server.asleep
    engine.adapt({"tool": tmp_path / "adapters" / "tool"})
    assert answer_one(engine, make_ask(make_prompt(), 2, "tool")).tokens


def test_servers_are_woken_after_a_training_that_failed(start: Start, open_servers: Open) -> None:
    server = start(sleeps=True)
    engine = open_servers(server, sleep=True, stages=TRAINS)
    inner = Trainer(server)
    trainer, inner.error = SleepTrainer(inner, engine), "no room on the card"
    with pytest.raises(ModelFailed, match="no room on the card"):
        train(trainer)
    assert server.asleep
    trainer.release()
    assert not server.asleep
    assert answer_one(engine, make_ask(make_prompt(), 2)).tokens


def test_a_server_that_a_killed_run_left_asleep_is_woken_at_the_start(start: Start, open_servers: Open) -> None:
    server = start(sleeps=True)
    server.asleep = True
    with pytest.raises(
        BadInput, match=r"^key `server\.sleep`: http://127.* sleeps: .*curl -X POST http://127.*/wake_up"
    ):
        open_servers(server)
    assert server.asleep
    engine = open_servers(server, sleep=True)
    assert not server.asleep
    assert answer_one(engine, make_ask(make_prompt(), 2)).tokens


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ({}, r"cannot sleep; start it with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode, as `autoact serve` prints"),
        ({"dialect": "sglang"}, "only vllm can sleep while a run trains, not sglang"),
    ],
)
def test_a_server_without_sleep_mode_is_refused_before_a_run_that_trains(
    server: dict[str, str], message: str, start: Start, open_servers: Open
) -> None:
    with pytest.raises(BadInput, match=rf"^key `server\.sleep`: .*{message}"):
        open_servers(start(**server), sleep=True, stages=TRAINS)
    if not server:
        assert answer_one(open_servers(start(), sleep=True), make_ask(make_prompt(), 2)).tokens


@pytest.mark.fault
def test_a_server_that_refuses_once_is_told_again(start: Start, open_servers: Open) -> None:
    server = start(sleeps=True)
    engine = open_servers(server, sleep=True, stages=TRAINS)
    server.faults.append("500")
    engine.sleep()
    assert server.asleep
    server.faults.append("500")
    engine.wake()
    assert not server.asleep


@pytest.mark.fault
def test_a_server_that_does_not_sleep_or_wake_is_a_clear_error(start: Start, open_servers: Open) -> None:
    server = start(sleeps=True)
    engine = open_servers(server, sleep=True, stages=TRAINS)
    server.faults.extend(["500"] * 9)
    with pytest.raises(
        BadInput, match=r"does not fall asleep: .*500: out of memory; start it with VLLM_SERVER_DEV_MODE"
    ):
        engine.sleep()
    server.faults.clear()
    engine.sleep()
    server.faults.extend(["500"] * 9)
    with pytest.raises(ModelFailed, match=r"does not wake: .*500: out of memory"):
        engine.wake()
    server.faults.clear()
    engine.wake()
    assert not server.asleep


@pytest.mark.fault
def test_a_dead_server_keeps_no_run_from_training(
    start: Start, open_servers: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    alive, dead = start(sleeps=True), start(sleeps=True)
    engine = open_servers(alive, dead, sleep=True, stages=TRAINS)
    dead.kill()
    engine.sleep()
    assert alive.asleep
    engine.wake()
    assert not alive.asleep
    assert capsys.readouterr().err.count(f"{dead.url} was not ") == 2


@pytest.mark.fault
@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_gateway_that_does_not_know_sleep_mode_keeps_no_run_from_starting(
    status: int, start: Start, open_servers: Open
) -> None:
    assert answer_one(open_servers(start(unknown=status)), make_ask(make_prompt(), 2)).tokens


@pytest.mark.fault
def test_a_server_that_sleeps_on_keeps_no_other_from_waking(start: Start, open_servers: Open) -> None:
    one, other = start(sleeps=True), start(sleeps=True)
    engine = open_servers(one, other, sleep=True, stages=TRAINS)
    engine.sleep()
    one.faults.extend(["500"] * 9)
    with pytest.raises(ModelFailed, match=f"{one.url} does not wake"):
        engine.wake()
    assert (one.asleep, other.asleep) == (True, False)
