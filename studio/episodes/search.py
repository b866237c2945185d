"""Searches a document for a text: all its matches, and the one that a person has jumped to."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from studio.episodes.document import Document, Mark


@dataclass(frozen=True, slots=True, order=True)
class TextMatch:
    """A place where the text occurs: a paragraph, and the characters from `start` to before `end` of its text."""

    paragraph: int
    start: int
    end: int


def pattern(text: str) -> re.Pattern[str]:
    """Returns a pattern for a text: capitals count only if it has one (smart case); blanks match line ends too."""
    words = r"\s+".join(re.escape(word) for word in re.split(r"\s+", text))
    return re.compile(words, re.IGNORECASE if text == text.lower() else 0)


class Search:
    """The matches of a text in a document, in order. `update` finds those of paragraphs that were changed or added."""

    def __init__(self, text: str, document: Document):
        self.text = text
        self.current: TextMatch | None = None
        """The match that a person has jumped to."""
        self._document = document
        self._pattern = pattern(text)
        self._matches: list[TextMatch] = []
        self.update(0)

    @property
    def count(self) -> int:
        """The number of matches."""
        return len(self._matches)

    def update(self, first: int) -> None:
        """Searches the paragraphs from `first` on again."""
        del self._matches[bisect_left(self._matches, TextMatch(first, 0, 0)) :]
        for index in range(first, len(self._document)):
            self._matches += [
                TextMatch(index, found.start(), found.end())
                for found in self._pattern.finditer(self._document.text(index))
                if found.end() > found.start()
            ]
        if self.current is not None and self.number == 0:
            self.current = None

    @property
    def number(self) -> int:
        """The number of the current match, from 1; 0 when there is none."""
        at = bisect_left(self._matches, self.current) if self.current else self.count
        return at + 1 if at < self.count and self._matches[at] == self.current else 0

    @property
    def label(self) -> str:
        """The number of the current match and the count of all, such as `3 of 17`."""
        return f"{self.number or '-'} of {self.count:,}" if self.count else "no match"

    def of(self, paragraph: int) -> list[TextMatch]:
        """Returns the matches in a paragraph."""
        first = bisect_left(self._matches, TextMatch(paragraph, 0, 0))
        return self._matches[first : bisect_left(self._matches, TextMatch(paragraph + 1, 0, 0))]

    def marks(self, paragraph: int) -> list[Mark]:
        """Returns the matches in a paragraph as marks: `current` the one that was jumped to, `match` the others."""
        return [
            (match.start, match.end, "current" if match == self.current else "match") for match in self.of(paragraph)
        ]

    def note(self, paragraph: int, hidden: float) -> str:
        """Returns how many matches lie after the character `hidden`, for the last line of a fold; empty for none."""
        count = sum(match.end > hidden for match in self.of(paragraph))
        return f", {count} match{'es' if count > 1 else ''}" if count else ""

    def jump_to(self, place: TextMatch) -> TextMatch | None:
        """Makes the first match at or after a place the current one, after the last match the first; returns it."""
        if not self._matches:
            return None
        self.current = self._matches[bisect_left(self._matches, place) % self.count]
        return self.current

    def step(self, steps: int, place: TextMatch) -> TextMatch | None:
        """Makes the match `steps` after the current one the current one; without one, the first after `place`, or the
        last before it. After the last follows the first. Returns it."""
        if not self._matches:
            return None
        at = self.number - 1
        if at < 0:
            at = bisect_left(self._matches, place) - (1 if steps > 0 else 0)
        self.current = self._matches[(at + steps) % self.count]
        return self.current
