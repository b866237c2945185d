"""Pages made up in any number: titles of real words and invented names, texts of pieces of real ones."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from autoact.trajectory import Page

_SYLLABLES = (
    "ka", "lo", "mer", "ti", "ran", "do", "vel", "shi", "ber", "no",
    "qua", "pel", "os", "wen", "gri", "tha", "mo", "zu", "len", "far",
)  # fmt: skip


class GeneratedPages:
    """Pages after the manner of real ones; the same for the same seed."""

    def __init__(self, real: Iterable[Page], seed: int = 1) -> None:
        pages = list(real)
        self.words = [word for page in pages for word in page.text.split()]
        self._titled = [word for page in pages for word in page.title.split()]
        self._draw = random.Random(seed)
        self._taken = {page.title for page in pages}

    def titles(self) -> Iterator[str]:
        """One new title after another, without end: a name, and none to three words of real titles around it."""
        while True:
            words = [self._draw.choice(self._titled) for _ in range(self._draw.choice((0, 1, 1, 2, 2, 3)))]
            words.insert(self._draw.randrange(len(words) + 1), self._name())
            title = " ".join(words)
            if title not in self._taken:
                self._taken.add(title)
                yield title

    def pages(self, count: int) -> Iterator[Page]:
        """So many new pages, each of 30 to 110 words that stand in a row in the real texts."""
        for title, _ in zip(self.titles(), range(count), strict=False):
            begins = self._draw.randrange(len(self.words))
            words = self.words[begins : begins + self._draw.randrange(30, 110)]
            yield Page(title, f"{title} is {' '.join(words)}")

    def _name(self) -> str:
        return "".join(self._draw.choices(_SYLLABLES, k=self._draw.choice((2, 3, 3, 4)))).capitalize()
