"""A stage from outside the package: the meta-agent says each accepted question in other words."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from autoact.events import StageProgressed
from autoact.registry.stages import SELF_INSTRUCT, STAGES, Stage
from autoact.run.record.state import RunState
from autoact.script import Answer, Ask, Prompt, Round, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.trajectory import META, Question

NAME = "paraphrase"


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the questions that were accepted, and their number."""
    return paraphrase(context.state.questions), len(context.state.questions)


def paraphrase(questions: Sequence[Question]) -> StageScript:
    """Asks for one paraphrase of every question."""
    yield Round([Unit(f"p-{question.id}", lambda question=question: say(question)) for question in questions])
    yield StageProgressed(NAME, len(questions), len(questions))


def say(question: Question) -> Generator[Ask, Answer, str]:
    """The script of one paraphrase."""
    return (yield Ask(META, "text", Prompt("", question.text, ("In other words:",)))).text


def made(state: RunState) -> int:
    """Counts the paraphrases."""
    return state.stages[NAME].done if NAME in state.stages else 0


STAGES.add(
    Stage(
        NAME, "paraphrase", "says questions in other words", "paraphrases", "toy_stage", made=made,
    ),
    after=SELF_INSTRUCT,
)  # fmt: skip
