"""A child keeps to its turns, and one that is closed stays closed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autoact.tools.bridges.child import LARGEST_REQUEST, Child, child_environment
from autoact.tools.bridges.protocol import ChildFailed
from autoact.tools.library.tool import ToolContext
from autoact.tools.pages.corpus import Corpus

SOURCE = """
import time

def echo(word, seconds=0):
    time.sleep(seconds)
    return word
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    (tmp_path / "own.py").write_text(SOURCE)
    opening = {"kind": "python", "module": str(tmp_path / "own.py"), "function": "echo"}
    given = Child(opening, child_environment(ToolContext(Corpus.of_pages(())), []), tmp_path, 60)
    yield given
    given.close()


def ask(child: Child, word: str, seconds: float = 0) -> str:
    return child.ask({"arguments": {"word": word, "seconds": seconds}}, 60).text


def test_threads_get_the_answers_to_their_own_questions(child: Child) -> None:
    words = [f"word {number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda word: ask(child, word, 0.001), words)) == words


def test_closing_ends_a_call_in_another_thread(child: Child) -> None:
    assert ask(child, "up") == "up"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, child, "late", 600)
        time.sleep(0.2)  # whether it waits by now or only begins to, it must end
        child.close()
        with pytest.raises(ChildFailed):
            waiting.result(60)
    with pytest.raises(ChildFailed, match="closed"):
        ask(child, "again")


def test_a_request_is_not_sent_when_its_caller_has_given_up(child: Child) -> None:
    with ThreadPoolExecutor(1) as pool, child._turn:
        late = pool.submit(child.ask, {"arguments": {"word": "late"}}, 0.05)
        with pytest.raises(ChildFailed, match="busy with other calls for 0.1 s"):
            late.result(10)
    assert ask(child, "up") == "up"


def test_a_request_that_is_too_long_is_not_sent(child: Child) -> None:
    with pytest.raises(ChildFailed, match="longer than"):
        ask(child, "x" * LARGEST_REQUEST)
    assert ask(child, "up") == "up"


def test_an_environment_holds_no_more_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "1")
    context = ToolContext(Corpus.of_pages(()), secret={"NAMED": "2"}.get)
    told = child_environment(context, ["NAMED", "MISSING"], {"PLACE": "here"})
    assert (told["NAMED"], told["PLACE"], told["PATH"]) == ("2", "here", os.environ["PATH"])
    assert not {"SOME_API_KEY", "MISSING"} & set(told)
