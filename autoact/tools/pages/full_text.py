"""The full-text index of a corpus: finds pages by words, the best first, in time also among millions of pages."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from bisect import bisect_right
from itertools import accumulate

from autoact.tools.pages.title_search import Titles
from autoact.trajectory import Page

TITLE_WEIGHT = 4.0
"""Weight of a hit in the title: the best recall of the weights tried on HotpotQA paragraphs."""
MOST_RANKED = 6_000
"""Approximate number of pages that are ranked for one query: each takes a microsecond or two."""
MOST_WEIGHED = 100_000
"""Approximate number of pages with the other words of the query: the ranking counts them."""
EVERY = 64
"""One page of this many is in the sample by which the frequency of a word is estimated."""
MOST_TOKENS = 64
_TOKEN = re.compile(r"[^\W_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP_WORDS = _words(
    "a about after all also am an and any are as at be because been before being between both but by can could did do "
    "does doing during each either for from further had has have having he her here hers him his how i if in into is "
    "it its itself just me more most my no nor not of off on once only or other our out over own s same she should so "
    "some such t than that the their them then there these they this those through to too under until up very was we "
    "were what when where which while who whom whose why will with would you your"
)
_TOKENIZER = "tokenize='porter unicode61 remove_diacritics 2'"
SCHEMA = f"""
CREATE VIRTUAL TABLE found USING fts5(title, text, content=page, content_rowid=id, {_TOKENIZER});
CREATE VIRTUAL TABLE sampled USING fts5(title, text, content='', detail=none, columnsize=0, {_TOKENIZER});
"""
SETTLE = f"""
INSERT INTO found (found) VALUES ('rebuild');
INSERT INTO found (found, rank) VALUES ('rank', 'bm25({TITLE_WEIGHT}, 1.0)');
INSERT INTO sampled (rowid, title, text) SELECT id, title, text FROM page WHERE id % {EVERY} = 0;
"""


def tokens(text: str) -> list[str]:
    """Returns the distinct words of `text` for a search, in order; stop words only when there are no others."""
    words = list(dict.fromkeys(_TOKEN.findall(unicodedata.normalize("NFC", text).casefold())))
    return ([word for word in words if word not in _STOP_WORDS] or words)[:MOST_TOKENS]


class FullText:
    """Search in the index of the schema above. One thread at a time may use it."""

    def __init__(self, connection: sqlite3.Connection, titles: Titles, pages: int) -> None:
        self._connection, self._titles, self._pages = connection, titles, pages

    def search(self, query: str, k: int) -> list[Page]:
        """Returns the `k` pages that fit the words of `query` best, the best first."""
        words = tokens(query)
        sought, weighed = self._choose_words(words)
        found = self._rank(sought, weighed, k) if sought else []
        left = [word for word in words if word not in sought]
        return found or (self._search_common(left, k) if left else [])

    def _rank(self, sought: list[str], weighed: list[str], k: int) -> list[Page]:
        match = _any(sought)
        if weighed:
            # No part of a query can be optional, so the required words are named, and count, twice.
            match = f"({match}) AND ({_any([*sought, *weighed])})"
        statement = "SELECT title, text FROM found WHERE found MATCH ? ORDER BY rank LIMIT ?"
        return [Page(*row) for row in self._connection.execute(statement, (match, k))]

    def _choose_words(self, words: list[str]) -> tuple[list[str], list[str]]:
        """Returns the words of which a page must have one, and those that only count in the ranking.

        Among many pages only those with the rarest words can be ranked in time; where even these are too many, the
        first list is empty. Words that are commoner than the second kind are left out, as they distinguish least.
        """
        if self._pages <= MOST_RANKED:
            return words, []
        pages = {word: self._pages_with(word) for word in words}
        rarest = sorted(words, key=pages.__getitem__)
        sums = list(accumulate(pages[word] for word in rarest))
        sought = bisect_right(sums, MOST_RANKED)
        weighed = bisect_right(sums, MOST_WEIGHED)
        return rarest[:sought], rarest[sought:weighed]

    def _pages_with(self, word: str) -> int:
        """Estimates from the sample how many pages have a word."""
        statement = "SELECT count(*) FROM sampled WHERE sampled MATCH ?"
        return EVERY * int(self._connection.execute(statement, (_any([word]),)).fetchone()[0])

    def _search_common(self, words: list[str], k: int) -> list[Page]:
        """Returns pages for words that very many pages have: first those with the words in the title, the shortest
        title first."""
        positions = dict.fromkeys(at + 1 for at in self._titles.shortest(words, MOST_RANKED, k))
        for query in (_all(words), _any(words)):
            if len(positions) < k:
                rows = self._connection.execute("SELECT rowid FROM found WHERE found MATCH ? LIMIT ?", (query, k))
                positions |= dict.fromkeys(position for (position,) in rows)
        statement = "SELECT title, text FROM page WHERE id = ?"
        chosen = list(positions)[:k]
        return [Page(*self._connection.execute(statement, (position,)).fetchone()) for position in chosen]


# Every token is quoted and holds letters and digits only, so nothing of a query is search syntax.
def _any(words: list[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)


def _all(words: list[str]) -> str:
    return " AND ".join(f'"{word}"' for word in words)
