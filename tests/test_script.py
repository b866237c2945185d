"""What is asked keeps its digest over versions: logs of older ones must be gone on with."""

from __future__ import annotations

import pytest

from autoact.script import Ask, Match, Prompt, Request, Sampling, Use, digest

PROMPT = Prompt("Answer.", "Question: Who?", ("Thought:", " I look.", "\n"), (("a", "b"),))


@pytest.mark.parametrize(
    ("wish", "known"),
    [
        (Ask("plan", "argument", PROMPT, limit=24, sampling=Sampling(0.5, 0.9)), "06000b1f46fa"),
        (Ask("meta", "action", PROMPT, choices=(" A\n", " B\n")), "00e07ef3e798"),
        (Match("meta", "action", PROMPT, choices=(" A",), beginnings=("x",), text="t"), "f5c5ac1a353e"),
        (Use("Retrieve", "Peru"), "efc8c93ad82a"),
    ],
)
def test_digests_of_version_0_1(wish: Request, known: str) -> None:
    assert digest(wish) == known


def test_what_is_barred_changes_the_digest() -> None:
    assert digest(Ask("tool", "argument", PROMPT, barred=("right",))) != digest(Ask("tool", "argument", PROMPT))
