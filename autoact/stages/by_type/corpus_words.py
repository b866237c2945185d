"""Lookups of what a corpus says about names: which are persons, which are things of a kind, which are adjectives."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from autoact.english.answer_forms import word_set
from autoact.stages.by_type.clauses import is_person
from autoact.trajectory import Page

PERSON_NOUNS = word_set(
    "author writer painter poet composer wife husband friend teacher student father mother son daughter brother sister "
    "inventor founder king queen emperor president leader hero heroine character helper chemist man woman person "
    "astronomer scientist architect designer detective pirate captain explorer owner ruler singer actor director "
    "player nurse saint god goddess"
)
"""Nouns for a person: `who` asks for them, `what` does not."""
PLACES = ("country", "city", "town", "island", "state", "region", "village", "kingdom")
"""Nouns for a place that may stand before its name with `of`, as in `the island of Sicily`."""
_WORKS = word_set("film song album novel band series")
"""Nouns for what has a name in capitals, even where that is a common word."""
_RANKS = word_set("King Queen Emperor Saint Pope Prince Princess Sir Lord Lady Captain Doctor")
_LANGUAGES = word_set(
    "Arabic Chinese Dutch English French German Greek Hebrew Hindi Italian Japanese Latin Polish Portuguese Russian "
    "Spanish Swedish Turkish"
)
_INSIDE = re.compile(r"(?:(?<=[a-z,] )|(?<=\bThe ))[A-Za-z][\w'-]*")
_ADJECTIVE = re.compile(r"\b(?:a|an) ([A-Z][\w-]+) [a-z]")
"""A name for a people, as in `a German composer`."""
_DATES = word_set(
    "January February March April May June July August September October November December "
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
)
_INTRODUCES = re.compile(r"\b(?:is|was|are|were) (?:a|an|the|one of the)\b")
_HEAD_END = re.compile(
    r" (?:in|of|that|who|which|with|from|at|on|near|by|between|for|made|known|and|where|off)\b|[,.;]"
)


class CorpusWords:
    """Lookups over all pages of a corpus."""

    def __init__(self, pages: Sequence[Page]):
        self.pages = {page.title.lower(): page for page in pages}
        self._persons: dict[str, bool] = {}
        self._nouns: dict[str, list[str]] = {}
        self._adjectives = set(_LANGUAGES)
        self._spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Words inside sentences, where only names are capitalised, by their lower case."""
        for page in pages:
            self._adjectives.update(_ADJECTIVE.findall(page.text))
            for word in _INSIDE.findall(page.text):
                self._spellings[word.lower()][word] += 1

    def name(self, page: Page) -> str:
        """Returns the name of a page's subject in running text: with its article, and spelled as texts mostly do."""
        title = page.title
        named = rf"{re.escape(title)}(?!\w)"
        article = re.match(rf"The (?={named})", page.text, re.IGNORECASE) and not title.startswith("The ")
        used = self._spellings.get(title.lower(), Counter()) + Counter(
            re.findall(rf"(?:(?<=[a-z,] )|(?<=\bThe )){named}", page.text, re.IGNORECASE)
        )
        work = not _WORKS.isdisjoint(self.nouns(title))
        name = used.most_common(1)[0][0] if used and not work else title
        return f"the {name}" if article else name

    def page(self, name: str) -> Page | None:
        """Returns the page whose title is this name."""
        return self.pages.get(name.lower()) or self.pages.get(name.lower().removeprefix("the "))

    def is_person(self, name: str) -> bool:
        """Returns whether a name is a person's: by its page, else by its form, such as `King David` or `Max Brod`."""
        if page := self.page(name):
            if page.title not in self._persons:
                self._persons[page.title] = is_person(page)
            return self._persons[page.title]
        first, *others = name.split()
        if first in _RANKS:
            return True
        common = any(self._is_common(one) for one in name.split())
        return bool(others) and not common and all(one[0].isupper() for one in others)

    def _is_common(self, word: str) -> bool:
        """Returns whether the corpus has a word in lower case inside sentences, not only by mistake."""
        found = self._spellings.get(word.lower(), Counter())
        return found[word.lower()] > found[word] // 20

    def may_be_place(self, name: str) -> bool:
        """Returns whether a name can stand after `in` as a place: it is no person, people, language or month."""
        words = name.split()
        fit = name[0].isupper() and words[0] not in _DATES and words[-1] not in self._adjectives
        return fit and not self.is_person(name)

    def is_a(self, name: str, noun: str) -> bool:
        """Returns whether the corpus calls what a name stands for by this noun, or the name holds it."""
        head = noun.split()[-1].lower()
        if head in name.lower().split():
            return True
        page = self.page(name)
        if page is None:
            return False
        return head in self.nouns(page.title) or re.search(rf"\bThe {re.escape(head)}\b", page.text) is not None

    def nouns(self, title: str) -> list[str]:
        """Returns the words by which a page introduces its subject: island and country for `is an island country`."""
        if (known := self._nouns.get(title)) is None:
            parts = _INTRODUCES.split(self.pages[title.lower()].text, maxsplit=1)
            known = _HEAD_END.split(parts[1], maxsplit=1)[0].lower().split() if len(parts) > 1 else []
            self._nouns[title] = known
        return known
