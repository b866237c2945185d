"""Page titles, found by what a model makes of them: other case, no accents, a typo, a dropped bracket."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

MOST_TYPOS = 2
"""Letters added, dropped, changed, or swapped with their neighbour. Other titles are seldom that near."""
SURE_LENGTH, LEAST_LENGTH = 5, 4
"""Characters from which a title bears so many typos, and from which it bears one."""
_LONGEST = 300
_ARTICLE = re.compile(r"^(?:the|an|a) (?=.)")
_BRACKET = re.compile(r"(?<=.) \([^()]*\)$")
_DIGITS = re.compile(r"\d+")


def fold(text: str) -> str:
    """`text` without case, accents, underscores, outer quotes and extra spaces."""
    decomposed = unicodedata.normalize("NFKD", text.replace("_", " "))
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(letters.casefold().split()).strip("\"'“”‘’ ")


class Titles:
    """The titles of a corpus in order. Positions are theirs."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = titles
        self._folded = [fold(title) for title in titles]
        self._exact = {title: position for position, title in enumerate(titles)}
        self._same = _unique(self._folded)
        self._bare = _unique([_ARTICLE.sub("", title) for title in self._folded])
        self._plain = _unique([_plain(title) for title in self._folded])

    def find(self, asked: str) -> int | None:
        """The position of the title meant by `asked`, or None when none is near enough or several are as near."""
        if asked in self._exact:
            return self._exact[asked]
        folded = fold(asked[:_LONGEST])
        bare = _ARTICLE.sub("", folded)
        plain = _plain(folded)
        # A bracket may be missing on one side only: Mercury (element) is not Mercury (planet).
        last = self._bare.get(plain) if plain != bare else self._plain.get(bare)
        for position in (self._same.get(folded), self._bare.get(bare), last):
            if position is not None:
                return position
        shortened = self._holding(bare)
        return self._nearest(folded) if shortened is None else shortened

    def similar(self, asked: str, k: int) -> list[str]:
        """The `k` titles most like `asked`, the nearest first."""
        found = process.extract(fold(asked[:_LONGEST]), self._folded, scorer=fuzz.ratio, limit=k)
        return [self._titles[position] for _, _, position in found]

    def _holding(self, words: str) -> int | None:
        """The only title that has these words as a part of its own: Everest is Mount Everest."""
        sought = f" {words} "
        holding = [position for position, title in enumerate(self._folded) if sought in f" {title} "]
        return holding[0] if len(holding) == 1 and words else None

    def _nearest(self, folded: str) -> int | None:
        """The one title that is fewest typos away, if so few that it must be meant."""
        if len(folded) < LEAST_LENGTH:
            return None
        most = MOST_TYPOS if len(folded) >= SURE_LENGTH else 1
        near = process.extract(folded, self._folded, scorer=OSA.distance, score_cutoff=most, limit=2)
        if not near or (len(near) == 2 and near[0][1] == near[1][1]):
            return None
        title, _, position = near[0]
        # Another number is another thing (1998 Open, 1999 Open), however similar the titles are.
        return position if _DIGITS.findall(title) == _DIGITS.findall(folded) else None


def _plain(folded: str) -> str:
    return _BRACKET.sub("", _ARTICLE.sub("", folded))


def _unique(names: Sequence[str]) -> dict[str, int]:
    """Name to position, for names that only one title has."""
    positions: dict[str, int | None] = {}
    for position, name in enumerate(names):
        positions[name] = None if name in positions else position
    return {name: position for name, position in positions.items() if name and position is not None}
