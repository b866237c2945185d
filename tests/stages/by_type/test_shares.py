"""How many questions of each type are wanted."""

from __future__ import annotations

import pytest

from autoact.project.config import QuestionShares
from autoact.stages.by_type.shares import count_wanted, find_type
from autoact.trajectory import Example, Question

ONE_HOP = Example(Question("s-1", "Who discovered kavium?", "Mila Sorrin", gold=("Kavium",)))


def counts(target: int, shares: QuestionShares, *examples: Example) -> list[int]:
    return list(count_wanted(target, shares, examples).values())


def test_shares_are_followed_and_add_up() -> None:
    assert counts(10, QuestionShares(one_hop=1, two_hop=3)) == [3, 7, 0, 0]
    assert counts(80, QuestionShares(0.5, 0.5, 0.5, 0.5)) == [20, 20, 20, 20]
    assert sum(counts(7, QuestionShares(1, 1, 1, 1))) == 7


def test_a_few_seeds_leave_no_type_out_and_many_decide() -> None:
    assert counts(40, QuestionShares()) == [10, 10, 10, 10]
    assert counts(50, QuestionShares(), ONE_HOP) == [20, 10, 10, 10]
    assert counts(104, QuestionShares(), *[ONE_HOP] * 100) == [101, 1, 1, 1]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (Question("q", "Was Mila born here?", "No.", type="comparison"), "yes-no"),
        (Question("q", "Which band began first?", "Oasis", type="comparison"), "comparison"),
        (Question("q", "Who wrote it?", "Wren", type="bridge"), "two-hop"),
        (Question("q", "Who was born first, Mila or Tobias?", "Mila"), "comparison"),
        (Question("q", "Who wrote it?", "Wren", gold=("A", "B")), "two-hop"),
        (Question("q", "Who wrote it?", "Wren", type="some other", gold=("A",)), "one-hop"),
    ],
)
def test_the_type_of_a_question(question: Question, kind: str) -> None:
    assert find_type(question) == kind
