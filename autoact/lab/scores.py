"""The scores of answers: by cast, level and type of question, with intervals and gains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import msgspec
from msgspec import Struct

from autoact.events import QuestionSolved
from autoact.metrics import interval
from autoact.script import is_fork
from autoact.trajectory import REFLECT, Question, VerdictQuality
from autoact.verdicts import first_verdicts, measure_verdicts

ALONE = "meta"
"""The cast with which others are compared."""


class Score(Struct, frozen=True):
    """The scores of a cast's answers. Intervals are 95 % bootstrap intervals over questions."""

    cast: str
    name: str
    """The level or type of the questions; empty for all questions."""
    n: int
    """Scored questions, over which the means are taken."""
    em: float
    em_interval: tuple[float, float]
    f1: float
    f1_interval: tuple[float, float]
    tokens: float
    """Mean per question: prompt tokens encoded plus tokens generated."""
    seconds: float
    """Mean per question: time waited for the model, which answers several questions at once."""
    stopped: int = 0
    """Answers that the limit of generated tokens ended; an attempt that it ended counts only if it is the one kept."""
    by_level: tuple[Score, ...] = ()
    by_type: tuple[Score, ...] = ()
    verdicts: VerdictQuality | None = None
    """Of the first verdict of each answer."""
    steps: float = 0.0
    """Mean per question: actions, Finish included."""
    played: bool = False
    """True for tasks that are played, such as games: `em` is the share of those that were won, `f1` the mean score."""
    gain: tuple[float, float, float] | None = None
    """F1 minus that of the meta-agent alone on the same questions, and the ends of its interval; None without one."""


class Predictions(Struct, frozen=True):
    """A cast's answers in the format of HotpotQA's scorer."""

    answer: dict[str, str]
    """By the question's id in its file; empty when the episode ended without an answer."""
    sp: dict[str, list[Any]] = {}
    """Supporting facts, which agents do not predict; the scorer reports that they are missing."""


def score_casts(solved: Sequence[QuestionSolved]) -> list[Score]:
    """Returns scores by cast, also by level and by type, with the gain over the meta-agent alone."""
    casts: defaultdict[str, list[QuestionSolved]] = defaultdict(list)
    for one in solved:
        if one.scored:
            casts[one.cast].append(one)
    return [
        msgspec.structs.replace(
            score_answers(answers),
            by_level=score_groups(answers, lambda question: question.level),
            by_type=score_groups(answers, lambda question: question.type),
            verdicts=measure_verdicts(first_verdicts(one.trajectory for one in answers)),
            gain=None if cast == ALONE else measure_gain(casts.get(ALONE, []), answers),
        )
        for cast, answers in list(casts.items())
    ]


def collect_predictions(solved: Sequence[QuestionSolved]) -> dict[str, Predictions]:
    """Returns every cast's answers by question, without those of forks."""
    answers: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for one in solved:
        if not is_fork(one.trajectory.unit):
            answers[one.cast][one.trajectory.question.id] = one.trajectory.answer or ""
    return {cast: Predictions(answer) for cast, answer in answers.items()}


def score_answers(solved: Sequence[QuestionSolved], name: str = "") -> Score:
    """Returns means and intervals over at least one scored question of one cast."""
    em, f1 = [one.em for one in solved], [one.f1 for one in solved]
    return Score(
        cast=solved[0].cast,
        name=name,
        n=len(solved),
        em=fmean(em),
        em_interval=interval(em),
        f1=fmean(f1),
        f1_interval=interval(f1),
        tokens=fmean(one.tokens for one in solved),
        seconds=fmean(one.seconds for one in solved),
        stopped=sum(one.trajectory.halt == "tokens" for one in solved),
        steps=fmean(sum(step.action != REFLECT for step in one.trajectory.steps) for one in solved),
        played=solved[0].trajectory.question.played,
    )


def score_groups(solved: Sequence[QuestionSolved], key: Callable[[Question], str]) -> tuple[Score, ...]:
    """Returns scores by a property of the question; none when no question has it."""
    groups: defaultdict[str, list[QuestionSolved]] = defaultdict(list)
    for one in solved:
        groups[key(one.trajectory.question)].append(one)
    return () if set(groups) <= {""} else tuple(score_answers(groups[name], name) for name in sorted(groups))


def measure_gain(alone: Sequence[QuestionSolved], other: Sequence[QuestionSolved]) -> tuple[float, float, float] | None:
    """Returns the mean F1 of `other` minus that of `alone` over questions that both answered, and its 95 % interval."""
    before = {one.trajectory.question.id: one.f1 for one in alone}
    pairs = [(one.f1, before.get(one.trajectory.question.id)) for one in other]
    differences = [after - earlier for after, earlier in pairs if earlier is not None]
    return (fmean(differences), *interval(differences)) if differences else None
