"""Builds the lessons of each adapter: kept trajectories, with the parts that it plays (paper, section 3.4)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import takewhile

import msgspec

from autoact import scratchpad
from autoact.metrics import normalise, reward
from autoact.registry.roles import ROLES
from autoact.script import Lesson
from autoact.trajectory import FROM_FACTS, MISTAKEN, REFLECT, REPAIRED, RIGHT, WRONG, Cast, Trajectory, Verdict

FAILED_SHARE = 0.5
"""Most failed tries that an adapter learns from, for each kept trajectory."""


def build_lessons(
    adapter: str, cast: Cast, trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], wrong_share: float,
    seed: int, failures: str = "none",
) -> tuple[Lesson, ...]:  # fmt: skip
    """Returns an adapter's lessons: kept trajectories, sorted by the names of their units, then others.

    An adapter that judges answers also gets wrong trajectories, a share `wrong_share` of all that it judges. One that
    writes other parts learns from failed tries as `failures` says, see `Differentiation`.
    """
    ordered = sorted(trajectories, key=lambda trajectory: trajectory.unit)
    kept = [one for one in ordered if (verdict := verdicts.get(one.unit)) and verdict.kept]
    played = ((one, parts_of(adapter, cast, one)) for one in kept)
    made = tuple(Lesson(with_right_verdict(one), parts, _first_step(one)) for one, parts in played if parts)
    if failures != "none":
        units = {one.unit for one in kept}
        tries = wrong_tries([one for one in ordered if one.unit not in units], seed)
        if failures == "prefix":
            made += failed_lessons(adapter, cast, tries, len(kept))
        else:
            made = tuple(add_failed_try(lesson, adapter, cast, tries) for lesson in made)
    if cast.adapter("reflect") != adapter:
        return made
    thoughts = [one.steps[-1].thought for one in kept if one.steps[-1].action == REFLECT]
    return made + wrong_lessons(ordered, len(kept), wrong_share, seed, thoughts)


def draw_kept(verdicts: Mapping[str, Verdict], most: int, seed: int) -> Mapping[str, Verdict]:
    """Returns the verdicts with at most `most` kept trajectories (0: all of them); more include those of fewer."""
    kept = sorted(unit for unit, verdict in verdicts.items() if verdict.kept)
    if not most or len(kept) <= most:
        return verdicts
    left_out = set(random.Random(seed).sample(kept, len(kept))[most:])
    return {unit: verdict for unit, verdict in verdicts.items() if unit not in left_out}


def split_for_validation(
    trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], share: float, seed: int
) -> tuple[list[Trajectory], list[Trajectory]]:
    """Returns the trajectories to learn from, and those to validate on: all those of a share of the questions.

    These questions are drawn with the seed among those that have a kept trajectory.
    """
    kept = sorted({one.question.text for one in trajectories if (found := verdicts.get(one.unit)) and found.kept})
    drawn = set(random.Random(seed).sample(kept, round(share * len(kept))))
    learned = [one for one in trajectories if one.question.text not in drawn]
    return learned, [one for one in trajectories if one.question.text in drawn]


def parts_of(adapter: str, cast: Cast, trajectory: Trajectory) -> tuple[str, ...]:
    """Returns the parts of a trajectory that an adapter plays; `argument:TOOL` for the arguments of some tools only."""
    played = [role.parts for role in (ROLES.get("plan"), ROLES.get("reflect")) if cast.adapter(role.name) == adapter]
    called = dict.fromkeys(step.action for step in trajectory.steps if step.action != REFLECT)
    own = [tool for tool in called if cast.adapter("tool", tool) == adapter]
    arguments = ("argument",) if len(own) == len(called) else tuple(f"argument:{tool}" for tool in own)
    return (*(part for parts in played for part in parts), *arguments)


def _first_step(trajectory: Trajectory) -> int:
    """Returns the index of the first step to learn: the one after the verdict *wrong*, or after a page not found."""
    if trajectory.made == FROM_FACTS:
        return int(trajectory.steps[0].failed)
    if trajectory.made != REPAIRED:
        return 0
    return 1 + max(at for at, step in enumerate(trajectory.steps) if step.argument == WRONG and step.action == REFLECT)


def with_right_verdict(trajectory: Trajectory) -> Trajectory:
    """Returns a kept trajectory with its last verdict set to *right*, since its answer is known to be right."""
    *before, last = trajectory.steps
    if last.action != REFLECT or last.argument == RIGHT:
        return trajectory
    steps = (*before, msgspec.structs.replace(last, argument=RIGHT, observation=""))
    return msgspec.structs.replace(trajectory, steps=steps)


def failed_lessons(adapter: str, cast: Cast, tries: Sequence[Trajectory], kept: int) -> tuple[Lesson, ...]:
    """Returns the first of some failed tries, at most FAILED_SHARE for each kept trajectory, to be learned as failed.

    Their prompt says that they fail (negative-aware training, arXiv 2402.11651). No reflection or verdict has loss.
    """
    chosen = tries[: math.ceil(FAILED_SHARE * kept)]
    played = ((one, parts_before_reflection(adapter, cast, one)) for one in chosen)
    return tuple(Lesson(one, parts, failed=True) for one, parts in played if parts)


def add_failed_try(lesson: Lesson, adapter: str, cast: Cast, tries: Sequence[Trajectory]) -> Lesson:
    """Returns a lesson with the failed try of its question that shares the most first steps with it, if there is one.

    A repaired trajectory gets none, because it begins with a failed try and learns only the rest. A try that the
    trajectory itself begins with, up to the wrong answer, is not used.
    """
    kept = lesson.trajectory
    same = [] if lesson.first else [one for one in tries if one.question == kept.question]
    differing = [one for one in same if count_common_steps(one, kept) < len(one.steps) - 1]
    if not differing:
        return lesson
    nearest = max(differing, key=lambda one: count_common_steps(one, kept))  # of equal ones the first, a plausible one
    parts = parts_before_reflection(adapter, cast, nearest)
    return msgspec.structs.replace(lesson, against=Lesson(nearest, parts)) if parts else lesson


def count_common_steps(one: Trajectory, other: Trajectory) -> int:
    """Returns the number of steps that two trajectories begin with in common."""
    pairs = zip(one.steps, other.steps, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def parts_before_reflection(adapter: str, cast: Cast, trajectory: Trajectory) -> tuple[str, ...]:
    """Returns the parts of a trajectory that an adapter plays, without reflections and verdicts."""
    judging = ROLES.get("reflect").parts
    return tuple(part for part in parts_of(adapter, cast, trajectory) if part not in judging)


def wrong_tries(trajectories: Sequence[Trajectory], seed: int) -> list[Trajectory]:
    """Returns wrong trajectories, cut after their first reflection, which now says *wrong*.

    Those with a usual mistake come first, then other plausible ones.
    """
    wrong = [short for one in trajectories if one.reward == 0 and (short := cut_after_wrong(one))]
    mixed = random.Random(seed).sample(wrong, len(wrong))
    return sorted(mixed, key=lambda one: (one.made == MISTAKEN, _is_plausible(one)), reverse=True)


def wrong_lessons(
    trajectories: Sequence[Trajectory], kept: int, share: float, seed: int, thoughts: Sequence[str] = ()
) -> tuple[Lesson, ...]:
    """Returns wrong tries, a share of all lessons.

    Only the verdict carries loss: the reflection before it may defend the answer. It is replaced by one of `thoughts`,
    those of kept trajectories, so that it does not give the verdict away. Without these lessons there are 20 verdicts
    *right* for each *wrong*, as in the published sets.
    """
    wanted, source = round(kept * share / max(1e-9, 1 - share)), random.Random(seed)
    chosen = wrong_tries(trajectories, seed)[:wanted]
    return tuple(
        Lesson(_with_last_thought(one, source.choice(thoughts)) if thoughts else one, ("verdict",)) for one in chosen
    )


def _with_last_thought(trajectory: Trajectory, thought: str) -> Trajectory:
    *before, last = trajectory.steps
    return msgspec.structs.replace(trajectory, steps=(*before, msgspec.structs.replace(last, thought=thought)))


def _is_plausible(trajectory: Trajectory) -> bool:
    """Returns whether the answer before the last reflection stands in an observation, as a right one mostly does."""
    *before, last, _ = trajectory.steps
    return any(f" {normalise(last.argument)} " in f" {normalise(step.observation)} " for step in before)


def cut_after_wrong(trajectory: Trajectory) -> Trajectory | None:
    """Returns a trajectory up to its first reflection, now *wrong*; None when its first answer was not wrong."""
    for index, step in enumerate(trajectory.steps):
        if step.action == REFLECT:
            if reward(trajectory.steps[index - 1].argument, trajectory.question) > 0:
                return None  # its wrong answer came later
            judged = msgspec.structs.replace(step, argument=WRONG, observation=scratchpad.TRY_AGAIN)
            return msgspec.structs.replace(trajectory, steps=(*trajectory.steps[:index], judged))
    return None
