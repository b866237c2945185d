"""The answer from the question alone, without a thought or a tool; what the model knows by heart (arXiv 2005.14165).

The original shows tens of examples and no instruction; here the project's few seed examples follow an instruction.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from autoact.episode import Script
from autoact.methods.answering import Answering, answer_of
from autoact.methods.episode import begin_episode
from autoact.methods.settings import MethodSettings
from autoact.script import Prompt, Request
from autoact.trajectory import Question


class Direct(Answering):
    """One ask: the answer."""

    def _opening(self) -> Prompt:
        return self._open("methods/direct", answer_of, finish=self._finish_rule())

    def _play_turns(self) -> Generator[Request, Any, str]:
        return (yield from self._ask_answer())


def answer_directly(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of one question."""
    return begin_episode(unit, question, settings, kind=Direct).play()
