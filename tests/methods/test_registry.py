"""What holds for every method of the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from methods.played import QUESTION, asks, begin, likely, play, settings_of

import autoact.methods
from autoact.episode import Limits
from autoact.registry.methods import METHODS, answerable_methods
from autoact.script import Ask, digest
from autoact.trajectory import Question

NAMES = METHODS.names()
PUBLISHED = {  # the arXiv number of each method's paper, which its file names
    "direct": "2005.14165",
    "cot": "2201.11903",
    "self-consistency": "2203.11171",
    "plan": "2305.04091",
    "react": "2210.03629",
    "retry": "2303.11366",
    "reflexion-self": "2303.11366",
    "reflexion-gold": "2303.11366",
    "rewoo": "2305.18323",
    "chameleon": "2304.09842",
    "bolaa": "2308.05960",
    "fireact": "2310.05915",
}


def test_every_published_method_is_in_the_table_and_its_file_names_the_paper() -> None:
    assert {method.name for method in METHODS if method.earlier} == PUBLISHED.keys()
    for name, paper in PUBLISHED.items():
        file = METHODS.get(name).script.partition(":")[0].rpartition(".")[2]
        text = (Path(autoact.methods.__path__[0]) / f"{file}.py").read_text()
        assert f"arXiv {paper}" in text, name
        assert "original" in text, name


@pytest.mark.parametrize("name", NAMES)
def test_a_method_answers_a_question(name: str) -> None:
    made, requests, _ = play(begin(name), likely)
    assert (made.answer, made.reward, made.halt) == ("Beethoven", 1.0, "answered")
    assert (made.unit, made.cast, made.question) == (f"{name}-q-1", METHODS.get(name).cast.name, QUESTION)
    assert made.steps
    assert {ask.adapter for ask in asks(requests)} <= {"meta", *METHODS.get(name).cast.names()}


@pytest.mark.parametrize("name", NAMES)
def test_a_method_answers_with_the_letter_of_an_option(name: str) -> None:
    question = Question("q-1", "Who wrote Fidelio?", "B", choices=("Mozart", "Beethoven"))
    made, _, _ = play(begin(name, question=question), likely)
    assert (made.answer, made.reward) == ("B", 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_replay_asks_the_same(name: str) -> None:
    made, requests, replies = play(begin(name), likely)
    for known in range(len(replies)):
        again, repeated, _ = play(begin(name), likely, logged=replies[:known])
        assert again == made
        assert list(map(digest, repeated)) == list(map(digest, requests))


@pytest.mark.parametrize("name", NAMES)
def test_a_full_context_ends_a_method_without_an_error(name: str) -> None:
    _, requests, _ = play(begin(name), likely)
    for at, request in enumerate(requests):
        if request in asks(requests):
            made, _, _ = play(begin(name), likely, full_at=at)
            assert made.unit == f"{name}-q-1"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tokens", [1, 5, 20, 60, 200])
def test_no_method_generates_more_than_the_limit(name: str, tokens: int) -> None:
    """Choices are one word here and are always complete."""
    made, requests, replies = play(begin(name, settings_of(name, tokens=tokens)), _cut)
    spent = sum(
        len(reply.tokens) for request, reply in zip(requests, replies, strict=True) if request in asks(requests)
    )
    assert spent <= tokens
    if METHODS.get(name).several and name not in ("reflexion-gold", "reflexion-self"):
        assert spent == tokens
    if spent < tokens:
        assert made.halt == "answered"


def _cut(ask: Ask) -> str:
    """Answers at the length that the ask allows."""
    return likely(ask) if ask.choices else " ".join(likely(ask).split()[: ask.limit])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("direct", "cot", "self-consistency")])
def test_a_method_ends_at_the_limit_of_steps(name: str) -> None:
    def never_finish(ask: Ask) -> str:
        if ask.part == "text" and ask.prompt.segments[-1].startswith("#E"):
            return f"Retrieve[page {len(ask.prompt.segments)}]"
        if ask.part == "text":
            return ", ".join(["Retrieve"] * 20)
        if (
            ask.part == "argument"
            and "Action:" in ask.prompt.segments
            and not ask.prompt.segments[-2].endswith("Finish\n")
        ):
            return f"page {len(ask.prompt.segments)}"
        return ask.choices[0] if ask.choices else "Mozart"

    made, _, _ = play(begin(name, settings_of(name, Limits(steps=3))), never_finish)
    tools = [step for step in made.steps if step.action == "Retrieve"]
    finishes = [step for step in made.steps if step.action == "Finish"]
    assert len(tools) == 2 * len(finishes) > 0
    assert made.answer == "Mozart"


def test_methods_that_can_answer() -> None:
    plain = set(NAMES) - {"group", "group-best", "group-majority", "fireact", "reflexion-gold"}
    assert set(answerable_methods(trained=False)) == plain
    assert set(answerable_methods(trained=True)) == plain | {"group", "group-best", "group-majority"}
    assert set(answerable_methods(trained=True, adapters={"all"}, gold=True)) == set(NAMES)
    assert answerable_methods(trained=True, usual=True) == ("meta", "group")
