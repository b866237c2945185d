"""Stage 2: the tool library in, the tools this task needs out, with the meta-agent's reasons (paper, section 3.2).

Tools are chosen by name among those that can run, so nothing is parsed and nothing impossible is picked. From a
crowded library the model does not name them: it tells for each question which tool's description leads up to it.
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
"""Of the examples that are matched with tools."""
Choosing = Generator[Ask, Answer, list[tuple[str, str]]]


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the tools that could run; how many are chosen is unknown."""
    inputs, task, settings = context.inputs, context.config.task, context.config.tool_selection
    best, others = choose_tools(task.description, inputs.examples, inputs.ready, settings.offered)
    unfit = {**inputs.unfit, **others}
    return tool_selection(task, inputs.examples, best, unfit, settings, crowded=bool(others)), 0


def tool_selection(
    task: Task, examples: Sequence[Example], ready: Sequence[Tool], unfit: dict[str, str], settings: ToolSelection,
    *, crowded: bool = False,
) -> StageScript:  # fmt: skip
    """Have the meta-agent choose, and give a reason for each tool.

    `ready` is what it chooses among, in the order in which it reads it; `unfit` are tools it is not offered, and why.
    `crowded` tells that more tools could run than are offered.
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
    """Names and reasons, most wanted first: one tool after another until it wants no more. At least one is chosen."""
    sampling = Sampling(settings.temperature)
    pad = _pad(task, examples, ready)
    chosen: list[tuple[str, str]] = []
    left = [tool.name for tool in ready]
    while left and len(chosen) < settings.most:
        choices = [*left, NO_MORE] if chosen else left
        pad = pad.then("Tool:")
        picked = yield Ask("meta", "action", pad, choices=tuple(map(_line, choices)), sampling=sampling)
        name = picked.text.strip()
        if name == NO_MORE:
            break
        why, pad = yield from _reason(pad, picked.text, sampling)
        chosen.append((name, why))
        left.remove(name)
    return chosen


def choose_matching(
    task: Task, examples: Sequence[Example], ready: Sequence[Tool], settings: ToolSelection
) -> Choosing:
    """Names and reasons: the tools that worked examples use, then those that questions go with, the most first."""
    pad = _pad(task, examples, ready)
    choices = tuple(_line(tool.name) for tool in ready)
    beginnings = tuple(prompts.fill("tool_match", tool=tool.name, definition=tool.definition) for tool in ready)
    used = {step.action for example in examples for step in example.steps}
    wanted = Counter({tool.name: MOST_QUESTIONS for tool in ready if used & {tool.name, *tool.aliases}})
    for text in list(dict.fromkeys(example.question.text for example in examples))[:MOST_QUESTIONS]:
        asked = pad.then(f"Question: {text}\n", "Tool:")
        found = yield Match("meta", "action", asked, choices=choices, beginnings=beginnings, text=f" {text}\n")
        wanted[found.text.strip()] += 1
    chosen: list[tuple[str, str]] = []
    for name, _ in wanted.most_common(settings.most):
        why, pad = yield from _reason(pad.then("Tool:"), _line(name), Sampling(settings.temperature))
        chosen.append((name, why))
    return chosen


def _pad(task: Task, examples: Sequence[Example], ready: Sequence[Tool]) -> Prompt:
    """What the meta-agent reads before it chooses."""
    return Prompt(
        prompts.fill("tool_selection"),
        prompts.fill(
            "tool_choice",
            task=task.description,
            examples="\n".join(f"Question: {example.question.text}" for example in examples[:4]),
            tools="\n".join(f"- {tool.name}: {tool.definition}" for tool in ready),
        ),
    )


def _reason(pad: Prompt, named: str, sampling: Sampling) -> Generator[Ask, Answer, tuple[str, Prompt]]:
    """What it says of a tool, and the prompt that goes on after it."""
    pad = pad.then(named, REASON)  # begun for it, so that the reason is about the tool it named
    why = yield Ask("meta", "text", pad, limit=32, sampling=sampling)
    return f"It {why.text}", pad.then(f" {why.text}", "\n")


def _line(name: str) -> str:
    return f" {name}\n"
