"""Adapters on servers: loaded under their digest, on every server, again after a restart, refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conformance import Reference, answer_one, make_adapters, make_ask, make_prompt
from model_server import ModelServer

from autoact.errors import BadInput, ModelFailed
from autoact.files import disk
from autoact.model.engine import Ticket
from autoact.model.server.adapters import SERVED
from autoact.model.server.engine import ServerEngine
from autoact.model.server.opening import open_engine
from autoact.model.store import Weights
from autoact.project.config import Config, Model, Plan, Server

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

Start = Callable[..., ModelServer]
Open = Callable[..., ServerEngine]


@pytest.fixture
def folders(weights: Weights, tmp_path: Path) -> dict[str, Path]:
    return make_adapters(weights, tmp_path / "adapters", 0.3)


def served_name(folder: Path) -> str:
    """The name of an adapter on servers."""
    return f"{folder.name}-{disk.sha256(folder / 'adapter_model.safetensors')[:12]}"


def test_every_server_has_each_adapter_under_its_digest(
    folders: dict[str, Path], start: Start, open_servers: Open
) -> None:
    servers = start(), start()
    open_servers(*servers).adapt(folders)
    names = {served_name(folder) for folder in folders.values()}
    for server in servers:
        assert set(server.adapters) == names
        assert {Path(path).name for path in server.paths.values()} == names
        assert all(Path(path).is_absolute() for path in server.paths.values())


def test_a_retrained_adapter_takes_the_place_of_the_old_one(
    weights: Weights, folders: dict[str, Path], tmp_path: Path, start: Start, open_servers: Open
) -> None:
    server = start()
    engine = open_servers(server)
    engine.adapt(folders)
    old = set(server.adapters)
    engine.adapt(make_adapters(weights, tmp_path / "adapters", 0.3, first=20))
    assert set(server.adapters) == {served_name(folder) for folder in folders.values()}
    assert not old & set(server.adapters)
    assert {folder.name for folder in (tmp_path / "adapters" / SERVED).iterdir()} == set(server.adapters)


@pytest.mark.fault
def test_a_server_that_was_started_anew_gets_the_adapters_again(
    weights: Weights, folders: dict[str, Path], start: Start, open_servers: Open
) -> None:
    server = start()
    engine = open_servers(server)
    engine.adapt(folders)
    server.adapters.clear()
    ask = make_ask(make_prompt(), 6, "plan")
    Reference(weights, folders["plan"]).check(ask, answer_one(engine, ask), 1e-3)
    assert set(server.adapters) == {served_name(folders["plan"])}


@pytest.mark.fault
def test_a_server_that_fails_to_load_an_adapter_once_is_asked_again(
    folders: dict[str, Path], start: Start, open_servers: Open
) -> None:
    server = start()
    engine = open_servers(server)
    server.faults.extend(["500", "503"])
    engine.adapt(folders)
    assert set(server.adapters) == {served_name(folder) for folder in folders.values()}


@pytest.mark.fault
def test_a_server_that_was_away_gets_the_adapters_when_it_is_back(
    folders: dict[str, Path], start: Start, open_servers: Open
) -> None:
    here, away = start(), start()
    engine = open_servers(here, away)
    away.kill()
    engine.adapt(folders)
    back = start(port=away.port)
    n = 0
    while not back.completions():
        answer_one(engine, make_ask(make_prompt(), 2, "plan"), f"u-{n}")
        n += 1
    assert set(back.adapters) == {served_name(folders["plan"])}


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ({"max_rank": 4}, r"did not load the adapter plan-\w{12} \(rank 8\).*start it with --max-lora-rank 8 or more"),
        ({"loads": False}, r"404.*start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and --enable-lora"),
        ({"dialect": "llamacpp"}, r"of the kind llamacpp loads adapters only when it starts; expected vllm or sglang"),
    ],
)
def test_adapters_that_a_server_does_not_load_are_refused_with_the_remedy(
    server: dict[str, object], message: str, folders: dict[str, Path], start: Start, open_servers: Open
) -> None:
    engine = open_servers(start(**server))
    with pytest.raises(BadInput, match=message):
        engine.adapt(folders)


def test_an_adapter_that_is_not_loaded_answers_nothing(start: Start, open_servers: Open) -> None:
    engine = open_servers(start())
    engine.submit(Ticket("t", 0), make_ask(make_prompt(), 4, "plan"), 1)
    ((_, answer),) = engine.step()
    assert isinstance(answer, ModelFailed)
    assert str(answer) == "no adapter `plan` is loaded"


def test_a_run_that_trains_is_refused_before_it_begins_where_no_adapter_can_be_loaded(tiny: Path, start: Start) -> None:
    settings = Server((start(dialect="llamacpp").url,))
    plan = Plan(stages=("synthesis", "differentiation"))
    with pytest.raises(BadInput, match=r"kind llamacpp loads adapters only when it starts, and this run trains some"):
        open_engine(Config(run=plan, model=Model(id=str(tiny), engine="server"), server=settings))
