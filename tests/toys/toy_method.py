"""A method from outside the package: the base model answers at once, without a tool."""

from __future__ import annotations

from collections.abc import Generator

from autoact.methods.settings import MethodSettings
from autoact.metrics import reward
from autoact.registry.methods import METHODS, Method
from autoact.script import Answer, Ask, Prompt
from autoact.trajectory import FINISH, META, Cast, Question, Step, Trajectory


def answer(unit: str, question: Question, settings: MethodSettings) -> Generator[Ask, Answer, Trajectory]:
    """Returns the script of one question."""
    prompt = Prompt(settings.card.task, question.text, ("Answer:",))
    said = (yield Ask(META, "argument", prompt, limit=16)).text.strip()
    return Trajectory(
        unit, question, (Step("", FINISH, said),), said, reward=reward(said, question), cast=settings.cast.name
    )


METHODS.add(Method("at-once", "the base model without tools", "toy_method:answer", Cast("at-once")))
