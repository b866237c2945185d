"""Measures of how much the texts of a set repeat each other: self-BLEU, distinct word pairs, common beginnings."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

SAMPLE = 200
"""Texts of which self-BLEU and distinct pairs are taken, because both depend on the number of texts."""
ORDER = 4
"""The longest word sequence of BLEU."""
OPENING = 3
"""Words of a beginning."""
_WORD = re.compile(r"\w+")
Gram = tuple[str, ...]


def draw_sample(texts: Sequence[str], size: int = SAMPLE) -> list[str]:
    """Returns at most `size` texts, chosen by their content alone."""
    return sorted(texts, key=lambda text: hashlib.blake2s(text.encode()).digest())[:size]


def split_words(text: str) -> list[str]:
    """Returns the words of a text in lower case."""
    return _WORD.findall(text.lower())


def distinct_pairs(texts: Sequence[str]) -> float:
    """Returns the share of different pairs of successive words among all (distinct-2); 0 without any."""
    pairs = [pair for text in texts for pair in pairwise(split_words(text))]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def self_bleu(texts: Sequence[str]) -> float:
    """Returns the mean BLEU-4 of each text against all others, 0 to 1; 0 for fewer than two texts.

    As in Texygen (Zhu et al., arXiv 1802.01886): uniform weights, the brevity penalty of the nearest length, and 0.1 in
    place of a number of matches that is 0.
    """
    split = [words for text in texts if (words := split_words(text))]
    if len(split) < 2:
        return 0.0
    grams = [[_count_grams(words, order) for order in range(1, ORDER + 1)] for words in split]
    highest = [_two_highest([own[order] for own in grams]) for order in range(ORDER)]
    lengths = Counter(map(len, split))
    return fmean(_bleu(own, highest, len(words), lengths) for own, words in zip(grams, split, strict=True))


def most_common_opening(texts: Sequence[str]) -> tuple[str, float]:
    """Returns the most frequent first OPENING words, and the share of texts that begin so."""
    openings = Counter(" ".join(words[:OPENING]) for text in texts if (words := split_words(text)))
    if not openings:
        return "", 0.0
    ((opening, count),) = openings.most_common(1)
    return opening, count / openings.total()


def _count_grams(words: Sequence[str], order: int) -> Counter[Gram]:
    return Counter(zip(*(words[at:] for at in range(order)), strict=False))


def _two_highest(counts: Sequence[Counter[Gram]]) -> dict[Gram, tuple[int, int]]:
    """Returns the highest count of each gram in one text, and the highest in another."""
    highest: dict[Gram, tuple[int, int]] = {}
    for own in counts:
        for gram, count in own.items():
            first, second = highest.get(gram, (0, 0))
            highest[gram] = (count, first) if count > first else (first, max(second, count))
    return highest


def _bleu(
    own: Sequence[Counter[Gram]], highest: Sequence[dict[Gram, tuple[int, int]]], length: int, lengths: Counter[int]
) -> float:
    logs = []
    for counts, known in zip(own, highest, strict=True):
        matches = sum(min(count, known[gram][known[gram][0] == count]) for gram, count in counts.items())
        logs.append(math.log((matches or 0.1) / max(1, counts.total())))
    others = [other for other, count in lengths.items() if count > (other == length)]
    nearest = min(others, key=lambda other: (abs(other - length), other))
    return min(1.0, math.exp(1 - nearest / length)) * math.exp(fmean(logs))
