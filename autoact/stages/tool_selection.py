"""Stage 2: chooses the tools that the task needs from the library, with the meta-agent's reasons (paper, section 3.2).

The model chooses among the names of tools that can run, so its answer needs no parsing and is always a valid name. From
a crowded library it chooses no names: for each example question it is measured after which tool's description the model
finds the question likeliest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from functools import partial

from autoact import prompts
from autoact.events import StageProgressed, ToolPassedOver, ToolSelected
from autoact.project.config import Task, ToolSelection
from autoact.registry.stages import TOOL_SELECTION
from autoact.script import Answer, Ask, Match, Prompt, Round, Sampling, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.tools.library.shortlist import choose_tools
from autoact.trajectory import Example, Tool

NO_MORE = "no more tools"
REASON = "Reason: It"
MOST_QUESTIONS = 8
"""Most example questions that are matched with tools."""
Choosing = Generator[Ask, Answer, list[tuple[str, str]]]
"""Returns the names of tools, each with a reason."""


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the tools that can run, and 0: the number of chosen tools is unknown."""
    inputs, task, settings = context.inputs, context.config.task, context.config.tool_selection
    best, others = choose_tools(task.description, inputs.examples, inputs.ready, settings.offered)
    unfit = {**inputs.unfit, **others}
    return tool_selection(task, inputs.examples, best, unfit, settings, crowded=bool(others)), 0


def tool_selection(
    task: Task, examples: Sequence[Example], ready: Sequence[Tool], unfit: dict[str, str], settings: ToolSelection,
    *, crowded: bool = False,
) -> StageScript:  # fmt: skip
    """Lets the meta-agent choose tools and give a reason for each.

    `ready` are the tools offered, in the order in which the prompt lists them; `unfit` are the others, with reasons.
    `crowded` is true when more tools can run than are offered.
    """
    for name, why in sorted(unfit.items()):
        yield ToolPassedOver(name, why)
    if not ready:
        return
    choosing = choose_matching if crowded and settings.by == "likelihood" else choose
    unit = Unit("tools", partial(choosing, task, examples, ready, settings))
    (chosen,) = yield Round([unit])
    for name, why in chosen or []:
        yield ToolSelected(name, why)
    names = [name for name, _ in chosen or []]
    for tool in ready:
        if tool.name not in names:
            yield ToolPassedOver(tool.name, "not chosen by the meta-agent")
    yield StageProgressed(TOOL_SELECTION, len(names), len(names))


def choose(task: Task, examples: Sequence[Example], ready: Sequence[Tool], settings: ToolSelection) -> Choosing:
    """Chooses the tools that worked examples use, then more until the model wants no more; at least one."""
    sampling = Sampling(settings.temperature)
    prompt = _first_prompt(task, examples, ready)
    chosen: list[tuple[str, str]] = []
    for name in used_tools(examples, ready)[: settings.most] if settings.by == "likelihood" else ():
        why, prompt = yield from _reason(prompt.then("Tool:"), _line(name), sampling)
        chosen.append((name, why))
    left = [tool.name for tool in ready if tool.name not in dict(chosen)]
    while left and len(chosen) < settings.most:
        choices = [*left, NO_MORE] if chosen else left
        prompt = prompt.then("Tool:")
        picked = yield Ask("meta", "action", prompt, choices=tuple(map(_line, choices)), sampling=sampling)
        name = picked.text.strip()
        if name == NO_MORE:
            break
        why, prompt = yield from _reason(prompt, picked.text, sampling)
        chosen.append((name, why))
        left.remove(name)
    return chosen


def choose_matching(
    task: Task, examples: Sequence[Example], ready: Sequence[Tool], settings: ToolSelection
) -> Choosing:
    """Chooses the tools that worked examples use, then those that most example questions match."""
    prompt = _first_prompt(task, examples, ready)
    choices = tuple(_line(tool.name) for tool in ready)
    beginnings = tuple(prompts.fill("tool_match", tool=tool.name, definition=tool.definition) for tool in ready)
    votes = Counter(dict.fromkeys(used_tools(examples, ready), MOST_QUESTIONS))
    for text in list(dict.fromkeys(example.question.text for example in examples))[:MOST_QUESTIONS]:
        asked = prompt.then(f"Question: {text}\n", "Tool:")
        found = yield Match("meta", "action", asked, choices=choices, beginnings=beginnings, text=f" {text}\n")
        votes[found.text.strip()] += 1
    chosen: list[tuple[str, str]] = []
    for name, _ in votes.most_common(settings.most):
        why, prompt = yield from _reason(prompt.then("Tool:"), _line(name), Sampling(settings.temperature))
        chosen.append((name, why))
    return chosen


def used_tools(examples: Sequence[Example], ready: Sequence[Tool]) -> list[str]:
    """Returns the names of the tools that worked examples use."""
    used = {step.action for example in examples for step in example.steps}
    return [tool.name for tool in ready if used & {tool.name, *tool.aliases}]


def _first_prompt(task: Task, examples: Sequence[Example], ready: Sequence[Tool]) -> Prompt:
    """Returns the prompt before the first choice."""
    return Prompt(
        prompts.fill("tool_selection"),
        prompts.fill(
            "tool_choice",
            task=task.description,
            examples="\n".join(f"Question: {example.question.text}" for example in examples[:4]),
            tools="\n".join(f"- {tool.name}: {tool.definition}" for tool in ready),
        ),
    )


def _reason(prompt: Prompt, line: str, sampling: Sampling) -> Generator[Ask, Answer, tuple[str, Prompt]]:
    """Asks for the reason for a tool; returns it, and the prompt that continues after it."""
    prompt = prompt.then(line, REASON)  # the beginning of the reason is given, so that it is about this tool
    why = yield Ask("meta", "text", prompt, limit=32, sampling=sampling)
    return f"It {why.text}", prompt.then(f" {why.text}", "\n")


def _line(name: str) -> str:
    return f" {name}\n"
