"""Stage 2: the tool library in, the tools this task needs out, with the meta-agent's reasons (paper, section 3.2).

Tools are chosen by name among those that can run, so nothing is parsed and nothing impossible is picked.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial

from autoact import prompts
from autoact.config import Task, ToolSelection
from autoact.events import StageProgressed, ToolPassedOver, ToolSelected
from autoact.script import Answer, Ask, Prompt, Round, Sampling, Stage, Unit
from autoact.stages import TOOL_SELECTION
from autoact.trajectory import Example, Tool

NO_MORE = "no more tools"
REASON = "Reason: It"


def tool_selection(
    task: Task, examples: Sequence[Example], ready: Sequence[Tool], unfit: dict[str, str], settings: ToolSelection
) -> Stage:
    """Ask for one tool after another until the meta-agent wants no more.

    `ready` is what it chooses among, in the order in which it reads it; `unfit` are tools it is not offered, and why.
    """
    for name, why in sorted(unfit.items()):
        yield ToolPassedOver(name, why)
    if not ready:
        return
    unit = Unit("tools", partial(choose, task, examples, ready, settings))
    (chosen,) = yield Round([unit])
    for name, why in chosen or []:
        yield ToolSelected(name, why)
    names = [name for name, _ in chosen or []]
    for tool in ready:
        if tool.name not in names:
            yield ToolPassedOver(tool.name, "not chosen by the meta-agent")
    yield StageProgressed(TOOL_SELECTION, len(names), len(names))


def choose(
    task: Task, examples: Sequence[Example], ready: Sequence[Tool], settings: ToolSelection
) -> Generator[Ask, Answer, list[tuple[str, str]]]:
    """Names and reasons, most wanted first. At least one tool is chosen."""
    sampling = Sampling(settings.temperature)
    pad = Prompt(
        prompts.fill("tool_selection"),
        prompts.fill(
            "tool_choice",
            task=task.description,
            examples="\n".join(f"Question: {example.question.text}" for example in examples[:4]),
            tools="\n".join(f"- {tool.name}: {tool.definition}" for tool in ready),
        ),
    )
    chosen: list[tuple[str, str]] = []
    left = [tool.name for tool in ready]
    while left and len(chosen) < settings.most:
        choices = [*left, NO_MORE] if chosen else left
        pad = pad.then("Tool:")
        picked = yield Ask("meta", "action", pad, choices=tuple(f" {name}\n" for name in choices), sampling=sampling)
        name = picked.text.strip()
        if name == NO_MORE:
            break
        pad = pad.then(picked.text, REASON)  # begun for it, so that the reason is about the tool it named
        why = yield Ask("meta", "text", pad, limit=32, sampling=sampling)
        pad = pad.then(f" {why.text}", "\n")
        chosen.append((name, f"It {why.text}"))
        left.remove(name)
    return chosen
