"""Self-instruct in an environment that makes its own tasks: new games from other seeds, say.

The method needs practice tasks that no person wrote and that nobody labelled. Where the environment makes tasks, and
says itself when one is solved, no model has to write them. This replaces the questions of self-instruct; the later
stages are the same. Tasks that repeat an example, a held-out task or each other are refused.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import msgspec

from autoact.events import QuestionAccepted, QuestionRefused, StageProgressed
from autoact.metrics import normalise
from autoact.project.config import SelfInstruct
from autoact.registry.stages import SELF_INSTRUCT
from autoact.script import Observation, Round, StageScript, Unit, Use
from autoact.stages.material import SeedMaterial
from autoact.trajectory import Question


def make_tasks(action: str, material: SeedMaterial, settings: SelfInstruct) -> StageScript:
    """Has the environment's `action` make tasks, numbered from 0, until the target is reached, or until `stall` rounds
    in a row gave none."""
    known = {_words(example.question): "asked before" for example in material.examples}
    known |= {_words(question): "in the held-out set" for question in material.held_out}
    accepted, number, stalled = 0, 0, 0
    while accepted < settings.target and stalled < settings.stall:
        size = min(settings.round, settings.target - accepted)
        units = [Unit(f"q-{one:04d}", partial(make_task, action, one)) for one in range(number, number + size)]
        before, number = accepted, number + size
        for unit, made in zip(units, (yield Round(units)), strict=True):
            if isinstance(made, Question) and _words(made) not in known:
                known[_words(made)] = "asked before"
                accepted += 1
                yield QuestionAccepted(made)
            elif made is not None:
                text, why = (made.text, known[_words(made)]) if isinstance(made, Question) else ("", made)
                yield QuestionRefused(unit.name, text, why)
        stalled = 0 if accepted > before else stalled + 1
        yield StageProgressed(SELF_INSTRUCT, accepted, settings.target)


def make_task(action: str, number: int) -> Generator[Use, Observation, Question | str]:
    """Makes one task; returns it, or the reason why it cannot be made."""
    seen = yield Use(action, str(number))
    return seen.text if seen.failed else msgspec.json.decode(seen.text, type=Question)


def _words(question: Question) -> str:
    """Returns the first line of a task, its objective; the held-out tasks are not opened to read more of them."""
    return normalise(question.text.partition("\n")[0])
