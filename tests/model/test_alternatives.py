"""The probabilities of an answer's tokens and of the choices, computed again, are those with which it was drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.errors import BadInput
from autoact.job.alternatives import AskProbe
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.model.store import Weights
from autoact.project.config import Config, Model
from autoact.script import Answer, Ask, Prompt

PROMPT = Prompt("Answer in steps.", "Question: Who?", ("Action:",))
NAMES = (" Web\n", " WebSearch\n", " Retrieve\n", " Finish\n")


@pytest.fixture
def probe(tiny: Path) -> AskProbe:
    return AskProbe(Config(model=Model(id=str(tiny), device="cpu", precision="float32")), {})


def answer(weights: Weights, ask: Ask) -> Answer:
    engine, found = LocalEngine(weights, 1), list[Answer]()
    engine.submit(Ticket("u", 0), ask, 7)
    while not found:
        found += [one for _, one in engine.step() if isinstance(one, Answer)]
    return found[0]


def test_choices(probe: AskProbe, weights: Weights) -> None:
    ask = Ask("meta", "action", PROMPT, choices=NAMES)
    chances, given = probe.weigh_choices(ask), answer(weights, ask)
    assert sum(chances.values()) == pytest.approx(1, abs=1e-4)
    assert chances[given.text] == pytest.approx(given.chance, abs=1e-3)
    assert probe.weigh_choices(Ask("meta", "thought", PROMPT)) == {}


def test_tokens(probe: AskProbe, weights: Weights) -> None:
    """The likeliest token was taken each time; none of those that could not end the answer yet is told."""
    given = answer(weights, ask := Ask("meta", "thought", PROMPT, limit=6, least=6))
    tokens = probe.weigh(ask, given.tokens)
    assert "".join(token.text for token in tokens).strip() == given.text.strip()
    for token in tokens:
        assert token.likeliest[0] == (token.text, token.chance)
        assert all(chance <= token.chance for _, chance in token.likeliest)
        assert not any("\n" in text for text, _ in token.likeliest)


def test_weights_that_are_elsewhere() -> None:
    with pytest.raises(BadInput, match="engine `local` only"):
        AskProbe(Config(model=Model(engine="server")), {})
