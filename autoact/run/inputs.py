"""What a project brings to its runs: examples, passages, questions, tools. Loads no model library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import platformdirs

from autoact import trust
from autoact.config import Config
from autoact.project import Project, questions
from autoact.secrets import Vault
from autoact.stages.self_instruct import Passage
from autoact.tools.corpus import Corpus
from autoact.tools.demonstration import demonstrated
from autoact.tools.library import Library
from autoact.tools.pages import hotpot_pages
from autoact.tools.record import ToolContext
from autoact.trajectory import Example, Question, Tool


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a project brings to its runs."""

    examples: tuple[Example, ...]
    """Seed examples; those with steps have their observations."""
    passages: tuple[Passage, ...]
    reference: tuple[Question, ...]
    asked: tuple[Question, ...]
    """What group planning answers: held-out questions, a data set, or one question of a person."""
    held_out: tuple[Question, ...]
    ready: tuple[Tool, ...]
    unfit: Mapping[str, str]
    """Tools that cannot run, and why."""


def open_library(project: Project, data: str = "", *, curated: bool = True) -> tuple[Library, Corpus]:
    """A project's tools over its corpus, or over the paragraphs of a data set; uncurated, every tool there is."""
    if data:
        corpus = Corpus.of_pages(hotpot_pages(Project.file(data)))
    else:
        corpus = Corpus.open(project.corpus, platformdirs.user_cache_path("autoact") / "corpora")
    return Library.load(project.tools_toml if curated else None, tool_context(project, corpus)), corpus


def tool_context(project: Project, corpus: Corpus) -> ToolContext:
    """What a project's tools are opened with. Raises BadInput when the file of secrets must not be trusted."""
    vault = Vault.open()
    return ToolContext(
        corpus, {}, project.root, vault.reveal, vault.hide, withheld=not trust.allows("project", "run", project.root)
    )


def open_inputs(config: Config, project: Project, library: Library, corpus: Corpus) -> Inputs:
    """Everything the stages read of a project."""
    held_out = project.questions("heldout")
    return Inputs(
        examples=tuple(demonstrated(example, library.session()) for example in project.examples()),
        passages=tuple(Passage(page.title, page.text) for page in sorted(corpus.pages(), key=lambda page: page.title)),
        reference=tuple(project.questions("reference")),
        asked=tuple(_asked(config, held_out)),
        held_out=tuple(held_out),
        ready=tuple(library.ready()),
        unfit={record.name: record.reason for record in library.records() if not record.runs},
    )


def _asked(config: Config, held_out: list[Question]) -> list[Question]:
    if config.run.question:
        return [Question("asked", config.run.question)]
    if config.run.data:
        return questions(Project.file(config.run.data), origin="data")
    return [msgspec.structs.replace(question, origin="heldout") for question in held_out]
