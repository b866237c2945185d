"""The precision of self-made questions: the share that a person marks as right in a sample of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from autoact.metrics import wilson_interval
from autoact.run.record.marks import Key
from autoact.trajectory import INSTRUCTED, Question

SAMPLE = 20
"""Questions of a run that a person marks."""


class Precision(Struct, frozen=True):
    """The marks on the sample, and the share of right questions among all self-made ones."""

    sample: int
    """Questions in the sample: SAMPLE, or all of a run that has fewer."""
    marked: int
    right: int
    share: float | None
    """None until a question of the sample is marked."""
    interval: tuple[float, float]
    """The 95 % interval of the share; 0 to 1 until a question is marked."""


def question_key(question: Question) -> Key:
    """Returns the key of a question's mark."""
    return question.text, question.answer or ""


def choose_sample(questions: Sequence[Question]) -> list[Key]:
    """Returns the keys of SAMPLE self-made questions, chosen by their texts, in proportion to the types of all."""
    by_type: defaultdict[str, dict[Key, bytes]] = defaultdict(dict)
    for question in questions:
        if question.origin == INSTRUCTED:
            by_type[question.type][question_key(question)] = hashlib.blake2s(question.text.encode()).digest()
    ranked = [
        ((rank + 0.5) / len(digests), digests[key], key)
        for digests in by_type.values()
        for rank, key in enumerate(sorted(digests, key=digests.__getitem__))
    ]
    return [key for _, _, key in sorted(ranked)[:SAMPLE]]


def estimate_precision(sample: Sequence[Key], marks: Mapping[Key, bool]) -> Precision:
    """Returns the estimate from the marks on the sample; other marks do not count."""
    given = [marks[key] for key in sample if key in marks]
    share = sum(given) / len(given) if given else None
    return Precision(len(sample), len(given), sum(given), share, wilson_interval(sum(given), len(given)))


def describe_precision(found: Precision) -> str:
    """Returns the counts and the estimate in words, such as `marked 12 of 20: 11 right, 92 % (65 to 99)`."""
    counts = f"marked {found.marked} of {found.sample}"
    if found.share is None:
        return counts
    low, high = (100 * end for end in found.interval)
    return f"{counts}: {found.right} right, {100 * found.share:.0f} % ({low:.0f} to {high:.0f})"
