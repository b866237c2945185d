"""Stage 6: answers held-out questions by every method to be compared, the group among them (paper, section 3.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autoact.episode import Limits
from autoact.events import QuestionSolved
from autoact.methods.budget import limit_tokens
from autoact.methods.settings import MethodSettings
from autoact.metrics import score
from autoact.project.config import GroupPlanning
from autoact.registry.methods import METHODS
from autoact.registry.registry import load_object
from autoact.script import Commits, Round, Sampling, Script, StageScript, Unit, is_fork
from autoact.stages.context import StageContext
from autoact.trajectory import META, Question, Trajectory


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the questions asked, and the number of answers it gives."""
    methods = method_settings(context)
    asked = context.inputs.asked
    return group_planning(asked, methods), len(asked) * len(methods)


def find(name: str, context: StageContext) -> tuple[Unit, Commits] | None:
    """Returns an answer of this stage or of a session, so that it can be forked; None when there is none."""
    for done in context.state.solved:
        if done.trajectory.unit == name:
            settings = method_settings(context)[done.cast]
            return make_answer_unit(done.cast, done.trajectory.question, settings), commit_solution
    return None


def method_settings(context: StageContext) -> dict[str, MethodSettings]:
    """Returns the settings of each method to be compared.

    Loads the adapters. Raises BadInput and BadProject as `StageContext.casts` does.
    """
    settings, calibrated = context.config.group_planning, context.state.calibrated
    threshold = calibrated.threshold if calibrated else None
    certainty = settings.certainty and threshold is not None
    trained, plain = answer_limits(settings, threshold, certainty=certainty), answer_limits(settings)
    return {
        name: MethodSettings(
            context.card(cast), cast, *(trained if cast.adapter("reflect") != META else plain), tokens=settings.tokens
        )
        for name, cast in context.casts().items()
    }


def answer_limits(
    settings: GroupPlanning, threshold: float | None = None, *, certainty: bool = False
) -> tuple[Sampling, Limits]:
    """Returns the sampling and the limits of answers; `threshold` is that of the verdicts, chosen with `certainty`."""
    sampling = Sampling(settings.temperature, settings.top_p)
    best = settings.keep == "best" and threshold is not None
    return sampling, Limits(
        steps=settings.steps, reflections=settings.reflections, threshold=threshold,
        certainty=certainty, checks=settings.checks, offered=settings.offered, yes_no=settings.yes_no, keep_best=best,
    )  # fmt: skip


def group_planning(questions: Sequence[Question], methods: Mapping[str, MethodSettings]) -> StageScript:
    """Answers every question by every method, one method after the other."""
    for name, settings in methods.items():
        yield Round([make_answer_unit(name, question, settings) for question in questions], commits=commit_solution)


def make_answer_unit(method: str, question: Question, settings: MethodSettings) -> Unit:
    """Returns the unit of one question's answer."""
    unit, script = f"{method}-{question.id}", METHODS.get(method).script

    def begin() -> Script:
        return limit_tokens(load_object(script)(unit, question, settings), unit, question, settings)

    return Unit(unit, begin, question)


def commit_solution(trajectory: Trajectory, seconds: float, tokens: int) -> QuestionSolved:
    """Returns the event of an answer, scored when the gold answer is known and no person changed the episode.

    In a task that is played, `em` is 1 for the full reward, and `f1` is the reward.
    """
    question, answer = trajectory.question, trajectory.answer
    if question.played and not is_fork(trajectory.unit):
        em, partial = float(trajectory.reward == 1), trajectory.reward
        return QuestionSolved(trajectory.cast, trajectory, em, partial, True, seconds, tokens)
    if question.answer is None or is_fork(trajectory.unit):
        return QuestionSolved(trajectory.cast, trajectory, seconds=seconds, tokens=tokens)
    em, partial = score(answer, question)
    return QuestionSolved(trajectory.cast, trajectory, em, partial, True, seconds, tokens)
