"""The script of an episode: the loop of Thought, Action, Argument, Observation (paper, section 2 and figure 2).

In synthesis the meta-agent plays every part; in group planning three adapters do. After Finish the reflect part judges
the answer; if it says *wrong*, the episode continues, as often as the limit of reflections allows, and then ends with
its last answer. A Finish without an answer, or with a verdict in its place, is a failed step.

A task that is played, such as a game, has no Finish and no reflection: the environment ends it, or the limit of steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import Any

from msgspec import Struct

from autoact import scratchpad
from autoact.answer_checks import (
    CONCLUSION,
    REPEATED,
    find_answer_defect,
    find_readings,
    list_candidates,
    repeats_call,
    reword,
)
from autoact.errors import ContextFull, TokensSpent
from autoact.metrics import normalise
from autoact.registry.roles import role_of
from autoact.script import Answer, Ask, Card, Observation, Prompt, Request, Sampling, Use
from autoact.trajectory import FINISH, HINTED, REFLECT, RIGHT, WRONG, Cast, Part, Question, Step, Trajectory

Script = Generator[Request, Any, Trajectory]


class Limits(Struct, frozen=True):
    """The limits of an episode."""

    steps: int = 6
    """Tool calls and answers together."""
    reflections: int = 1
    """Number of *wrong* verdicts after which the episode continues."""
    reflect: bool = True
    """Asks the reflect part about each answer; without it the first answer ends the episode."""
    thought_tokens: int = 80
    thought_least: int = 6
    """Fewest tokens of a thought."""
    argument_tokens: int = 24
    threshold: float | None = None
    """The probability of *wrong* from which the verdict is *wrong*; None takes the likelier one."""
    certainty: bool = False
    """The plan part's certainty of its thoughts counts as evidence for the verdict, where the engine knows it."""
    checks: bool = False
    """An answer whose form, question or pages show that it is wrong is judged so, whatever the reflect part thinks.
    If a thought found what only the question says, the model chooses among the words of the last page."""
    offered: bool = False
    """If a call failed and its tool offered other arguments, the next call of the tool takes the one that the thought
    named, else the first. No answer is given before a call succeeds, while there is such an offer."""
    yes_no: bool = False
    """A question that begins with an auxiliary verb is answered with yes or no."""
    keep_best: bool = False
    """Ends with the answer that had the lowest probability of *wrong*, in place of the last one."""


def log_odds(chance: float) -> float:
    """Returns the log-odds of a probability, within those of 0.001 and 0.999."""
    bounded = min(max(chance, 0.001), 0.999)
    return math.log(bounded / (1 - bounded))


def add_evidence(chance: float, evidence: float) -> float:
    """Returns a probability, rounded to 4 digits, after `evidence` is added to its log-odds."""
    return round(1 / (1 + math.exp(-log_odds(chance) - evidence)), 4)


class Episode:
    """The state of one episode. `play` is its script."""

    def __init__(
        self, unit: str, question: Question, card: Card, cast: Cast, sampling: Sampling, limits: Limits,
        reward: Callable[[str | None, Question], float], hint: Sequence[str] = (), notes: Sequence[str] = (),
    ):  # fmt: skip
        """Takes as `hint` the titles of pages to read: the prompt names them, and no answer is given before they are.

        The hint is in no step, so that the trajectory can be learned from without it. `notes` are lines that the
        prompt has after the question, such as a plan.
        """
        self.hint, self.notes = tuple(hint), tuple(notes)
        self.unit, self.question, self.card, self.cast = unit, question, card, cast
        self.sampling, self.limits, self.reward = sampling, limits, reward
        self.prompt: Prompt = self._opening()
        self.steps: list[Step] = []
        self.answer: str | None = None
        self.best_chance = math.inf
        """The lowest probability of *wrong* of an answer so far."""
        self.certainties: list[float | None] = []
        """The lowest probability of a token of each thought; None where it is not known."""
        self.refused: list[str] = []
        """Answers that a check called wrong, without those that a person called right."""
        self.verdict: str | None = None
        self.environment_reward = 0.0 if question.played else None
        """The environment's reward; when it is None, the answer is scored."""

    def play(self) -> Script:
        """Yields Ask and Use, is sent Answer and Observation, and returns the Trajectory.

        ContextFull or TokensSpent, thrown in place of an answer, ends the episode after its last complete step.
        """
        try:
            halt = yield from self._play_turns()
        except ContextFull:
            halt = "context"
        except TokensSpent:
            halt = "tokens"
        return self._end(halt)

    def _opening(self) -> Prompt:
        """Returns the prompt before the first turn. Adapters always get the one that they were trained with."""
        reflects = self.limits.reflect or bool(self.cast.adapters)
        return scratchpad.opening(self.card, self.question, self.hint, notes=self.notes, reflects=reflects)

    def _play_turns(self) -> Generator[Request, Any, str]:
        """Plays turns until the episode ends; returns the reason, as in `Trajectory.halt`."""
        reflections = 0
        while len(self._actions()) < self.limits.steps + len(self.refused):
            thought, action, argument = yield from self._ask_action()
            if action != FINISH:
                observed: Observation = yield Use(action, argument)
                self._record(Step(thought, action, argument, observed.text, observed.failed))
                if observed.over or self.question.played:
                    self.environment_reward = observed.reward
                if observed.over:
                    return "over"
                continue
            if not scratchpad.is_answer(argument, self._barred()):
                self._record(Step(thought, action, argument, scratchpad.NO_ANSWER, failed=True))
                continue
            before, self.answer = self.answer, argument
            if not self.limits.reflect:
                self._record(Step(thought, action, argument))
                return "answered"
            self._record(Step(thought, action, argument, scratchpad.REFLECT_NOW))
            self.verdict = yield from self._reflect()
            self._choose_answer(before)
            if self.verdict == RIGHT or reflections == self.limits.reflections:
                return "answered"
            reflections += 1
        return "steps"

    def _choose_answer(self, before: str | None) -> None:
        """Goes back to the answer `before` if that had a lower probability of *wrong*, and if the limits say so."""
        chance = self.steps[-1].wrong_chance
        if before is not None and self.limits.keep_best and chance is not None and chance >= self.best_chance:
            self.answer = before
        else:
            self.best_chance = math.inf if chance is None else chance

    def _ask_action(self) -> Generator[Ask, Answer, tuple[str, str, str]]:
        """Asks for a thought, a tool and its argument, and returns them."""
        prompt = self.prompt.then(scratchpad.THOUGHT)
        thought = yield self._ask("thought", prompt, **self._thought_limits())
        self.certainties.append(thought.least_chance)
        words = thought.text.strip()
        if self.limits.checks and (choices := find_readings(words, self.question.text, self.steps)):
            words = yield from self._read_again(prompt, choices)
        prompt = self.prompt.then(*scratchpad.segments(scratchpad.thought(words)), scratchpad.ACTION)
        picked = yield self._ask("action", prompt, choices=self._action_choices())
        name = scratchpad.tool_name(picked.text, self.card.tools)
        prompt = prompt.then(*scratchpad.segments(scratchpad.action(name)[1:]), scratchpad.ARGUMENT)
        argument = yield self._ask("argument", prompt, tool=name, **self._argument_limits(name))
        return words, name, argument.text.strip()

    def _read_again(self, prompt: Prompt, choices: tuple[str, ...]) -> Generator[Ask, Answer, str]:
        """Asks for one of `choices`, what the last page says, and for the rest of a thought without an answer."""
        read: str = (yield self._ask("thought", prompt, choices=choices)).text
        if CONCLUSION in read:
            return read.strip()
        rest = yield self._ask("thought", prompt.then(read), **self._text_limits())
        return f"{read.strip()} {rest.text.strip()}"

    def _thought_limits(self) -> dict[str, Any]:
        """Returns the fields of Ask that bound a thought.

        After an answer that a check refused it is the last thought with something else that was read in its place, for
        a small model would repeat it.
        """
        if self.refused and self.steps[-1].action == REFLECT and self.steps[-2].argument == self.refused[-1]:
            last = self.steps[-2]
            if choices := reword(last.thought, last.argument, self._candidates()):
                return {"choices": choices}
        return self._text_limits()

    def _text_limits(self) -> dict[str, Any]:
        return {"limit": self.limits.thought_tokens, "least": self.limits.thought_least}

    def _candidates(self) -> list[str]:
        given = [step.argument for step in self.steps if step.action == FINISH]
        return list_candidates(self.question, given, self.steps)

    def _action_choices(self) -> tuple[str, ...]:
        """Returns the texts that may follow `Action:`: only Finish at last, and no Finish while pages are unread.

        While all calls have failed, it is the last tool again if that offered another argument. In a task that is
        played, the tools that have a possible move; all tools where none is listed.
        """
        if self.question.played:
            moves = self._moves()
            possible = [one for one in self.card.tools if not moves or one.name in moves]
            return scratchpad.action_choices(possible, finish=False)
        if self._unread():
            return scratchpad.action_choices(self.card.tools, finish=False)
        if len(self._actions()) + 1 >= self.limits.steps:
            return scratchpad.action_choices(())
        again = self.steps[-1].action if self.steps and all(step.failed for step in self.steps) else ""
        if self._offer(again):
            return scratchpad.action_choices([one for one in self.card.tools if one.name == again], finish=False)
        return scratchpad.action_choices(self.card.tools)

    def _moves(self) -> dict[str, tuple[str, ...]]:
        """Returns the possible arguments of each tool, as the task or its last observation lists them."""
        text = self.steps[-1].observation if self.steps else self.question.text
        return scratchpad.read_moves(text, self.card.tools)

    def _unread(self) -> tuple[str, ...]:
        """Returns the pages of the hint that no step has asked for."""
        return self.hint[len(self._actions()) :]

    def _offer(self, action: str) -> str:
        """Returns what a tool offered in place of its last argument, and was not called with before; empty if nothing.

        It is what the last thought names, as a model may misspell the argument alone, else the first: a small model
        that has just named another page is no judge of which is the right one; the tool's order is.
        """
        last = self.steps[-1] if self.steps and self.limits.offered else None
        if last is None or not last.failed or last.action != action:
            return ""
        called = {step.argument for step in self.steps if step.action == action}
        offers = [one for one in scratchpad.read_offers(last.observation) if one not in called]
        thought = f" {normalise(last.thought)} "
        return next((one for one in offers if f" {normalise(one)} " in thought), offers[0] if offers else "")

    def _argument_limits(self, action: str) -> dict[str, Any]:
        """Returns the fields of Ask that bound an argument: an answer is an option, if there are any, no verdict.

        After a call that failed, it is the one that the tool offered.
        """
        if self.question.played and (moves := self._moves().get(action)):
            return {"choices": tuple(f" {words}" for words in moves)}
        if unread := self._unread():
            return {"choices": (f" {unread[0]}",)}
        if offer := self._offer(action):
            return {"choices": (f" {offer}",)}
        if action == FINISH and self.refused and (candidates := self._candidates()):
            return {"choices": tuple(f" {one}" for one in candidates)}
        if action == FINISH and (choices := scratchpad.answer_choices(self.question, yes_no=self.limits.yes_no)):
            return {"choices": choices}
        if action == FINISH:
            return {"limit": self.limits.argument_tokens, "least": 1, "barred": self._barred()}
        return {"limit": self.limits.argument_tokens}

    def _barred(self) -> tuple[str, ...]:
        return scratchpad.barred_answers(self.question, self.steps)

    def _reflect(self) -> Generator[Ask, Answer, str]:
        """Asks the reflect part to judge the answer; returns right or wrong.

        Where a check shows that the answer is wrong, the reflect part can only say so.
        """
        answer = self.steps[-1].argument
        defect = find_answer_defect(self.question, answer, self.steps) if self.limits.checks else ""
        prompt = self.prompt.then(scratchpad.THOUGHT)
        limits = {"choices": (f" {defect}",)} if defect else self._text_limits()
        words = (yield self._ask("reflection", prompt, **limits)).text.strip()
        before = [*scratchpad.thought(words, "reflection"), *scratchpad.action(REFLECT)]
        prompt = self.prompt.then(*scratchpad.segments(before), scratchpad.ARGUMENT)
        evidence = self._evidence()
        bias = evidence - log_odds(0.5 if self.limits.threshold is None else self.limits.threshold)
        choices = (f" {WRONG}",) if defect else (f" {RIGHT}", f" {WRONG}")
        verdict = yield self._ask("verdict", prompt, choices=choices, bias=0.0 if defect else bias)
        word, chance = verdict.text.strip(), verdict.chance
        wrong_chance = None if chance is None else add_evidence(chance if word == WRONG else 1 - chance, evidence)
        if defect:  # a person may have edited the verdict
            wrong_chance = 1.0 if word == WRONG else None
            self.refused += [answer] if word == WRONG else []
        seen = "" if word == RIGHT else scratchpad.TRY_AGAIN
        self._record(Step(words, REFLECT, word, seen, wrong_chance=wrong_chance))
        return word

    def _evidence(self) -> float:
        """Returns what the least certain token of all thoughts, and a call made twice, add to the log-odds of *wrong*.

        It is 0 where the certainty of a thought is not known, as of one that was chosen after a check. A thought whose
        value was read again counts as it was before: that it could not stand is a reason to doubt. Thoughts before
        an earlier verdict count too: a second try follows from them, and has fewer of its own, so that it would seem
        more certain than the first.
        """
        known = [chance for chance in self.certainties if chance is not None]
        if not self.limits.certainty or not known or len(known) < len(self.certainties):
            return 0.0
        return log_odds(1 - min(known)) + (REPEATED if repeats_call(self.steps) else 0.0)

    def _ask(self, part: Part, prompt: Prompt, tool: str = "", **fields: Any) -> Ask:
        return Ask(self.cast.adapter(role_of(part), tool), part, prompt, sampling=self.sampling, **fields)

    def _actions(self) -> list[Step]:
        return [step for step in self.steps if step.action != REFLECT]

    def _record(self, step: Step) -> None:
        self.steps.append(step)
        self.prompt = self.prompt.then(*scratchpad.segments(scratchpad.step_pieces(step)))

    def _end(self, halt: str) -> Trajectory:
        reward = self.reward(self.answer, self.question) if self.environment_reward is None else self.environment_reward
        return Trajectory(
            self.unit, self.question, tuple(self.steps), self.answer, self.verdict, halt, reward, self.cast.name,
            HINTED if self.hint else "",
        )  # fmt: skip
