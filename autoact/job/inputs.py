"""What a project brings to its runs: examples, passages, questions, tools. Loads no model library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import platformdirs

from autoact import trust
from autoact.config import Config
from autoact.project import Project
from autoact.questions import read_questions
from autoact.secrets import Vault
from autoact.stages import GROUP_PLANNING, SELF_INSTRUCT
from autoact.stages.self_instruct import Passage
from autoact.tools.library.demonstration import fill_demonstration
from autoact.tools.library.library import Library
from autoact.tools.library.tool import ToolContext
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Example, Question, Tool


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a project brings to its runs."""

    examples: tuple[Example, ...]
    """Seed examples; those with steps have their observations."""
    asked: tuple[Question, ...]
    """What group planning answers: held-out questions, a data set, or one question of a person."""
    ready: tuple[Tool, ...]
    unfit: Mapping[str, str]
    """Tools that cannot run, and why."""
    passages: tuple[Passage, ...] = ()
    """These and the next two are for self-instruct; other runs leave them unread."""
    reference: tuple[Question, ...] = ()
    held_out: tuple[Question, ...] = ()


def read_asked(config: Config, project: Project) -> tuple[Question, ...]:
    """The questions that group planning is to answer, at most as many as are wanted. Raises BadInput."""
    if GROUP_PLANNING not in config.run.stages:
        return ()
    limit = config.group_planning.limit
    if config.run.question:
        return (Question("asked", config.run.question),)
    if config.run.data:
        return tuple(read_questions(Project.file(config.run.data), "data", limit))
    return tuple(project.questions("heldout", limit))


def open_library(
    project: Project, data: str = "", asked: Sequence[Question] = (), *, curated: bool = True
) -> tuple[Library, Corpus]:
    """A project's tools over its corpus, or over the paragraphs of a data set that has some.

    `asked` are questions to come, whose pictures the tools may know of. Uncurated, it is every tool there is.
    """
    cache = platformdirs.user_cache_path("autoact") / "corpora"
    paragraphs = Corpus.of_data(Project.file(data), cache) if data else None
    corpus = paragraphs if paragraphs is not None and len(paragraphs) else Corpus.open(project.corpus, cache)
    context = tool_context(project, corpus)
    context = replace(context, data_pages=corpus is paragraphs, captioned=any(question.picture for question in asked))
    return Library.load(project.tools_toml if curated else None, context), corpus


def tool_context(project: Project, corpus: Corpus) -> ToolContext:
    """What a project's tools are opened with. Raises BadInput when the file of secrets must not be trusted."""
    vault = Vault.open()
    return ToolContext(
        corpus, {}, project.root, vault.reveal, vault.hide, withheld=not trust.allows("project", "run", project.root)
    )


def open_inputs(
    config: Config, project: Project, library: Library, corpus: Corpus, asked: Sequence[Question] | None = None
) -> Inputs:
    """Everything the stages read of a project; `asked` where it was read before. Raises BadInput."""
    inputs = Inputs(
        examples=tuple(fill_demonstration(example, library) for example in project.examples()),
        asked=read_asked(config, project) if asked is None else tuple(asked),
        ready=tuple(library.ready()),
        unfit={record.name: record.reason for record in library.records() if not record.runs},
    )
    if SELF_INSTRUCT not in config.run.stages:
        return inputs
    return replace(
        inputs,
        passages=tuple(Passage(page.title, page.text) for page in corpus.pages()),
        reference=tuple(project.questions("reference")),
        held_out=tuple(project.questions("heldout")),
    )
