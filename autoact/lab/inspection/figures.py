"""Figures of a set of trajectories: size, complexity, diversity, faults."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from statistics import fmean

from msgspec import Struct

from autoact.lab.inspection.gates import GateCount, pass_gates
from autoact.lab.inspection.overlap import distinct_pairs, draw_sample, most_common_opening, self_bleu
from autoact.lab.inspection.steps import UNKNOWN, action_names, is_call, is_invalid, known_actions
from autoact.trajectory import FINISH, REFLECT, RIGHT, WRONG, Trajectory


class ReferenceFigures(Struct, frozen=True):
    """Measures of one set, which the released sets have too. Shares are 0 to 1; entropies are in bits."""

    n: int
    """Trajectories."""
    steps: float
    """Mean number of steps, Finish and Reflect included."""
    tools: float
    """Mean number of different tools that a trajectory calls."""
    action_entropy: float
    """Of all actions, Finish and Reflect included; those that do not exist count as one."""
    sequences: int
    """Different sequences of actions."""
    sequence_entropy: float
    top_sequence: float
    """Share of the most frequent sequence."""
    empty_thoughts: float
    """Share of steps."""
    invalid_steps: float
    """Share of steps whose action does not exist, or not at that point."""
    distinct_pairs: float
    """Distinct-2 of at most 200 different questions."""
    self_bleu: float
    """Of at most 200 different questions."""
    opening_share: float
    """Share of the questions that begin with the most frequent first three words."""
    verdicts: tuple[int, int]
    """Steps in which the reflect part says *right*, and *wrong*."""


class SetFigures(ReferenceFigures, frozen=True):
    """All measures of one set."""

    questions: int
    """Different texts of questions."""
    failed_calls: float
    """Share of calls that failed or found nothing."""
    opening: str
    """The most frequent first three words of questions."""
    types: dict[str, int]
    """Trajectories by the type of their question."""
    gates: list[GateCount]

    @property
    def clean(self) -> float:
        """The share of trajectories that pass all gates."""
        return self.gates[-1].left / self.n


def measure_set(trajectories: Sequence[Trajectory], known: Collection[str] = ()) -> SetFigures:
    """Returns the figures of at least one trajectory. `known` are the keys of actions that exist; without them, those
    that were valid at least once in the set."""
    known = known or known_actions(trajectories)
    sequences = [action_names(one, known) for one in trajectories]
    steps = [step for one in trajectories for step in one.steps]
    calls = [step for step in steps if is_call(step)]
    texts = sorted({one.question.text for one in trajectories})
    sample, counts = draw_sample(texts), Counter(sequences)
    opening, opening_share = most_common_opening(texts)
    other = {FINISH.casefold(), REFLECT.casefold(), UNKNOWN}
    verdicts = Counter(step.argument.strip().casefold() for step in steps if step.action == REFLECT)
    return SetFigures(
        n=len(trajectories),
        questions=len(texts),
        steps=len(steps) / len(trajectories),
        tools=fmean(len(set(names) - other) for names in sequences),
        action_entropy=entropy(name for names in sequences for name in names),
        sequences=len(counts),
        sequence_entropy=entropy(sequences),
        top_sequence=max(counts.values()) / len(trajectories),
        empty_thoughts=_share(not step.thought.strip() for step in steps),
        invalid_steps=_share(map(is_invalid, steps)),
        failed_calls=_share(step.failed for step in calls),
        distinct_pairs=distinct_pairs(sample),
        self_bleu=self_bleu(sample),
        opening=opening,
        opening_share=opening_share,
        types=dict(Counter(one.question.type for one in trajectories).most_common()),
        verdicts=(verdicts[RIGHT], verdicts[WRONG]),
        gates=pass_gates(trajectories),
    )


def entropy(values: Iterable[Hashable]) -> float:
    """Returns the entropy of how often each value occurs, in bits; 0 without any."""
    counts = Counter(values)
    total = counts.total()
    return sum(count / total * math.log2(total / count) for count in counts.values())


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
