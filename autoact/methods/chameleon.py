"""Chameleon (arXiv 2304.09842): composes a program of modules, runs each with what came before, and solves.

The original has modules for each data set, with prompts and demonstrations of their own, such as knowledge retrieval
and row lookup; here the modules are the project's tools and Solve, which always runs last. The argument of a tool is
asked for when its turn comes, as in an episode, but without a thought; a call that was made is not made again.
Programs are not repaired or updated.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from autoact import scratchpad
from autoact.episode import Script
from autoact.methods.answering import Answering, tool_named
from autoact.methods.episode import begin_episode, without_reflection
from autoact.methods.settings import MethodSettings
from autoact.script import Request
from autoact.trajectory import FINISH, REFLECT, Example, Question, Step

SOLVE = "Solve"
PROGRAM = "Program"
PROGRAM_TOKENS = 32


class Chameleon(Answering):
    """A program, the calls of its modules, and the answer."""

    def _play_turns(self) -> Generator[Request, Any, str]:
        for tool in (yield from self._ask_program()):
            before = [*scratchpad.action(tool), scratchpad.Piece(scratchpad.ARGUMENT)]
            prompt = self.prompt.then(*scratchpad.segments(before))
            argument = yield from self._ask_line("argument", prompt, self.limits.argument_tokens)
            if any((step.action, step.argument) == (tool, argument) for step in self.steps):
                continue  # small models name a module many times, and then call it with the same argument
            observed = yield from self._call("", tool, argument)
            if observed.over:
                return "over"
            after = [scratchpad.Piece(f" {argument}"), scratchpad.Piece("\n"), *scratchpad.observation(observed.text)]
            self.prompt = prompt.then(*scratchpad.segments(after))
        return (yield from self._solve())

    def _ask_program(self) -> Generator[Request, Any, list[str]]:
        """Asks for the program, records it, and returns its tools, as many as there may be steps before the answer."""
        opening = self._open("methods/chameleon", show_program, tools=scratchpad.offers(self.card.tools))
        line = yield from self._ask_line("text", opening.then("Modules:"), PROGRAM_TOKENS)
        named = [name for part in re.split(r"[,;>]", line) if (name := part.strip(" -.0123456789"))]
        modules = [name for name in named if name.casefold() != SOLVE.casefold()]
        tools = [tool_named(name, self.card.tools) for name in modules]
        unknown = [name for name, tool in zip(modules, tools, strict=True) if tool is None]
        told = f"There is no module {', '.join(unknown)}." if unknown else "" if named else "No module is named."
        self.steps.append(Step("", PROGRAM, line, told, failed=bool(told)))
        return [tool for tool in tools if tool][: self.limits.steps - 1]


def show_program(example: Example) -> str:
    """Returns the tools of a demonstration as a program."""
    tools = [step.action for step in example.steps if step.action not in (FINISH, REFLECT)]
    return f"Modules: {', '.join([*tools, SOLVE])}"


def compose_and_run(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of one question."""
    return begin_episode(unit, question, without_reflection(settings), kind=Chameleon).play()
