"""Sets of trajectories that became uniform are noticed, and others are not."""

from __future__ import annotations

import pytest
from msgspec import structs

from autoact.diversity import FEWEST, describe_set, find_collapse
from autoact.trajectory import FINISH, REFLECT, Question, Step, Trajectory

TYPES = ("one-hop", "two-hop", "comparison", "yes-no")
WORDS = ["river", "tower", "painter", "planet", "city", "lake", "novel", "metal", "bird", "island"]


def varied(number: int) -> Trajectory:
    """A trajectory with as many reads as its type needs, and words of its own."""
    kind, word = TYPES[number % len(TYPES)], f"{WORDS[number % len(WORDS)]}{number}"
    reads = [Step(f"I need the {word} of part {at}.", "Retrieve", word) for at in range(1 + number % len(TYPES))]
    steps = (*reads, Step(f"The {word} is known.", FINISH, word), Step("Good.", REFLECT, "right"))
    return Trajectory(f"t-{number}", Question(f"q-{number}", f"What is {word}?", word, type=kind), steps)


def uniform(number: int) -> Trajectory:
    """A one-step answer, always in the same words."""
    steps = (Step("I know it.", FINISH, str(number)), Step("Good.", REFLECT, "right"))
    return Trajectory(f"g1-{number}", Question(f"q-{number}", "What?", str(number), type="one-hop"), steps)


def without_yes_no(trajectory: Trajectory) -> Trajectory:
    """The same trajectory, of another type of question if it was a yes/no one."""
    question = trajectory.question
    kind = "two-hop" if question.type == "yes-no" else question.type
    return structs.replace(trajectory, question=structs.replace(question, type=kind))


VARIED = [varied(number) for number in range(40)]


def test_a_profile() -> None:
    profile = describe_set(VARIED)
    assert profile.types == dict.fromkeys(TYPES, 0.25)
    assert profile.steps == 3.5  # one to four reads, and the answer
    assert profile.action_entropy == pytest.approx(4)  # four tool sequences, equally often


def test_more_of_the_same_kind_is_no_collapse() -> None:
    assert find_collapse(VARIED, [*VARIED, *(varied(number) for number in range(40, 80))]) == ""


def test_a_set_built_to_collapse_is_noticed() -> None:
    assert find_collapse(VARIED, [*VARIED, *map(uniform, range(80))]) == "the length"
    assert find_collapse(VARIED, [uniform(number) for number in range(40)]) == "the tool sequences"


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ([without_yes_no(one) for one in VARIED], "questions of type yes-no"),
        ([VARIED[number % 4] for number in range(40)], "the words of the thoughts"),
    ],
)
def test_what_was_lost_is_named(after: list[Trajectory], what: str) -> None:
    assert find_collapse(VARIED, after) == what


def test_small_sets_are_not_compared() -> None:
    assert find_collapse(VARIED, [uniform(number) for number in range(FEWEST - 1)]) == ""
