"""Compare: equal and different texts, numbers, and arguments that are not two texts."""

from __future__ import annotations

import pytest

from autoact.stages.from_facts import DIFFERENT, SAME
from autoact.tools.simple import compare
from autoact.tools.simple.compare import EXPECTED


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("Lima; Quito", DIFFERENT),
        ("the Danube; danube", SAME),
        ("2,850; 2850", SAME),
        ("2,850; 2,860", DIFFERENT),
        ("1, 2; 12", DIFFERENT),
        ("2.5; 25", DIFFERENT),
        ("-5; 5", DIFFERENT),
        ("8.0; 8", SAME),
        ("Saint Petersburg;St. Petersburg", DIFFERENT),
        ("Don Quixote.; Don  Quixote", SAME),
    ],
)
def test_two_texts(argument: str, found: str) -> None:
    observed = compare.compare(argument)
    assert (observed.text, observed.failed) == (found, False)


@pytest.mark.parametrize("argument", ["", "Lima", "Lima;", ";", "Lima; the", "a; b; c"])
def test_anything_else_is_told_what_was_expected(argument: str) -> None:
    observed = compare.compare(argument)
    assert (observed.text, observed.failed) == (EXPECTED, True)
