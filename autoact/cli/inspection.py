"""Everything that can be known to be wrong with a project without running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from autoact.cli.models import standing
from autoact.config import PRESETS, Config
from autoact.errors import BadInput
from autoact.job.inputs import open_library
from autoact.project import Project
from autoact.run.record.folder import runs_of
from autoact.tools.library.library import Library
from autoact.tools.pages.sources import host_url
from autoact.tools.web.guard import unreachable_reason
from autoact.trajectory import FINISH, REFLECT, Example, Question

T = TypeVar("T")

PLACEHOLDER = "Replace this with"
"""How the example of the blank template begins."""


@dataclass(slots=True)
class Inspection:
    """What was found. Errors keep a run from starting; warnings do not."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, str | int] = field(default_factory=dict)

    def attempt(self, read: Callable[[], T]) -> T | None:
        """What `read` gives; None with its complaint noted. A file tells its first mistake only."""
        try:
            return read()
        except BadInput as error:
            self.errors.append(str(error))
            return None


def inspect(project: Project) -> Inspection:
    """Read everything of a project, one source after the other, past every mistake. Never raises BadInput."""
    found = Inspection()
    config = _settings(project, found)
    examples = found.attempt(project.examples) or []
    reference = found.attempt(lambda: project.questions("reference")) or []
    held_out = found.attempt(lambda: project.questions("heldout")) or []
    demonstrations = sum(bool(example.steps) for example in examples)
    found.counts["examples"] = f"{len(examples)}, {demonstrations} of them with steps"
    found.counts["reference questions"] = len(reference)
    found.counts["held-out questions"] = len(held_out)
    if config is not None and config.task.answer == "choice":
        _optionless(found, [example.question for example in examples])
    found.warnings += [
        f"examples.jsonl: `{example.question.id}` is the blank template's; put one of your own in its place"
        for example in examples
        if example.question.text.startswith(PLACEHOLDER)
    ]
    _leaks(found, [*(example.question for example in examples), *reference], held_out)
    _tools(project, found, examples)
    found.counts["runs"] = len(runs_of(project.root))
    return found


def _settings(project: Project, found: Inspection) -> Config | None:
    config = found.attempt(project.config)
    if config is None:
        return None
    for preset in PRESETS:
        found.attempt(partial(project.config, preset))
    found.counts["task"] = config.task.name
    state, why = standing(config.model.id)
    found.counts["model"] = f"{config.model.id} ({state})"
    if state == "unknown":
        found.errors.append(str(BadInput(why, file=project.root / "project.toml", key="model.id")))
    return config


def _tools(project: Project, found: Inspection, examples: Iterable[Example]) -> None:
    world = found.attempt(lambda: open_library(project))
    if world is None:
        return
    library, corpus = world
    ready = library.ready()
    found.counts["tools"] = ", ".join(tool.name for tool in ready) or "none"
    found.counts["pages"] = len(corpus)
    found.warnings += [f"corpus: {problem}" for problem in corpus.problems]
    corpus.close()
    if not ready:
        found.errors.append(str(BadInput("no tool that can run; expected one at least", file=project.tools_toml)))
    if project.tools_toml:  # without it every known tool is there, those still planned too
        unfit = [record for record in library.records() if not record.runs]
        found.warnings += [f"tools.toml: {record.name} is not ready: {record.reason}" for record in unfit]
    found.warnings += _unreachable(library)
    _demonstrations(found, library, examples)


def _unreachable(library: Library) -> Iterator[str]:
    """A line for each tool of the web whose host has no address here: every call of it would fail."""
    for record in library.records():
        if record.runs and "network" in record.powers and (url := host_url(record)):
            reason = unreachable_reason(url, record.settings.get("allow", ()))
            if reason:
                yield f"tools.toml: calls of {record.name} would fail: {reason}"


def _demonstrations(found: Inspection, library: Library, examples: Iterable[Example]) -> None:
    """A demonstration with a tool that agents cannot call is left out of every prompt."""
    for example in examples:
        for action in dict.fromkeys(step.action for step in example.steps if not _callable(library, step.action)):
            found.warnings.append(
                f"examples.jsonl: `{example.question.id}` uses `{action}`, which is no ready tool: it will not be shown"
            )


def _callable(library: Library, action: str) -> bool:
    """Whether an agent may do this, by any name of the tool."""
    record = library.resolve(action)
    return action in (FINISH, REFLECT) or (record is not None and record.runs)


def _optionless(found: Inspection, seeds: Iterable[Question]) -> None:
    """Self-instruct writes options as it sees them in the seeds."""
    for question in seeds:
        if not question.choices:
            found.warnings.append(f"examples.jsonl: `{question.id}` has no `choices`, but the task's answer is one")


def _leaks(found: Inspection, practised: Iterable[Question], held_out: Iterable[Question]) -> None:
    texts = {question.text.casefold(): question.id for question in practised}
    for question in held_out:
        twin = texts.get(question.text.casefold())
        if twin:
            found.warnings.append(f"questions/heldout.jsonl: `{question.id}` is also practised as `{twin}`")
