"""Servers that fail: what may pass is asked again with the same answer, what may not says which setting to change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conformance import CHOICES, answer_all, answer_one, make_ask, make_prompt
from model_server import ModelServer
from worlds import scripted_world

from autoact.errors import BadInput, ModelFailed
from autoact.model.engine import Ticket
from autoact.model.server.engine import ServerEngine
from autoact.model.server.replicas import NoServer, Patience
from autoact.model.store import load_tokenizer
from autoact.script import Answer, Match

Start = Callable[..., ModelServer]
Open = Callable[..., ServerEngine]

ASKS = {
    Ticket("thought", 0): make_ask(make_prompt(), 12, temperature=1.0, least=4, stop=("\n",)),
    Ticket("action", 0): make_ask(make_prompt("Who?", "Action:"), 48, choices=CHOICES, temperature=1.5),
}


def texts(answers: dict[Ticket, Answer | ModelFailed]) -> dict[Ticket, tuple[int, ...]]:
    """The ids of each answer, which there has to be."""
    assert [answer for answer in answers.values() if not isinstance(answer, Answer)] == []
    return {ticket: answer.tokens for ticket, answer in answers.items() if isinstance(answer, Answer)}


@pytest.fixture
def right(start: Start, open_servers: Open) -> dict[Ticket, tuple[int, ...]]:
    """The answers of a server that never fails."""
    return texts(answer_all(open_servers(start()), ASKS.items()))


@pytest.mark.fault
@pytest.mark.parametrize("fault", ["500", "429", "drop", "cut", "error", "garbage", "hang"])
def test_a_request_that_fails_is_sent_again_and_answered_the_same(
    fault: str, right: dict[Ticket, tuple[int, ...]], start: Start, open_servers: Open
) -> None:
    server = start()
    engine = open_servers(server, **({"timeout": 0.5} if fault == "hang" else {}))
    server.faults.extend([fault] * 2)
    assert texts(answer_all(engine, ASKS.items())) == right
    assert not server.faults
    if fault != "hang":  # whose short timeout may also pass on a busy machine
        assert set(server.finished.values()) == {1}  # no reply that was complete was asked for again


@pytest.mark.fault
def test_a_retry_has_the_identity_of_the_request_it_repeats(start: Start, open_servers: Open) -> None:
    server = start()
    engine = open_servers(server)
    server.faults.append("500")
    answer_one(engine, make_ask(make_prompt(), 3), "t-ä/1", 4)
    ids = [headers["X-Request-Id"] for _, _, headers in server.asked if "X-Request-Id" in headers]
    assert len(ids) == 2
    assert set(ids) == {"t-%C3%A4%2F1/4/1-1"}


@pytest.mark.fault
def test_a_server_that_is_busy_gets_no_request_before_the_time_it_named(start: Start, open_servers: Open) -> None:
    busy, free = start(), start()
    engine = open_servers(busy, free)
    units = [f"u-{number}" for number in range(8)]
    first = {unit: engine.replicas.order(unit)[0].url for unit in units}
    mine = [unit for unit in units if first[unit] == busy.url]
    assert mine
    assert len(mine) < len(units)
    busy.faults.append("429 for long")
    for unit in mine:
        answer_one(engine, make_ask(make_prompt(), 2), unit)
    assert len(busy.completions()) == 1
    assert len(free.completions()) == len(mine)


def test_an_episode_stays_with_its_server_and_so_do_its_forks(start: Start, open_servers: Open) -> None:
    one, other = start(), start()
    engine = open_servers(one, other)
    for unit in (f"t-{number}" for number in range(16)):
        before = len(one.completions()), len(other.completions())
        for n in range(3):
            answer_one(engine, make_ask(make_prompt(), 2), unit, n)
        answer_one(engine, make_ask(make_prompt(), 2), f"{unit}~1", 0)
        after = len(one.completions()), len(other.completions())
        assert sorted(now - then for now, then in zip(after, before, strict=True)) == [0, 4]
    assert one.completions()
    assert other.completions()


@pytest.mark.fault
def test_a_dead_servers_episodes_move_and_come_back(start: Start, open_servers: Open) -> None:
    alive, dead = start(), start()
    engine = open_servers(alive, dead)
    unit = next(f"u-{n}" for n in range(99) if engine.replicas.order(f"u-{n}")[0].url == dead.url)
    ask = make_ask(make_prompt(), 4)
    before = answer_one(engine, ask, unit, 0).tokens
    dead.kill()
    for n in range(1, 4):
        assert answer_one(engine, ask, unit, n).tokens == before
    again = start(port=dead.port)
    n = 4
    while not again.completions():  # the circuit is closed after a check
        assert answer_one(engine, ask, unit, n).tokens == before
        n += 1


@pytest.mark.fault
def test_an_ask_that_no_server_answers_fails_with_the_reason(start: Start, open_servers: Open) -> None:
    server = start()
    engine = open_servers(server, patience=Patience(2, 0.01, 0.01, 9, 0.01))
    server.faults.extend(["500"] * 2)
    answers = answer_all(engine, [(Ticket("t", 0), make_ask(make_prompt(), 4))])
    assert "no server answered after 2 rounds" in str(answers[Ticket("t", 0)])
    assert "500: out of memory" in str(answers[Ticket("t", 0)])
    assert answer_one(engine, make_ask(make_prompt(), 4), "t", 1).tokens


@pytest.mark.fault
def test_a_run_without_any_server_ends_and_no_unit_fails(start: Start, open_servers: Open) -> None:
    server = start()
    engine = open_servers(server)
    server.kill()
    engine.submit(Ticket("t", 0), make_ask(make_prompt(), 4), 1)

    def step_on() -> None:
        while True:
            assert list(engine.step()) == []

    with pytest.raises(NoServer, match=r"no server answered after 4 rounds .*cannot be reached"):
        step_on()


@pytest.mark.fault
def test_a_request_that_the_server_refuses_fails_its_unit_at_once(start: Start, open_servers: Open) -> None:
    server = start()
    engine = open_servers(server)
    server.faults.append("400")
    answers = answer_all(engine, [(Ticket("t", 0), make_ask(make_prompt(), 4))])
    assert "refused the request (400): no" in str(answers[Ticket("t", 0)])
    assert len(server.completions()) == 1


@pytest.mark.fault
def test_a_key_that_is_withdrawn_ends_the_run_after_what_was_answered(start: Start, open_servers: Open) -> None:
    server = start()
    engine = open_servers(server)
    engine.submit(Ticket("one", 0), make_ask(make_prompt(), choices=(" Finish\n",)), 1)
    server.faults.append("401")
    engine.submit(Ticket("two", 0), make_ask(make_prompt(), 4), 1)
    answered: list[Ticket] = []

    def step_on() -> None:
        while True:
            answered.extend(ticket for ticket, _ in engine.step())

    with pytest.raises(BadInput, match=r"server\.urls.*refuses the request \(401\)"):
        step_on()
    assert answered == [Ticket("one", 0)]


@pytest.mark.fault
def test_a_run_ends_with_the_setting_to_change_and_not_as_a_broken_model(start: Start, open_servers: Open) -> None:
    server = start()
    engine = open_servers(server)
    world = scripted_world(engine)
    server.faults.append("401")
    engine.submit(Ticket("t", 0), make_ask(make_prompt(), 4), 1)

    def step_on() -> None:
        while True:
            assert list(world.answers()) == []

    with pytest.raises(BadInput, match=r"^key `server\.urls`: "):
        step_on()


def test_a_withdrawn_ask_ends_its_request(start: Start, open_servers: Open) -> None:
    server = start(pause=0.05)
    engine = open_servers(server)
    engine.submit(Ticket("t", 0), make_ask(make_prompt(), 400), 1)
    while not list(engine.partial()):
        list(engine.step())
    engine.withdraw("t")
    server.pause = 0.0
    assert answer_one(engine, make_ask(make_prompt(), 2), "u").tokens
    assert len(server.finished) == 1  # only the second: the first was cut by this side
    assert not list(engine.partial())


# -- before a run ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "settings", "message"),
    [
        ({"shift": 1}, {}, r"another tokenizer than .*token 0 of a text, `Who`, is \d+ here and \d+ there"),
        ({"shift": 9, "dialect": "sglang"}, {}, r"another tokenizer than .*: it splits a text of \d+ tokens into \d+"),
        ({}, {"model": "other"}, r"key `server\.model`: http://127.* serves no model `other`; it lists base"),
        ({"dialect": "acme"}, {}, r"key `server\.dialect`.*`acme`, which returns no token ids"),
        ({"key": "sesame"}, {}, r"key `server\.urls`.*\(401\)"),
    ],
)
def test_a_server_that_does_not_fit_is_refused_before_the_run(
    server: dict[str, Any], settings: dict[str, Any], message: str, start: Start, open_servers: Open
) -> None:
    with pytest.raises(BadInput, match=message):
        open_servers(start(**server), **settings)


def test_a_run_does_not_begin_without_a_server_and_begins_with_one_of_two(
    start: Start, open_servers: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, here = start(), start()
    gone.kill()
    with pytest.raises(BadInput, match=r"key `server\.urls`: no server answers: .*cannot be reached"):
        open_servers(gone)
    assert answer_one(open_servers(gone, here), make_ask(make_prompt(), 2)).tokens
    assert f"{gone.url} is left out until it answers" in capsys.readouterr().err


# -- other kinds of servers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["sglang", "llamacpp"])
def test_other_kinds_answer_the_same(
    dialect: str, right: dict[Ticket, tuple[int, ...]], start: Start, open_servers: Open
) -> None:
    server = start(dialect=dialect, window=None)
    engine = open_servers(server)
    assert engine.window == (512 if dialect == "llamacpp" else None)
    ask = make_ask(make_prompt(), 12, least=4, stop=("\n",), barred=("right",))
    assert answer_one(engine, ask).tokens == answer_one(open_servers(start()), ask).tokens
    chosen = answer_one(engine, ASKS[Ticket("action", 0)])
    assert chosen.text in CHOICES
    assert list(chosen.tokens) == load_tokenizer(engine.base.id)(chosen.text, add_special_tokens=False)["input_ids"]


def test_only_vllm_scores_texts(start: Start, open_servers: Open) -> None:
    engine = open_servers(start(dialect="sglang"))
    ask = Match("meta", "action", make_prompt(), choices=("a", "b"), beginnings=("x", "y"), text="z")
    answers = answer_all(engine, [(Ticket("t", 0), ask)])
    assert "does not score texts; set `tool_selection.by` to `names`" in str(answers[Ticket("t", 0)])
