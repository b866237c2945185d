"""ReWOO (arXiv 2305.18323): plans all calls before any is made, runs them, and solves; #E1 is the first one's result.

The original's planner also writes a sentence for each call, its worker inserts a whole result where a plan refers to
it, and a model is one of the tools. Here a plan has calls alone, one ask for each line, and the words for a reference
are asked for, since tools that take a title find nothing for a whole page. The plan's demonstrations are made of the
seed examples.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from autoact import prompts, scratchpad
from autoact.episode import Script
from autoact.methods.answering import Answering, tool_named
from autoact.methods.episode import begin_episode
from autoact.methods.settings import MethodSettings
from autoact.script import Answer, Ask, Prompt, Request
from autoact.trajectory import FINISH, REFLECT, Example, Question, Step, Tool

_CALL = re.compile(r"\s*([^\[\]]+?)\s*\[(.*)")
_REFERENCE = re.compile(r"#E\d+")
SPARE_TOKENS = 16
"""Tokens of a line beside its argument: a tool's name and brackets."""


class ReWOO(Answering):
    """Lines of a plan, their calls, and the answer."""

    def _opening(self) -> Prompt:
        example = f"#E1 = {self.card.tools[0].usage}" if self.card.tools else "#E1 = Tool[argument]"
        return self._open("methods/rewoo", show_plan, tools=scratchpad.offers(self.card.tools), example=example)

    def _play_turns(self) -> Generator[Request, Any, str]:
        calls = yield from self._plan()
        results: dict[str, str] = {}
        for number, (tool, argument) in enumerate(calls, 1):
            line = f"#E{number} = {tool}[{argument}]"
            if unknown := [name for name in _REFERENCE.findall(argument) if name not in results]:
                self.steps.append(Step(line, tool, argument, f"{unknown[0]} is no earlier result.", failed=True))
                continue
            words: dict[str, str] = {}
            for name in dict.fromkeys(_REFERENCE.findall(argument)):
                words[name] = yield from self._ask_words(name, line, results)
            argument = _REFERENCE.sub(lambda found, words=words: words[found[0]], argument)  # type: ignore[misc]
            observed = yield from self._call(line, tool, argument)
            if observed.over:
                return "over"
            results[f"#E{number}"] = observed.text
        return (yield from self._solve())

    def _plan(self) -> Generator[Request, Any, list[tuple[str, str]]]:
        """Asks for the calls, line by line, until one is Finish, no call, or a repetition."""
        calls: list[tuple[str, str]] = []
        while len(calls) < self.limits.steps - 1:
            prompt = self.prompt.then(f"#E{len(calls) + 1} =")
            line = yield from self._ask_line("text", prompt, self.limits.argument_tokens + SPARE_TOKENS)
            self.prompt = prompt.then(f" {line}", "\n")
            call = read_call(line, self.card.tools)
            if call is None and not line.casefold().startswith(FINISH.casefold()):
                self.steps.append(Step("", "Plan", line, "This is no call of a tool; the plan ends here.", failed=True))
            if call is None or call in calls:
                break
            calls.append(call)
        return calls

    def _ask_words(self, name: str, line: str, results: Mapping[str, str]) -> Generator[Ask, Answer, str]:
        """Asks for the words that a reference stands for in a line of the plan."""
        system = prompts.fill("methods/rewoo_fill", task=self.card.task)
        shown = tuple(filter(None, map(show_words, self.card.demonstrations)))
        prompt = Prompt(system, with_results(self.question, results), (line[: line.index(name)],), shown)
        words = yield self._ask("argument", prompt, stop=("]", "\n"), limit=self.limits.argument_tokens, least=1)
        return words.text.strip()


def read_call(line: str, tools: Iterable[Tool]) -> tuple[str, str] | None:
    """Returns the tool's name and the argument of a line such as `Retrieve[Fidelio]`; None when it is no such call.

    The argument ends at the bracket that closes the first one, or with the line.
    """
    found = _CALL.match(line)
    name = tool_named(found[1], tools) if found else None
    if found is None or name is None:
        return None
    depth = 1
    for at, letter in enumerate(found[2]):
        depth += (letter == "[") - (letter == "]")
        if depth == 0:
            return name, found[2][:at].strip()
    return name, found[2].strip()


def show_plan(example: Example) -> str:
    """Returns the calls of a demonstration as a plan; words that an earlier observation gave become a reference."""
    lines = [f"#E{number} = {step.action}[{name or step.argument}]" for number, step, name in references(example)]
    return "\n".join([*lines, f"#E{len(lines) + 1} = {FINISH}"])


def show_words(example: Example) -> tuple[str, str] | None:
    """Returns the first call of a demonstration that has a reference: the results before it, and the call in full."""
    results: dict[str, str] = {}
    for number, step, name in references(example):
        if name:
            return with_results(example.question, results), f"#E{number} = {step.action}[{step.argument}]"
        results[f"#E{number}"] = step.observation
    return None


def references(example: Example) -> Iterator[tuple[int, Step, str]]:
    """Yields the number of each call of a demonstration, its step, and the result that its argument is from, if any."""
    calls = [step for step in example.steps if step.action not in (FINISH, REFLECT)]
    for number, step in enumerate(calls, 1):
        earlier = enumerate(calls[: number - 1], 1)
        source = next((f"#E{at}" for at, one in earlier if step.argument in one.observation), "")
        yield number, step, "" if step.argument in example.question.text else source


def with_results(question: Question, results: Mapping[str, str]) -> str:
    """Returns the question and a line for each result."""
    return "\n".join([scratchpad.render_question(question), *(f"{name}: {text}" for name, text in results.items())])


def plan_calls(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of one question."""
    return begin_episode(unit, question, settings, kind=ReWOO).play()
