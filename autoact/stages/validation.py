"""Measures the group on self-made questions that nothing was trained on, and sets the threshold of its verdicts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from autoact.events import QuestionValidated, VerdictCalibrated
from autoact.methods.episode import answer_question
from autoact.methods.settings import MethodSettings
from autoact.script import Round, Sampling, StageScript, Unit
from autoact.trajectory import INSTRUCTED, Question, Trajectory
from autoact.verdicts import choose_threshold, first_verdicts, measure_verdicts

SAMPLED = Sampling(0.7, 0.95)


def held_back(questions: Sequence[Question], share: float) -> list[Question]:
    """Returns the self-made questions that are kept for validation: this share of each type, chosen by their texts."""
    by_type: defaultdict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if question.origin == INSTRUCTED:
            by_type[question.type].append(question)
    return [one for group in by_type.values() for one in sorted(group, key=_digest)[: round(share * len(group))]]


def _digest(question: Question) -> bytes:
    return hashlib.blake2s(question.text.encode()).digest()


def validate(questions: Sequence[Question], settings: MethodSettings) -> StageScript:
    """Answers each question twice, the second time with sampling, and calibrates the verdict on all these answers.

    No question is tried again after a *wrong*.
    """
    once = replace(settings, limits=replace(settings.limits, reflections=0))
    tries = {"v": once, "w": replace(once, sampling=SAMPLED)}
    units = [
        Unit(name := f"{letter}-{question.id}", partial(answer_question, name, question, one), question)
        for letter, one in tries.items()
        for question in questions
    ]
    answered: list[Trajectory | None] = yield Round(units, commits=commit_validation, counted=False)
    judged = first_verdicts(one for one in answered if one is not None)
    threshold = choose_threshold(judged)
    if threshold is not None:
        yield VerdictCalibrated(threshold, measure_verdicts(judged, threshold))


def commit_validation(trajectory: Trajectory, seconds: float, tokens: int) -> QuestionValidated:
    """Returns the event of a validation answer."""
    return QuestionValidated(trajectory, trajectory.reward)
