"""An episode without the loop, for methods that ask in an order of their own and then for the answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

from autoact import prompts, scratchpad
from autoact.episode import Episode
from autoact.script import Answer, Ask, Observation, Prompt, Request, Use
from autoact.trajectory import FINISH, REFLECT, Example, Part, Question, Step, Tool

ANSWER = "Answer:"


class Answering(Episode):
    """The state of an answer to one question. Methods override `_opening` and `_play_turns`."""

    def _open(self, name: str, show: Callable[[Example], str] | None = None, **fields: str) -> Prompt:
        """Returns the prompt of a file with its fields; `show` writes the reply to the question of a demonstration."""
        demonstrations = self.card.demonstrations if show else ()
        shown = tuple((scratchpad.render_question(one.question), show(one)) for one in demonstrations if show)
        return Prompt(prompts.fill(name, task=self.card.task, **fields), self._render_question(), shown=shown)

    def _render_question(self) -> str:
        return scratchpad.render_question(self.question)

    def _finish_rule(self) -> str:
        return scratchpad.finish_rule(self.question)

    def _ask_line(self, part: Part, prompt: Prompt, limit: int) -> Generator[Ask, Answer, str]:
        """Asks for one line of text, and returns it."""
        line = yield self._ask(part, prompt, limit=limit, least=1)
        return line.text.strip()

    def _ask_thought(self) -> Generator[Ask, Answer, str]:
        """Asks for a thought, adds it to the prompt, and returns it."""
        limit, least = self.limits.thought_tokens, self.limits.thought_least
        thought = yield self._ask("thought", self.prompt.then(scratchpad.THOUGHT), limit=limit, least=least)
        self.prompt = self.prompt.then(*scratchpad.segments(scratchpad.thought(thought.text)))
        return thought.text

    def _ask_answer(self, thought: str = "") -> Generator[Request, Any, str]:
        """Asks for the answer and records it, with the thought before it; returns the reason of the end."""
        prompt = self.prompt.then(ANSWER)
        argument = (yield self._ask("argument", prompt, tool=FINISH, **self._argument_limits(FINISH))).text.strip()
        if not scratchpad.is_answer(argument, self._barred()):
            self.steps.append(Step(thought, FINISH, argument, scratchpad.NO_ANSWER, failed=True))
            return "steps"
        self.answer = argument
        self.steps.append(Step(thought, FINISH, argument))
        return "answered"

    def _solve(self) -> Generator[Request, Any, str]:
        """Asks for a thought and the answer, with the observations of all steps; returns the reason of the end."""
        shown = tuple(
            (_with_results(one.question, one.steps), reasoned_answer(one)) for one in self.card.demonstrations
        )
        system = prompts.fill("methods/solve", task=self.card.task, finish=self._finish_rule())
        self.prompt = Prompt(system, _with_results(self.question, self.steps), shown=shown)
        thought = yield from self._ask_thought()
        return (yield from self._ask_answer(thought))

    def _call(self, thought: str, tool: str, argument: str) -> Generator[Request, Any, Observation]:
        """Calls a tool, records the step, and returns the observation, which may end the episode."""
        observed: Observation = yield Use(tool, argument)
        if observed.over or self.question.played:
            self.environment_reward = observed.reward
        self.steps.append(Step(thought, tool, argument, observed.text, observed.failed))
        return observed


def _with_results(question: Question, steps: Iterable[Step]) -> str:
    """Returns the question, and a line for each call of a tool with what it returned."""
    calls = (step for step in steps if step.observation and step.action not in (FINISH, REFLECT))
    results = (f"{step.action}[{step.argument}]: {step.observation}" for step in calls)
    return "\n".join([scratchpad.render_question(question), *results])


def tool_named(name: str, tools: Iterable[Tool]) -> str | None:
    """Returns the name of the tool of this name or alias, in upper or lower case; None without one."""
    wanted = name.strip().casefold()
    return next((one.name for one in tools if wanted in map(str.casefold, (one.name, *one.aliases))), None)


def answer_of(example: Example) -> str:
    """Returns the answer of a demonstration as its last line."""
    return f"{ANSWER} {example.question.answer}"


def reasoned_answer(example: Example) -> str:
    """Returns a demonstration's thought before its answer, and the answer."""
    thought = next((step.thought for step in example.steps if step.action == FINISH), "")
    return f"{scratchpad.THOUGHT} {thought}\n{answer_of(example)}"
