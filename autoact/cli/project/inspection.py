"""Checks a project for errors and warnings without running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from autoact.cli.machine.models import model_state
from autoact.errors import BadInput
from autoact.job.inputs import open_library
from autoact.lab.inspection.contamination import find_contamination
from autoact.lab.inspection.coverage import describe_coverage, measure_coverage
from autoact.project.config import Config
from autoact.project.presets import PRESETS
from autoact.project.project import Project
from autoact.project.questions import read_questions
from autoact.registry.environments import ENVIRONMENTS, QUESTION_ANSWERING
from autoact.registry.registry import load_object
from autoact.run.record.folder import list_runs
from autoact.tools.library.library import Library
from autoact.tools.pages.corpus import Corpus
from autoact.tools.pages.sources import host_url
from autoact.tools.web.guard import unreachable_reason
from autoact.trajectory import FINISH, REFLECT, Example, Question

T = TypeVar("T")

PLACEHOLDER = "Replace this with"
"""The beginning of the example in the blank template."""
SHOWN = 5
"""Titles of pages in a warning."""


@dataclass(slots=True)
class Inspection:
    """The findings. Errors keep a run from starting; warnings do not."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, str | int] = field(default_factory=dict)

    def attempt(self, read: Callable[[], T]) -> T | None:
        """Returns the result of `read`, or None and records its error. Of each file only the first mistake is found."""
        try:
            return read()
        except BadInput as error:
            self.errors.append(str(error))
            return None


def inspect(project: Project, data: str = "") -> Inspection:
    """Reads everything in a project and goes on after every mistake. Never raises BadInput.

    `data` is a file of questions in place of the held-out ones; its paragraphs, if it has any, replace the corpus.
    """
    found = Inspection()
    config = _check_settings(project, found)
    examples = found.attempt(project.examples) or []
    reference = found.attempt(lambda: project.questions("reference")) or []
    held_out = found.attempt(lambda: project.questions("heldout")) or []
    demonstrations = sum(bool(example.steps) for example in examples)
    found.counts["examples"] = f"{len(examples)}, {demonstrations} of them with steps"
    found.counts["reference questions"] = len(reference)
    found.counts["held-out questions"] = len(held_out)
    if config is not None and config.task.answer == "choice":
        _check_options(found, [example.question for example in examples])
    found.warnings += [
        f"examples.jsonl: `{example.question.id}` is the example of the blank template; replace it with your own"
        for example in examples
        if example.question.text.startswith(PLACEHOLDER)
    ]
    asked = held_out
    if data:
        asked = found.attempt(lambda: read_questions(Project.file(data), "data")) or []
        found.counts["questions of the file"] = len(asked)
    file = data or "questions/heldout.jsonl"
    _check_leaks(found, [*(example.question for example in examples), *reference], asked, file)
    if config is None or config.task.environment == QUESTION_ANSWERING:
        _check_tools(project, found, examples, asked, data if asked else "")
    else:
        _check_environment(project, config, found)
    found.counts["runs"] = len(list_runs(project.root))
    return found


def _check_settings(project: Project, found: Inspection) -> Config | None:
    config = found.attempt(project.config)
    if config is None:
        return None
    for preset in PRESETS:
        found.attempt(partial(project.config, preset))
    found.counts["task"] = config.task.name
    file = project.root / "project.toml"
    found.warnings += [
        str(BadInput("blank; prompts and lists need a text", file=file, key=key)) for key in config.task.blank_keys()
    ]
    state, why = model_state(config.model.id)
    found.counts["model"] = f"{config.model.id} ({state})"
    if state == "unknown":
        found.errors.append(str(BadInput(why, file=file, key="model.id")))
    return config


def _check_tools(
    project: Project, found: Inspection, examples: Iterable[Example], asked: Sequence[Question], data: str
) -> None:  # fmt: skip
    opened = found.attempt(lambda: open_library(project, data))
    if opened is None:
        return
    library, corpus = opened
    ready = library.ready()
    found.counts["tools"] = ", ".join(tool.name for tool in ready) or "none"
    found.counts["pages"] = len(corpus)
    found.warnings += [f"corpus: {problem}" for problem in corpus.problems]
    if len(corpus):
        _check_coverage(found, library, corpus, asked)
    corpus.close()
    if not ready:
        found.errors.append(str(BadInput("no tool can run; expected at least one that can", file=project.tools_toml)))
    if project.tools_toml:  # without it every known tool is listed
        unfit = [record for record in library.records() if not record.runs]
        found.warnings += [f"tools.toml: {record.name} is not ready: {record.reason}" for record in unfit]
    found.warnings += _unreachable_hosts(library)
    _check_demonstrations(found, library, examples)


def _check_environment(project: Project, config: Config, found: Inspection) -> None:
    """Opens an environment that brings its own tools, which reads the project's examples."""
    opened = found.attempt(lambda: load_object(ENVIRONMENTS.get(config.task.environment).open)(config, project))
    if opened is not None:
        inputs, environments = opened
        environments.close()
        found.counts["tools"] = ", ".join(tool.name for tool in inputs.ready)


def _unreachable_hosts(library: Library) -> Iterator[str]:
    """Yields a warning for each web tool whose host has no address here, so that every call would fail."""
    for record in library.records():
        if record.runs and "network" in record.powers and (url := host_url(record)):
            reason = unreachable_reason(url, record.settings.get("allow", ()))
            if reason:
                yield f"tools.toml: calls of {record.name} would fail: {reason}"


def _check_demonstrations(found: Inspection, library: Library, examples: Iterable[Example]) -> None:
    """Warns of examples with a tool that agents cannot call, which are left out of every prompt."""
    for example in examples:
        for action in dict.fromkeys(step.action for step in example.steps if not _callable(library, step.action)):
            found.warnings.append(
                f"examples.jsonl: `{example.question.id}` uses `{action}`, which is not a ready tool; the example is "
                "left out of prompts"
            )


def _callable(library: Library, action: str) -> bool:
    """Returns whether an agent can take this action, by any name of the tool."""
    record = library.resolve(action)
    return action in (FINISH, REFLECT) or (record is not None and record.runs)


def _check_options(found: Inspection, seeds: Iterable[Question]) -> None:
    """Warns of seed examples without options: self-instruct writes options as the seeds have them."""
    for question in seeds:
        if not question.choices:
            found.warnings.append(f"examples.jsonl: `{question.id}` has no `choices`, though task.answer is choice")


def _check_leaks(
    found: Inspection, practised: Iterable[Question], asked: Sequence[Question], file: str
) -> None:  # fmt: skip
    """Warns of questions of the evaluation that are practised on, in the same words or nearly so."""
    for pair in find_contamination(practised, asked):
        repeats = "repeats" if pair.equal else "nearly repeats"
        found.warnings.append(f"{file}: `{pair.asked.id}` {repeats} the practice question `{pair.practised.id}`")


def _check_coverage(found: Inspection, library: Library, corpus: Corpus, asked: Sequence[Question]) -> None:
    """Counts the questions whose gold pages can be retrieved, and warns of pages that cannot."""
    record = library.resolve("Retrieve")
    offline = record is not None and record.runs and "network" not in record.powers
    retrieve = partial(library.session().call, "Retrieve") if offline else None
    coverage = measure_coverage(asked, corpus, retrieve)
    if not coverage.questions:
        return
    found.counts["coverage"] = f"{describe_coverage(coverage)}"
    for titles, problem in (
        (coverage.missing, "the corpus has not"),
        (coverage.unreached, "Retrieve does not open by their titles"),
    ):
        if titles:
            more = f" and {len(titles) - SHOWN} more" if len(titles) > SHOWN else ""
            found.warnings.append(
                f"corpus: the questions need {len(titles)} pages that {problem}: {'; '.join(titles[:SHOWN])}{more}"
            )
