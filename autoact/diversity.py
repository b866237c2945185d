"""Compares two sets of trajectories, to notice a set that became uniform through learning from itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from msgspec import Struct

from autoact.metrics import normalise
from autoact.trajectory import REFLECT, Trajectory

FEWEST = 8
"""Trajectories that a set needs to be compared."""
LEAST = 0.75
"""The part of an earlier set's diversity, types or length that a later set must have."""


class SetProfile(Struct, frozen=True):
    """Measures of a set of trajectories that fall when a model repeats itself."""

    action_entropy: float
    """Number of tool sequences that, used equally often, would have the same entropy; see Shannon (1948)."""
    thought_pairs: float
    """Distinct pairs of successive words in thoughts, as a share of all pairs (distinct-2)."""
    steps: float
    """Mean number of steps without reflections."""
    types: dict[str, float]
    """Share of each type of question."""


def describe_set(trajectories: Sequence[Trajectory]) -> SetProfile:
    """Returns the profile of at least one trajectory."""
    plays = [[step for step in one.steps if step.action != REFLECT] for one in trajectories]
    sequences = Counter(tuple(step.action for step in steps) for steps in plays)
    pairs = [pair for steps in plays for step in steps for pair in pairwise(normalise(step.thought).split())]
    types = Counter(one.question.type for one in trajectories)
    return SetProfile(
        _effective_number(sequences),
        len(set(pairs)) / max(1, len(pairs)),
        fmean(map(len, plays)),
        {name: count / len(trajectories) for name, count in types.items()},
    )


def _effective_number(counts: Counter[tuple[str, ...]]) -> float:
    """Returns the exponential of the entropy, in nats, of these counts."""
    total = counts.total()
    return math.exp(-sum(count / total * math.log(count / total) for count in counts.values()))


def find_collapse(before: Sequence[Trajectory], after: Sequence[Trajectory]) -> str:
    """Returns in which measure a later set has less than LEAST of an earlier one; empty when in none.

    Distinct pairs of words are counted over equally many trajectories, because they are rarer in larger sets.
    """
    if min(len(before), len(after)) < FEWEST:
        return ""
    size = min(len(before), len(after))
    old, new = describe_set(before), describe_set(after)
    few_old, few_new = describe_set(before[:size]), describe_set(after[:size])
    falls = {
        "the tool sequences": (old.action_entropy, new.action_entropy),
        "the words of the thoughts": (few_old.thought_pairs, few_new.thought_pairs),
        "the length": (old.steps, new.steps),
        **{f"questions of type {name}": (share, new.types.get(name, 0.0)) for name, share in old.types.items()},
    }
    return next((what for what, (was, now) in falls.items() if now < LEAST * was), "")
