"""BOLAA (arXiv 2308.05960): a controller chooses, for every step, one of several agents; each has tools of its own.

The original's controller also writes a message to the agent that it chooses, and its agents have demonstrations of
their own. Here an agent sees the question and all steps so far, its own tools, and those seed examples that use no
other tool; every agent may finish. With one agent alone nothing is chosen, and the method is ReAct.
"""

from __future__ import annotations

from collections.abc import Generator

from msgspec.structs import replace

from autoact import prompts, scratchpad
from autoact.episode import Script
from autoact.methods.answering import Answering
from autoact.methods.episode import begin_episode, without_reflection
from autoact.methods.settings import MethodSettings
from autoact.script import Answer, Ask, Card, Prompt
from autoact.trajectory import FINISH, REFLECT, Question, Step, Tool

TOGETHER = ("Retrieve", "Lookup")
"""Tools of one agent: Lookup reads on in the page that Retrieve opened. Every other tool has an agent of its own."""
CHOOSE = "Choose agent"


class Controlled(Answering):
    """An episode in which a controller chooses an agent before each step."""

    def _ask_action(self) -> Generator[Ask, Answer, tuple[str, str, str]]:
        team = self.card
        agents = divide(team.tools)
        if len(agents) > 1 and len(self._actions()) + 1 < self.limits.steps:
            chosen = (yield self._ask("action", self._ask_controller(agents), choices=choices(agents))).text.strip()
            known = chosen in agents  # a person may have edited it
            told = "" if known else f"There is no agent {chosen}; there is {', '.join(agents)}."
            self.steps.append(Step("", CHOOSE, chosen, told, failed=not known))
            self.card = card_of(team, agents.get(chosen, team.tools))
            self.prompt = self._opening().then(*scratchpad.segments(scratchpad.pieces(self._actions())))
        try:
            return (yield from super()._ask_action())
        finally:
            self.card = team

    def _ask_controller(self, agents: dict[str, tuple[Tool, ...]]) -> Prompt:
        offers = (f"- {name}: {' '.join(tool.definition for tool in tools)}" for name, tools in agents.items())
        system = prompts.fill("methods/bolaa", task=self.card.task, agents="\n".join(offers))
        done = scratchpad.join_pieces(scratchpad.pieces(self._actions())).rstrip()
        return Prompt(system, "\n".join(filter(None, (self._render_question(), done))), ("Agent:",))

    def _actions(self) -> list[Step]:
        return [step for step in super()._actions() if step.action != CHOOSE]


def divide(tools: tuple[Tool, ...]) -> dict[str, tuple[Tool, ...]]:
    """Returns the agents by name, each with its tools."""
    agents: dict[str, tuple[Tool, ...]] = {}
    for tool in tools:
        name = TOGETHER[0] if tool.name in TOGETHER else tool.name
        agents[name] = (*agents.get(name, ()), tool)
    return agents


def choices(agents: dict[str, tuple[Tool, ...]]) -> tuple[str, ...]:
    """Returns the choices after `Agent:`."""
    return tuple(f" {name}\n" for name in agents)


def card_of(team: Card, tools: tuple[Tool, ...]) -> Card:
    """Returns the card of an agent with these tools."""
    known = {FINISH, REFLECT, *(tool.name for tool in tools)}
    shown = (one for one in team.demonstrations if all(step.action in known for step in one.steps))
    return replace(team, tools=tools, demonstrations=tuple(shown))


def lead_agents(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of one question."""
    return begin_episode(unit, question, without_reflection(settings), kind=Controlled).play()
