"""Comparisons of methods, and what is said about them."""

from __future__ import annotations

import pytest

from autoact.events import QuestionSolved
from autoact.lab.answer_cost import TokenPrice, read_price
from autoact.lab.comparison import ComparedSide, MethodComparison, collect_answers, compare
from autoact.lab.statistics.paired import bootstrap_interval, mcnemar_p, permutation_p
from autoact.script import fork_name
from autoact.trajectory import Question, Trajectory


def answers(cast: str, f1: list[float], skip: int = 0) -> dict[str, QuestionSolved]:
    """The answers of a method to numbered questions, from number `skip` on."""
    solved = [
        QuestionSolved(
            cast, Trajectory(f"{cast}-{n}", Question(str(n), f"{n}?", "x"), (), cast=cast), float(score == 1), score,
            scored=True, seconds=2.0, tokens=100 if cast == "meta" else 300,
        )
        for n, score in enumerate(f1)
        if n >= skip
    ]  # fmt: skip
    return collect_answers(solved)[cast]


def compared(old: list[float], new: list[float], *, times: int = 1) -> MethodComparison:
    pair = ComparedSide("meta", (answers("meta", old),)), ComparedSide("group", (answers("group", new),))
    return compare([pair] * times)[0]


def test_only_scored_answers_that_are_no_forks_are_paired() -> None:
    question = Question("q", "?", "x")
    plain = QuestionSolved("meta", Trajectory("a-q", question, (), "x"), 1.0, 1.0, True)
    fork = QuestionSolved("meta", Trajectory(fork_name("a-q", 1), question, (), "y"), 0.0, 0.0, True)
    unscored = QuestionSolved("meta", Trajectory("a-r", Question("r", "?"), (), "x"))
    assert [list(one.values()) for one in collect_answers([plain, fork, unscored]).values()] == [[plain]]


def test_the_figures_are_those_of_the_shared_questions() -> None:
    old, new = [0.0, 0.2, 0.5, 1.0] * 5, [0.5, 0.2, 1.0, 1.0] * 5
    pair = ComparedSide("A meta", (answers("meta", old),)), ComparedSide("A group", (answers("group", new, skip=4),))
    (made,) = compare([pair])
    assert (made.first, made.second, made.n, made.left_out, made.seeds) == ("A meta", "A group", 16, 4, (1, 1))
    # Questions are paired by their ids as text: 10, 11, ..., 4, 5, ...
    keys = sorted(map(str, range(4, 20)))
    before, after = ([scores[int(key)] for key in keys] for scores in (old, new))
    assert made.f1.difference == pytest.approx(0.25)
    assert made.f1.interval == pytest.approx(bootstrap_interval(before, after))
    assert made.f1.p == permutation_p(before, after) == 2 / 256
    exact = [[float(score == 1) for score in scores] for scores in (before, after)]
    assert made.em.p == mcnemar_p(*exact) == 2 / 16
    assert [(cost.tokens, cost.seconds, cost.money) for cost in made.costs] == [(100, 2, None), (300, 2, None)]


def test_costs_are_those_of_the_generated_tokens_and_of_the_prices() -> None:
    known = {f"group-{n}": 20 + n for n in range(20)}
    sides = (
        ComparedSide("meta", (answers("meta", [0.0] * 20),)),
        ComparedSide("group", (answers("group", [1.0] * 20),), (known,), TokenPrice(1.0, 4.0)),
    )
    before, after = compare([sides])[0].costs
    assert (before.generated, before.money) == (0, None)
    assert after.generated == pytest.approx(29.5)
    assert after.money == pytest.approx((270.5 * 1 + 29.5 * 4) / 1e6)  # of 300 tokens, the others are the prompt's


def test_a_model_without_prices_has_no_price() -> None:
    assert read_price({"prompt_price": 0.0}) is read_price({}) is read_price(None) is None
    assert read_price({"generated_price": 2}) == TokenPrice(0.0, 2.0)


def test_a_comparison_is_broken_down_by_what_questions_carry() -> None:
    def of(cast: str, scores: list[float]) -> dict[str, QuestionSolved]:
        kinds = ["bridge", "comparison", "bridge", ""] * 10
        solved = [
            QuestionSolved(
                cast, Trajectory(f"{cast}-{n}", Question(str(n), f"{n}?", "x", type=kind, level="hard"), (), cast=cast),
                float(f1 == 1), f1, scored=True,
            )
            for n, (kind, f1) in enumerate(zip(kinds, scores, strict=True))
        ]  # fmt: skip
        return collect_answers(solved)[cast]

    old, new = of("meta", [0.0] * 40), of("group", [1.0, 0.0, 0.5, 0.0] * 10)
    (made,) = compare([(ComparedSide("meta", (old,)), ComparedSide("group", (new,)))])
    assert [(one.by, one.name, one.n) for one in made.groups] == [
        ("type", "", 10), ("type", "bridge", 20), ("type", "comparison", 10),
    ]  # fmt: skip
    bridge = made.groups[1]
    before, after = [0.0] * 20, [1.0] * 10 + [0.5] * 10
    assert bridge.f1.difference == 0.75
    assert bridge.f1.interval == pytest.approx(bootstrap_interval(before, after), abs=0.02)
    assert bridge.em.p == mcnemar_p([0.0] * 10, [1.0] * 10)
    assert bridge.em.corrected == 3 * bridge.em.p  # of three groups; the other two have a p of 1
    assert made.em.corrected == made.em.p  # of one comparison


def test_words_for_a_clear_gain() -> None:
    made = compared([0.0] * 20, [1.0] * 12 + [0.0] * 8)
    assert made.words.startswith("group is better: +60.0 points of F1 (+40.0 to +80.0); of one seed")
    worse = compared([1.0] * 12 + [0.0] * 8, [0.0] * 20)
    assert worse.words.startswith("meta is better: -60.0 points of F1")


def test_words_when_nothing_can_be_said() -> None:
    open_ = compared([0.0, 1.0] * 10, [1.0, 0.0] * 9 + [1.0, 1.0])
    assert open_.words.startswith("the interval holds 0: these 20 questions do not tell which is better; they show")
    assert open_.f1.needed == pytest.approx(8_600, rel=0.1)
    assert f"and 3 points need about {float(f'{open_.f1.needed:.2g}'):,.0f} questions" in open_.words
    assert compared([0.5] * 20, [0.5] * 20).words == "both score the same on every question"
    assert compared([0.0] * 9, [1.0] * 9).words == "9 questions are too few to say anything; at least 10 are needed"


def test_a_gain_that_counts_alone_but_not_among_many() -> None:
    alone = compared([0.0] * 20, [1.0] * 6 + [0.0] * 14)
    assert (alone.f1.p, alone.f1.corrected) == (2 / 64, 2 / 64)
    assert alone.words.startswith("group is better")
    among = compared([0.0] * 20, [1.0] * 6 + [0.0] * 14, times=4)
    assert among.f1.corrected == 8 / 64
    assert "but not after the correction for 4 comparisons (p 0.125)" in among.words


def test_seeds_count_as_a_factor() -> None:
    old = ComparedSide("meta", tuple(answers("meta", [0.0] * 30) for _ in range(4)))
    new = ComparedSide("group", tuple(answers("group", [level] * 30) for level in (0.2, 0.4, 0.6, 0.8)))
    (made,) = compare([(old, new)])
    assert made.seeds == (4, 4)
    assert made.f1.difference == pytest.approx(0.5)
    assert made.f1.interval[1] - made.f1.interval[0] > 0.3  # over questions alone it has no width
    assert made.words.endswith("over 4 seeds")


def test_sides_without_a_shared_question() -> None:
    pair = ComparedSide("A", (answers("meta", [1.0]),)), ComparedSide("B", (answers("meta", [1.0, 1.0], skip=1),))
    with pytest.raises(ValueError, match="A and B have no question in common"):
        compare([pair])
