"""Commands that the studio has carried out: whatever their words are, the studio goes on."""

from __future__ import annotations

import sys

import pytest

from studio.actions import cli_command


@pytest.fixture(autouse=True)
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that prints its last word."""
    monkeypatch.setattr(cli_command, "PROGRAM", (sys.executable, "-c", "import sys; print(sys.argv[-1], end='')"))


async def test_words_reach_the_command_as_they_are() -> None:
    for word in ("--help", "[b]x\x1b[31m", "東京"):
        result = await cli_command.autoact("say", word)
        assert (result.code, result.errors) == (0, "")
        assert result.output == word


@pytest.mark.parametrize("word", ["a\0b", "\ud800", "A" * 3_000_000])
async def test_words_that_no_command_can_have_are_refused_with_the_reason(word: str) -> None:
    result = await cli_command.autoact("say", word)
    assert result.code == 2
    assert result.reason
