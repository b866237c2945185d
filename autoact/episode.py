"""The Thought, Action, Argument, Observation loop, written once (paper, section 2 and figure 2).

Synthesis casts the meta-agent in every part; group planning casts three adapters. After Finish the reflect part
judges the answer; on *wrong* the episode goes on, as often as the reflection budget allows, and then ends honestly
with the last answer it gave. A Finish that says nothing, or a verdict in place of an answer, is a failed step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from msgspec import Struct

from autoact import scratchpad
from autoact.errors import ContextFull
from autoact.registry.roles import role_of
from autoact.script import Answer, Ask, Card, Observation, Prompt, Request, Sampling, Use
from autoact.trajectory import FINISH, REFLECT, RIGHT, WRONG, Cast, Part, Question, Step, Trajectory

Script = Generator[Request, Any, Trajectory]


class Limits(Struct, frozen=True):
    """When an episode has had enough."""

    steps: int = 6
    """Tool calls and answers together."""
    reflections: int = 1
    """How often a *wrong* verdict buys another try."""
    thought_tokens: int = 40
    thought_least: int = 6
    """Tokens before which a thought may not end."""
    argument_tokens: int = 24


class Episode:
    """One question on its way to an answer. `play` is the script."""

    def __init__(
        self, unit: str, question: Question, card: Card, cast: Cast, sampling: Sampling, limits: Limits,
        reward: Callable[[str | None, Question], float],
    ):  # fmt: skip
        self.unit, self.question, self.card, self.cast = unit, question, card, cast
        self.sampling, self.limits, self.reward = sampling, limits, reward
        self.pad: Prompt = scratchpad.opening(card, question)
        self.steps: list[Step] = []
        self.answer: str | None = None
        self.verdict: str | None = None
        self.given: float | None = None
        """The reward that the environment gave; without one the answer is scored."""

    def play(self) -> Script:
        """Yields Ask and Use, is sent Answer and Observation, returns the Trajectory.

        ContextFull, thrown in place of an answer, ends it with the steps that are complete.
        """
        try:
            halt = yield from self._turns()
        except ContextFull:
            halt = "context"
        return self._end(halt)

    def _turns(self) -> Generator[Request, Any, str]:
        """Turn after turn; returns why it ended."""
        reflections = 0
        while len(self._acts()) < self.limits.steps:
            thought, action, argument = yield from self._act()
            if action != FINISH:
                seen: Observation = yield Use(action, argument)
                self._record(Step(thought, action, argument, seen.text, seen.failed))
                if seen.over:
                    self.given = seen.reward
                    return "over"
                continue
            if not scratchpad.is_answer(argument, self._barred()):
                self._record(Step(thought, action, argument, scratchpad.NO_ANSWER, failed=True))
                continue
            self.answer = argument
            self._record(Step(thought, action, argument, scratchpad.REFLECT_NOW))
            self.verdict = yield from self._reflect()
            if self.verdict == RIGHT or reflections == self.limits.reflections:
                return "answered"
            reflections += 1
        return "steps"

    def _act(self) -> Generator[Ask, Answer, tuple[str, str, str]]:
        """Plan thinks and picks a tool; the tool part fills in its parameters."""
        pad = self.pad.then(scratchpad.THOUGHT)
        thought = yield self._ask("thought", pad, limit=self.limits.thought_tokens, least=self.limits.thought_least)
        pad = self.pad.then(*scratchpad.segments(scratchpad.thought(thought.text)), scratchpad.ACTION)
        last = len(self._acts()) + 1 == self.limits.steps
        choices = scratchpad.action_choices(() if last else self.card.tools)
        picked = yield self._ask("action", pad, choices=choices)
        name = scratchpad.tool_name(picked.text, self.card.tools)
        pad = pad.then(*scratchpad.segments(scratchpad.action(name)[1:]), scratchpad.ARGUMENT)
        argument = yield self._ask("argument", pad, tool=name, **self._argument(name))
        return thought.text, name, argument.text.strip()

    def _argument(self, action: str) -> dict[str, Any]:
        """Returns the bounds of an argument: an answer is an option where there are some, and never a verdict."""
        if action == FINISH and self.question.choices:
            return {"choices": scratchpad.answer_choices(self.question)}
        if action == FINISH:
            return {"limit": self.limits.argument_tokens, "least": 1, "barred": self._barred()}
        return {"limit": self.limits.argument_tokens}

    def _barred(self) -> tuple[str, ...]:
        return scratchpad.barred_answers(self.question, self.steps)

    def _reflect(self) -> Generator[Ask, Answer, str]:
        """The reflect part looks back and says right or wrong."""
        pad = self.pad.then(scratchpad.THOUGHT)
        thought = yield self._ask("reflection", pad, limit=self.limits.thought_tokens, least=self.limits.thought_least)
        before = [*scratchpad.thought(thought.text, "reflection"), *scratchpad.action(REFLECT)]
        pad = self.pad.then(*scratchpad.segments(before), scratchpad.ARGUMENT)
        verdict = yield self._ask("verdict", pad, choices=(f" {RIGHT}", f" {WRONG}"))
        said = verdict.text.strip()
        self._record(Step(thought.text, REFLECT, said, "" if said == RIGHT else scratchpad.TRY_AGAIN))
        return said

    def _ask(self, part: Part, pad: Prompt, tool: str = "", **wish: Any) -> Ask:
        return Ask(self.cast.adapter(role_of(part), tool), part, pad, sampling=self.sampling, **wish)

    def _acts(self) -> list[Step]:
        return [step for step in self.steps if step.action != REFLECT]

    def _record(self, step: Step) -> None:
        self.steps.append(step)
        self.pad = self.pad.then(*scratchpad.segments(scratchpad.step_pieces(step)))

    def _end(self, halt: str) -> Trajectory:
        reward = self.reward(self.answer, self.question) if self.given is None else self.given
        return Trajectory(
            self.unit, self.question, tuple(self.steps), self.answer, self.verdict, halt, reward, self.cast.name
        )  # fmt: skip
