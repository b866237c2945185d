"""Blind ratings: which pairs are shown and how, and what ratings say together."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.errors import BadInput
from autoact.events import QuestionSolved
from autoact.lab.comparison import collect_answers
from autoact.lab.rating import Choice, Rating, add_rating, make_pairs, read_ratings, summarise_ratings
from autoact.trajectory import Question, Step, Trajectory

SIDES = ("one/meta", "two/group")


def answers(cast: str, said: list[str], thought: str = "") -> dict[str, QuestionSolved]:
    """The answers of a method to numbered questions, each after one thought."""
    solved = [
        QuestionSolved(
            cast, Trajectory(f"{cast}-{n}", Question(str(n), f"{n}?", "x"), (Step(thought, "Finish", one),), one), 0, 0,
            True,
        )
        for n, one in enumerate(said)
    ]  # fmt: skip
    return collect_answers(solved)[cast]


def rated(rater: str, question: str, choice: Choice, left: str = SIDES[0], right: str = SIDES[1]) -> Rating:
    return Rating(rater, question, left, right, choice, "2026-11-29T14:00:00+00:00")


def test_the_sides_change_places_at_random_and_the_same_way_each_time() -> None:
    both = answers("meta", ["a"] * 200), answers("group", ["b"] * 200)
    pairs = make_pairs(SIDES, both, "Ada", steps=False)
    assert pairs == make_pairs(SIDES, both, "Ada", steps=False)
    assert 70 < sum(pair.left == SIDES[0] for pair in pairs) < 130
    for pair in pairs:
        said = tuple(one.answer for one in pair.shown)
        assert said == (("a", "b") if (pair.left, pair.right) == SIDES else ("b", "a"))
    numbers = [pair.shown[0].question.id for pair in pairs]
    assert sorted(numbers) == sorted(map(str, range(200)))
    assert numbers != sorted(numbers)
    other = make_pairs(SIDES, both, "Bob", steps=False)
    assert [pair.question for pair in other] == [pair.question for pair in pairs]  # so that raters share questions
    assert [pair.left for pair in other] != [pair.left for pair in pairs]


def test_pairs_without_a_difference_are_left_out() -> None:
    both = answers("meta", ["a", "b", "The C"], "Hm."), answers("group", ["a", "x", "c"], "So.")
    assert [pair.shown[0].question.id for pair in make_pairs(SIDES, both, "Ada", steps=False)] == ["1"]
    assert len(make_pairs(SIDES, both, "Ada", steps=True)) == 3


def test_ratings_are_added_and_read_by_their_sides(tmp_path: Path) -> None:
    file = tmp_path / "ratings.jsonl"
    assert read_ratings(file, SIDES) == []
    made = [
        rated("Ada", "q1", "left"),
        rated("Ada", "q2", "right", SIDES[1], SIDES[0]),
        rated("Ada", "q3", "same", "x"),
    ]
    for one in made:
        add_rating(file, one)
    assert read_ratings(file, SIDES[::-1]) == made[:2]
    file.write_bytes(file.read_bytes().rstrip(b"\n"))  # as some editors save it
    add_rating(file, made[1])
    assert read_ratings(file, SIDES) == [*made[:2], made[1]]
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]) + '{"rater": "Ada"}\n')
    with pytest.raises(BadInput, match=r"ratings.jsonl:4: not a rating"):
        read_ratings(file, SIDES)
    before = file.read_bytes()
    with pytest.raises(BadInput, match=r":4: not a rating"):
        add_rating(file, made[0])
    assert file.read_bytes() == before


def test_the_summary_counts_questions_not_raters() -> None:
    ratings = [
        rated("Ada", "q1", "left"), rated("Ada", "q1", "right"),  # she changed her mind: the last one counts
        *(rated("Ada", f"q{n}", "left", SIDES[1], SIDES[0]) for n in (2, 3, 4, 5, 6)),
        rated("Ada", "q7", "same"), rated("Ada", "q8", "both wrong"),
        rated("Bob", "q1", "left"), rated("Bob", "q2", "right"), rated("Bob", "q7", "left"),
    ]  # fmt: skip
    found = summarise_ratings(ratings, SIDES)
    assert found.by_rater == {
        "Ada": {SIDES[1]: 6, "same": 1, "both wrong": 1}, "Bob": {SIDES[0]: 2, SIDES[1]: 1},
    }  # fmt: skip
    assert (found.better, found.even) == ((1, 5), 2)  # q1 is even between both raters, q8 by its one
    assert found.p == 14 / 64
    assert found.win_rate == 5 / 6
    (both,) = found.agreement
    assert (both.raters, both.n) == (("Ada", "Bob"), 3)
    assert both.kappa == pytest.approx((1 / 3 - 2 / 9) / (1 - 2 / 9))
    alone = summarise_ratings([rated("Ada", "q1", "same")], SIDES)
    assert (alone.win_rate, alone.p, alone.agreement) == (None, 1.0, ())
