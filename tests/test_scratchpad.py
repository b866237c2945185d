"""There is one renderer: what an episode asks with is a beginning of what training sees."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

from autoact import scratchpad
from autoact.episode import Episode, Limits
from autoact.metrics import reward
from autoact.registry.roles import SUB_AGENTS
from autoact.script import Answer, Ask, Card, Observation, Sampling, Use
from autoact.trajectory import FINISH, REFLECT, Cast, Example, Question, Step, Tool, Trajectory

TOOLS = (
    Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),
    Tool("RetrieveAll", "Reads all.", "RetrieveAll[Fidelio]"),
)
CARD = Card("Answer questions.", TOOLS)
QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")
WORDS = ["I wonder", "", "Beethoven", "[odd] brackets: Action: Finish", "«ü» – 1805", "  spaced  "]


PLENTY = Limits()
GROUP = Cast("group", {name: name for name in SUB_AGENTS})


def played(
    answer: Callable[[Ask], str], limits: Limits = PLENTY, cast: Cast = GROUP, question: Question = QUESTION
) -> tuple[Trajectory, list[Ask], list[Use]]:
    """An episode with these answers, and all it wished for."""
    script = Episode("t-1", question, CARD, cast, Sampling(), limits, reward).play()
    asks: list[Ask] = []
    uses: list[Use] = []
    sent: Answer | Observation | None = None
    while True:
        try:
            wish = script.send(sent)
        except StopIteration as end:
            return end.value, asks, uses
        if isinstance(wish, Use):
            uses.append(wish)
            sent = Observation(f"Page of {wish.argument}.")
        else:
            assert isinstance(wish, Ask)
            asks.append(wish)
            sent = Answer(answer(wish))


def at_random(seed: int) -> Callable[[Ask], str]:
    source = random.Random(seed)
    return lambda ask: source.choice(ask.choices or WORDS)


@pytest.mark.parametrize("seed", range(60))
def test_every_prompt_is_a_beginning_of_the_trajectory(seed: int) -> None:
    trajectory, asks, _ = played(at_random(seed), Limits(steps=5, reflections=2))
    whole = scratchpad.segments(scratchpad.pieces(trajectory.steps))
    opening = scratchpad.opening(CARD, QUESTION)
    for ask in asks:
        assert ask.prompt.segments == whole[: len(ask.prompt.segments)]
        assert (ask.prompt.system, ask.prompt.user, ask.prompt.shown) == (opening.system, opening.user, opening.shown)
    for one, other in itertools.pairwise(asks):
        assert len(one.prompt.segments) < len(other.prompt.segments)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_asked_for_is_the_next_piece_and_its_owners(seed: int) -> None:
    trajectory, asks, _ = played(at_random(seed))
    pieces = scratchpad.pieces(trajectory.steps)
    for ask in asks:
        piece = pieces[len(ask.prompt.segments)]
        assert (piece.owner, piece.part) == (ask.adapter, ask.part)


def test_an_action_that_a_person_typed_is_written_as_any_other() -> None:
    def typed(ask: Ask) -> str:
        return "Retrieve" if ask.part == "action" and len(ask.choices) > 1 else (ask.choices or ("x",))[0]

    trajectory, asks, _ = played(typed, Limits(steps=2))
    whole = scratchpad.segments(scratchpad.pieces(trajectory.steps))
    assert trajectory.steps[0].action == "Retrieve"
    assert all(ask.prompt.segments == whole[: len(ask.prompt.segments)] for ask in asks)


def test_how_a_trajectory_reads() -> None:
    steps = (
        Step("I should look.", "Retrieve", "Fidelio", "By Beethoven."),
        Step("It says so.", FINISH, "Beethoven", scratchpad.REFLECT_NOW),
        Step("True.", REFLECT, "right"),
    )
    assert scratchpad.join_pieces(scratchpad.pieces(steps)) == (
        "Thought: I should look.\nAction: Retrieve\nArgument: Fidelio\nObservation: By Beethoven.\n"
        "Thought: It says so.\nAction: Finish\nArgument: Beethoven\nObservation: Please reflect on your answer.\n"
        "Thought: True.\nAction: Reflect\nArgument: right\nObservation: \n"
    )


def test_the_opening_names_tools_demonstrations_and_options() -> None:
    shown = Example(Question("s-1", "Who?", "Bach"), (Step("I know.", FINISH, "Bach", scratchpad.REFLECT_NOW),))
    question = Question("q-2", "Which?", "B", choices=("one", "two"))
    prompt = scratchpad.opening(Card("Be right.", TOOLS, (shown,)), question)
    assert "Be right." in prompt.system
    assert "- Retrieve: Reads a page. For example: Fidelio" in prompt.system
    assert prompt.user == "Question: Which?\n(A) one\n(B) two"
    assert prompt.shown[0][0] == "Question: Who?"
    assert "Bach" in prompt.shown[0][1]
    assert prompt.segments == ()


def test_only_a_failed_try_that_is_learned_has_a_line_that_says_so() -> None:
    question = Question("q-2", "Which?", "B", choices=("one", "two"))
    assert scratchpad.FAILED not in scratchpad.opening(CARD, question, ("Fidelio",)).user
    failed = scratchpad.opening(CARD, question, failed=True)
    assert failed.user == f"Question: Which?\n(A) one\n(B) two\n{scratchpad.FAILED}"
    _, asks, _ = played(at_random(3), Limits(steps=3), question=question)
    assert asks
    assert not any(scratchpad.FAILED in f"{ask.prompt.system}{ask.prompt.user}" for ask in asks)


@pytest.mark.parametrize(
    ("text", "seen", "barred"),
    [
        ("Who wrote Fidelio?", "By Beethoven.", ("right", "wrong")),
        ("Do the Irish drive on the left or the right?", "On an island.", ("wrong",)),
        ("On which side do Norwegians drive?", "They drive on the Right.", ("wrong",)),
        ("Who wrote the Copyright Act?", "Copyrights are old.", ("right", "wrong")),
    ],
)
def test_a_verdict_answers_only_what_speaks_of_it(text: str, seen: str, barred: tuple[str, ...]) -> None:
    steps = [
        Step("I look.", "Retrieve", "Norway", seen),
        Step("So.", FINISH, "right wrong", scratchpad.REFLECT_NOW),
        Step("No.", REFLECT, "wrong", scratchpad.TRY_AGAIN),
    ]
    assert scratchpad.barred_answers(Question("q", text), steps) == barred


@pytest.mark.parametrize(
    ("said", "answers"),
    [("Beethoven", True), ("right", False), ("**Right.**", False), (" ", False), ("right bank", True), ("?", True)],
)
def test_what_is_an_answer(said: str, answers: bool) -> None:
    assert scratchpad.is_answer(said, ("right", "wrong")) is answers


def test_another_name_of_a_tool_is_written_as_its_own() -> None:
    tools = (Tool("WebSearch", "Searches.", "WebSearch[x]", ("BingSearch",)), *TOOLS)
    assert [scratchpad.tool_name(said, tools) for said in (" BingSearch\n", "Retrieve", " Finish\n")] == [
        "WebSearch", "Retrieve", "Finish",
    ]  # fmt: skip
