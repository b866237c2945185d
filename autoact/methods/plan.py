"""Zero-shot plan: first a plan of one line, then the loop of ReAct with the plan in the prompt.

It follows plan-and-solve prompting (arXiv 2305.04091), with tools. The original has no tools, asks for plan and
solution in one answer, and extracts the number by another ask; here each step of the loop is asked for by itself, and
the seed examples show what a plan looks like. The plan is not changed on the way.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from autoact import scratchpad
from autoact.episode import Script
from autoact.methods.answering import Answering
from autoact.methods.episode import begin_episode, without_reflection
from autoact.methods.settings import MethodSettings
from autoact.script import Request
from autoact.trajectory import FINISH, REFLECT, Example, Question, Step

PLAN = "Plan"
PLAN_TOKENS = 60


class PlannedEpisode(Answering):
    """An episode whose first step is a plan."""

    def _play_turns(self) -> Generator[Request, Any, str]:
        opening = self._open("methods/plan", show_plan, tools=scratchpad.offers(self.card.tools))
        plan = yield from self._ask_line("text", opening.then(f"{PLAN}:"), PLAN_TOKENS)
        self.steps.append(Step("", PLAN, plan))
        self.notes = (f"{PLAN}: {plan}",)
        self.prompt = self._opening()
        return (yield from super()._play_turns())

    def _actions(self) -> list[Step]:
        return super()._actions()[1:]


def show_plan(example: Example) -> str:
    """Returns the calls of a demonstration as a plan."""
    calls = (f"{step.action} {step.argument}" for step in example.steps if step.action not in (FINISH, REFLECT))
    return f"{PLAN}: {', then '.join([*calls, FINISH])}"


def plan_and_act(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of one question."""
    return begin_episode(unit, question, without_reflection(settings), kind=PlannedEpisode).play()
