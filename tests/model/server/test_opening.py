"""The settings of servers: addresses, and a key that goes to allowed hosts only and is shown nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conformance import answer_one, make_ask, make_prompt
from model_server import ModelServer
from msgspec.structs import replace

from autoact.errors import BadInput
from autoact.model.server.client import read_key
from autoact.model.server.engine import ServerEngine
from autoact.model.server.opening import prepare
from autoact.project.config import Config, Differentiation, Model, Plan, Server
from autoact.security import grants

Start = Callable[..., ModelServer]
Open = Callable[..., ServerEngine]


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The value of MODEL_KEY, a secret of this user."""
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "secrets.json"))
    monkeypatch.setenv("MODEL_KEY", "sesame-open-1")
    return "sesame-open-1"


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        ((), r'key `server\.urls`: the engine `server` needs an address, such as urls = \["http://127'),
        (("localhost:8000",), r"key `server\.urls`: expected a URL such as .*, not `localhost:8000`"),
        (("ftp://host/",), r"expected a URL such as"),
        (("http://[::1/",), r"expected a URL such as"),
        (("http://ann:hidden@host:1",), r"a URL holds a password, which runs would store; name a secret"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_a_run(urls: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        prepare(Config(server=Server(urls)))
    assert "hidden" not in str(refused.value)


def test_activated_adapters_are_refused_before_a_run(tiny: Path) -> None:
    settings = Differentiation(adapter="alora")
    trains = Config(run=Plan(stages=("differentiation",)), model=Model(str(tiny)), differentiation=settings)
    with pytest.raises(BadInput, match="key `differentiation.adapter`: no server runs activated adapters"):
        prepare(replace(trains, server=Server(("http://127.0.0.1:1",))))
    prepare(replace(trains, server=Server(("http://127.0.0.1:1",)), differentiation=Differentiation()))


def test_an_address_may_end_with_v1(start: Start, tiny: Path) -> None:
    from autoact.model.server.opening import open_engine

    server = start()
    model = Model(id=str(tiny), engine="server")
    engine = open_engine(Config(model=model, server=Server((f"{server.url}/v1/",))))
    assert engine.replicas.all[0].url == server.url
    engine.close()


def test_the_key_is_sent_where_a_person_allowed_it(key: str, start: Start, open_servers: Open) -> None:
    server = start(key=key)
    with pytest.raises(BadInput, match=r"MODEL_KEY may not be sent to 127\.0\.0\.1:\d+ yet; to allow that: `autoact"):
        open_servers(server, key="MODEL_KEY")
    grants.allow("MODEL_KEY", server.url)
    engine = open_servers(server, key="MODEL_KEY")
    assert answer_one(engine, make_ask(make_prompt(), 2)).tokens
    assert server.asked[-1][2]["Authorization"] == f"Bearer {key}"


def test_a_key_goes_to_no_other_machine_unencrypted() -> None:
    grants.allow("MODEL_KEY", "http://models.example.org")
    with pytest.raises(BadInput, match="MODEL_KEY would be sent unencrypted; use https"):
        read_key("MODEL_KEY", ["http://models.example.org"], "server")


def test_a_key_that_is_not_there_is_named(start: Start, open_servers: Open) -> None:
    with pytest.raises(BadInput, match=r"key `server\.key`: no secret `OTHER_KEY`: `autoact secrets set OTHER_KEY`"):
        open_servers(start(), key="OTHER_KEY")


def test_no_error_shows_the_key(key: str, start: Start, open_servers: Open) -> None:
    server = start(key="another-key")
    grants.allow("MODEL_KEY", server.url)
    with pytest.raises(BadInput) as refused:
        open_servers(server, key="MODEL_KEY")
    assert "check that key" in str(refused.value)
    assert key not in repr(refused.value) + str(refused.value.__context__)
