"""Chain of thought (arXiv 2201.11903): a thought, then the answer, without tools.

The original's demonstrations have complete chains of reasoning, written for the task. Here each shows the thought that
stands before the answer of a seed example, and the thought is one line, at most as long as a thought of an episode.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from autoact.episode import Script
from autoact.methods.answering import Answering, reasoned_answer
from autoact.methods.episode import begin_episode
from autoact.methods.settings import MethodSettings
from autoact.script import Prompt, Request
from autoact.trajectory import Question


class ChainOfThought(Answering):
    """Two asks: a thought, and the answer."""

    def _opening(self) -> Prompt:
        return self._open("methods/chain_of_thought", reasoned_answer, finish=self._finish_rule())

    def _play_turns(self) -> Generator[Request, Any, str]:
        thought = yield from self._ask_thought()
        return (yield from self._ask_answer(thought))


def think_and_answer(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of one question."""
    return begin_episode(unit, question, settings, kind=ChainOfThought).play()
