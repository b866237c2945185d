"""The lineage of an answer as the log has it: practice questions about the same pages, and their trajectories."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from msgspec import Struct

from autoact.errors import BadInput
from autoact.events import QuestionSolved
from autoact.metrics import normalise
from autoact.run.record.state import RunState
from autoact.trajectory import FINISH, REFLECT, Question, Trajectory


class PracticeTry(Struct, frozen=True):
    """One trajectory of a practice question."""

    unit: str
    kept: bool
    """Whether it was kept; settings of differentiation may still have left it out of training."""
    judgement: str
    """kept, not judged, or the reason for which it was refused."""


class RelatedQuestion(Struct, frozen=True):
    """A practice question that an answer may come from, with its trajectories."""

    question: Question
    tries: tuple[PracticeTry, ...]

    @property
    def rows(self) -> list[str]:
        """The units of its training rows."""
        return [one.unit for one in self.tries if one.kept]


def wrong_answers(state: RunState) -> list[QuestionSolved]:
    """Returns the scored answers that are not an exact match."""
    return [solved for solved in state.solved if solved.scored and solved.em < 1]


def find_related(state: RunState, trajectory: Trajectory) -> list[RelatedQuestion]:
    """Returns the practice questions about the gold pages of an answered question.

    Where those pages are not known, it returns the ones of which a trajectory makes one of the answer's calls.
    """
    tries: dict[str, list[Trajectory]] = {}
    for one in state.trajectories.values():
        tries.setdefault(one.question.id, []).append(one)
    gold, calls = set(trajectory.question.gold), _calls(trajectory)
    found, tried = [], (one.question for one in state.trajectories.values())  # also seed and reference questions
    for question in {one.id: one for one in (*state.questions, *tried)}.values():
        made = tries.get(question.id, [])
        if gold & set(question.gold) if gold else any(calls & _calls(one) for one in made):
            found.append(RelatedQuestion(question, tuple(_judge(state, one.unit) for one in made)))
    return found


def training_rows(related: Sequence[RelatedQuestion]) -> list[str]:
    """Returns the units of the kept trajectories of some practice questions."""
    return [unit for one in related for unit in one.rows]


def resolve_rows(state: RunState, names: Sequence[str]) -> tuple[str, ...]:
    """Returns the units of trajectories that are named, by themselves or by their practice question.

    Raises BadInput for a name that the run does not have.
    """
    units: dict[str, None] = {}
    for name in names:
        named = [name] if name in state.trajectories else [
            unit for unit, one in state.trajectories.items() if one.question.id == name
        ]  # fmt: skip
        if not named:
            known = (*state.trajectories, *(question.id for question in state.questions))
            near = difflib.get_close_matches(name, known, 1)
            advice = f"did you mean `{near[0]}`?" if near else "`autoact lineage` lists them"
            raise BadInput(f"the base run has no trajectory or practice question `{name}`; {advice}", key="--without")
        units |= dict.fromkeys(named)
    return tuple(units)


def _calls(trajectory: Trajectory) -> set[tuple[str, str]]:
    steps = (step for step in trajectory.steps if step.action not in (FINISH, REFLECT) and not step.failed)
    return {(step.action, normalise(step.argument)) for step in steps}


def _judge(state: RunState, unit: str) -> PracticeTry:
    verdict = state.verdicts.get(unit)
    if verdict is None:
        return PracticeTry(unit, False, "not judged")
    return PracticeTry(unit, verdict.kept, verdict.refusal or "kept")
