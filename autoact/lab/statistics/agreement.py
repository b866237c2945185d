"""Agreement of two raters beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Returns Cohen's kappa of two raters' categories for the same items: 1 for full agreement, 0 for that of chance.

    None without items, and where both always say the same, so that chance alone would agree. J. Cohen, A coefficient
    of agreement for nominal scales (1960). Raises ValueError for other numbers of items.
    """
    if len(first) != len(second):
        raise ValueError(f"expected ratings of the same items; got {len(first)} and {len(second)}")
    n = len(first)
    if not n:
        return None
    observed = sum(one == other for one, other in zip(first, second, strict=True)) / n
    ours, theirs = Counter(first), Counter(second)
    chance = sum(count * theirs[category] for category, count in ours.items()) / n**2
    return (observed - chance) / (1 - chance) if chance < 1 else None
