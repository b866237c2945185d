"""The quality of verdicts, and the threshold chosen from them."""

from __future__ import annotations

import pytest

from autoact.scratchpad import REFLECT_NOW
from autoact.trajectory import FINISH, REFLECT, RIGHT, WRONG, Question, Step, Trajectory
from autoact.verdicts import SURE, Judged, area_under_curve, choose_threshold, first_verdicts, measure_verdicts

QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")


def judged(*pairs: tuple[float, bool]) -> list[Judged]:
    """Verdicts by their probability of *wrong* and the truth."""
    return [Judged(wrong, chance >= 0.5, chance) for chance, wrong in pairs]


def ended(*answers: tuple[str, str, float | None], question: Question = QUESTION) -> Trajectory:
    steps = [
        step
        for answer, verdict, chance in answers
        for step in (
            Step("So.", FINISH, answer, REFLECT_NOW),
            Step("I see.", REFLECT, verdict, wrong_chance=chance),
        )
    ]
    return Trajectory("t-1", question, tuple(steps))


def test_only_the_first_verdict_of_an_episode_counts() -> None:
    tried = ended(("Mozart", WRONG, 0.9), ("Beethoven", RIGHT, 0.2))
    assert first_verdicts([tried]) == [Judged(True, True, 0.9)]


@pytest.mark.parametrize(
    "without", [Trajectory("t-1", QUESTION, ()), ended(("Bach", RIGHT, 0.1), question=Question("q", "Who?"))]
)
def test_an_episode_without_verdict_or_gold_answer_does_not_count(without: Trajectory) -> None:
    assert first_verdicts([without]) == []


def test_an_answer_that_is_right_in_part_counts_as_wrong() -> None:
    assert first_verdicts([ended(("Ludwig Beethoven", RIGHT, 0.3))]) == [Judged(True, False, 0.3)]


def test_counts() -> None:
    quality = measure_verdicts(judged((0.9, True), (0.6, False), (0.2, True), (0.1, False)))
    assert (quality.n, quality.wrong, quality.called_wrong, quality.found) == (4, 2, 2, 1)
    assert (quality.recall, quality.precision) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("pairs", "area"),
    [
        ([(0.9, True), (0.8, True), (0.2, False)], 1.0),
        ([(0.1, True), (0.2, False)], 0.0),
        ([(0.5, True), (0.5, False)], 0.5),
        ([(0.9, True), (0.3, True), (0.6, False), (0.1, False)], 0.75),
        ([(0.9, True)], None),
    ],
)
def test_the_area_under_the_curve(pairs: list[tuple[float, bool]], area: float | None) -> None:
    assert area_under_curve(judged(*pairs)) == area


def test_the_threshold_is_the_lowest_with_enough_precision() -> None:
    right = [(0.04 * number, False) for number in range(8)]  # up to 0.28
    wrong = [(0.3, True), (0.4, True), (0.6, True), (0.9, True)]
    threshold = choose_threshold(judged(*right, *wrong))
    assert threshold == 0.28
    quality = measure_verdicts(judged(*right, *wrong), threshold)
    assert (quality.found, quality.called_wrong) == (4, 5)


@pytest.mark.parametrize(("wrong", "threshold"), [(2, SURE), (1, 1.0)])
def test_without_enough_precision_a_sure_verdict_counts_if_half_of_those_are_wrong(
    wrong: int, threshold: float
) -> None:
    sure = judged(*[(0.95, True)] * wrong, *[(0.95, False)] * 2)
    assert choose_threshold([*sure, *judged(*[(0.3, True), (0.3, False)] * 4)]) == threshold


def test_verdicts_that_know_nothing_call_no_answer_wrong() -> None:
    assert choose_threshold(judged(*[(0.9, False)] * 8, *[(0.1, True)] * 8)) == 1.0


def test_too_few_verdicts_choose_nothing() -> None:
    assert choose_threshold(judged((0.9, True), *[(0.1, False)] * 20)) is None


def test_engines_that_know_no_probability_choose_nothing() -> None:
    unknown = [Judged(number % 2 == 0, False, None) for number in range(20)]
    assert choose_threshold(unknown) is None
    assert measure_verdicts(unknown, 0.4).called_wrong == 0
