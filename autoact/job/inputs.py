"""The inputs and environments of question answering over a project's tool library. Imports no model library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import platformdirs

from autoact.job.digests import read_digests
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.project.questions import read_questions
from autoact.registry.stages import GROUP_PLANNING, SELF_INSTRUCT
from autoact.security import trust
from autoact.security.secrets import Vault
from autoact.stages.context import Inputs
from autoact.tools.library.demonstration import fill_demonstration
from autoact.tools.library.library import Library, ToolSession
from autoact.tools.library.tool import ToolContext
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Question


@dataclass(frozen=True, slots=True)
class QuestionAnswering:
    """The environments of episodes that call the tools of a library."""

    library: Library

    def begin(self, question: Question | None) -> ToolSession:
        """Returns a new session of the tools for one episode."""
        return self.library.session(question)

    def close(self) -> None:
        """Closes the tools."""
        self.library.close()


def open_question_answering(config: Config, project: Project) -> tuple[Inputs, QuestionAnswering]:
    """Returns the inputs of the stages, and the environments of their episodes. Raises BadInput."""
    asked = read_asked(config, project)
    shown = (example.question for example in project.examples())
    library, corpus = open_library(project, config.run.data, [*asked, *shown])
    return open_inputs(config, project, library, corpus, asked), QuestionAnswering(library)


def read_asked(config: Config, project: Project) -> tuple[Question, ...]:
    """Returns the questions that group planning is to answer, at most `limit`. Raises BadInput."""
    if GROUP_PLANNING not in config.run.stages:
        return ()
    limit = config.group_planning.limit
    if config.run.question:
        return (Question("asked", config.run.question),)
    if config.run.data:
        return tuple(read_questions(Project.file(config.run.data), "data", limit, config.run.columns))
    return tuple(project.questions("heldout", limit))


def open_library(
    project: Project, data: str = "", asked: Sequence[Question] = (), *, curated: bool = True
) -> tuple[Library, Corpus]:
    """Returns a project's tools, and the corpus that they read: its own, or the paragraphs of a data set.

    `asked` are the questions to come, which may have pictures. With `curated` false, returns every known tool.
    """
    cache = platformdirs.user_cache_path("autoact") / "corpora"
    paragraphs = Corpus.of_data(Project.file(data), cache) if data else None
    corpus = paragraphs if paragraphs is not None and len(paragraphs) else Corpus.open(project.corpus, cache)
    context = tool_context(project, corpus)
    context = replace(context, data_pages=corpus is paragraphs, captioned=any(question.picture for question in asked))
    return Library.load(project.tools_toml if curated else None, context), corpus


def tool_context(project: Project, corpus: Corpus) -> ToolContext:
    """Returns the context of a project's tools. Raises BadInput when the file of secrets cannot be trusted."""
    vault = Vault.open()
    return ToolContext(
        corpus, {}, project.root, vault.reveal, vault.hide, withheld=not trust.allows("project", "run", project.root)
    )


def open_inputs(
    config: Config, project: Project, library: Library, corpus: Corpus, asked: Sequence[Question] | None = None
) -> Inputs:
    """Returns the inputs of the stages; `asked` if it was read before. Raises BadInput."""
    inputs = Inputs(
        examples=tuple(fill_demonstration(example, library) for example in project.examples()),
        asked=read_asked(config, project) if asked is None else tuple(asked),
        ready=tuple(library.ready()),
        unfit={record.name: record.reason for record in library.records() if not record.runs},
        digests=read_digests(library, corpus),
    )
    if SELF_INSTRUCT not in config.run.stages:
        return inputs
    return replace(
        inputs,
        passages=tuple(corpus.pages()),
        reference=tuple(project.questions("reference")),
        held_out=tuple(project.questions("heldout")),
    )
