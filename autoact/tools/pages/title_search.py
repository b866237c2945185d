"""Finds page titles from what a model writes: other case, no accents, a typo, a missing bracket."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein

from autoact.tools.pages import letter_marks

MOST_TYPOS = 2
"""Letters added, removed, changed, or swapped with their neighbour."""
SURE_LENGTH, LEAST_LENGTH = 5, 4
"""Characters from which a title may have MOST_TYPOS typos, and from which it may have one."""
MOST_COMPARED = 2000
"""Titles whose spelling is compared to find the most similar; of more, those with the most similar letters."""
MOST_HOLDING = 1000
_LONGEST = 300
_ARTICLES = ("", "the ", "an ", "a ")
_ARTICLE = re.compile(r"^(?:the|an|a) (?=.)")
_BRACKET = re.compile(r"(?<=.) \([^()]*\)$")
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"\w*\d\w*")
_YEAR = re.compile(r"(?:1\d|20)\d\d")
# Words are separated by spaces only, as in the comparison that follows, so that few hits are discarded.
_SCHEMA = f"""
CREATE TABLE name (id INTEGER PRIMARY KEY, title TEXT NOT NULL, folded TEXT NOT NULL);
CREATE VIRTUAL TABLE named USING fts5(folded, content=name, content_rowid=id, columnsize=0,
                                      tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'");
{letter_marks.SCHEMA}
"""
_SETTLE = """
CREATE INDEX name_folded ON name (folded);
INSERT INTO named (named) VALUES ('rebuild');
"""


def fold(text: str) -> str:
    """Returns `text` without case, accents, underscores, outer quotes and extra spaces."""
    plain = text.replace("_", " ")
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(plain.casefold().split()).strip("\"'“”‘’ ")


class Name(NamedTuple):
    """A title as stored."""

    id: int
    title: str
    folded: str


class Titles:
    """The titles of a corpus in order, in the tables of a database. Positions count from zero.

    Several threads may use it at once. Other code that uses the connection needs a lock of its own for that.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def of(cls, titles: Iterable[str]) -> Titles:
        """Makes an index of these titles in memory."""
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        write(connection, titles)
        return cls(connection)

    def find(self, asked: str) -> int | None:
        """Returns the position of the title meant by `asked`; None when none is near enough or several are equally
        near."""
        asked = _storable(asked)
        folded = fold(asked)
        with self._lock:
            exact = [name.id for name in self._exact(folded) if name.title == asked]
            if exact or not folded:
                return exact[-1] if exact else None
            return next((position for position in self._guesses(asked, folded) if position is not None), None)

    def similar(self, asked: str, k: int) -> list[str]:
        """Returns the `k` titles most like `asked`, the nearest first."""
        folded = fold(_storable(asked))
        with self._lock:
            holding = islice(self._containing(_ARTICLE.sub("", folded)), MOST_COMPARED)
            alike = letter_marks.most_similar(self._connection, folded, MOST_COMPARED)
            names = self._at_positions({*alike, *(name.id for name in holding)})
        found = process.extract(folded, [name.folded for name in names], scorer=fuzz.ratio, limit=k)
        return [names[at].title for _, _, at in found]

    def shortest(self, words: list[str], most: int, k: int) -> list[int]:
        """Returns the positions of the `k` shortest of the first `most` titles that have all these words."""
        statement = """SELECT id FROM name WHERE id IN (SELECT rowid FROM named WHERE named MATCH ? LIMIT ?)
                       ORDER BY length(folded), id LIMIT ?"""
        sought = " AND ".join(map(_phrase, words))
        with self._lock:
            return [position for (position,) in self._connection.execute(statement, (sought, most, k))]

    def _guesses(self, asked: str, folded: str) -> Iterator[int | None]:
        """Yields the titles that `asked` may mean, the surest first; None where a guess is not unique."""
        bare = _ARTICLE.sub("", folded)
        plain = _strip_bracket(folded)
        yield _unique(self._exact(folded))
        yield _unique(self._without_article(bare))
        # A bracket may be missing on one side only: Mercury (element) must not find Mercury (planet).
        if plain == bare:
            yield _unique(chain(self._without_article(bare), self._with_bracket(bare)))
            yield _unique(self._containing(bare))
            yield self._nearest(asked, folded)
        else:
            yield self._nearest(asked, folded)
            yield _unique(self._without_article(plain))
            yield _unique(self._containing(bare))

    def _exact(self, *folded: str) -> Iterator[Name]:
        places = ", ".join("?" * len(folded))
        statement = f"SELECT id, title, folded FROM name WHERE folded IN ({places}) ORDER BY id"
        return map(Name._make, self._connection.execute(statement, folded))

    def _without_article(self, bare: str) -> Iterator[Name]:
        """Returns the titles that are `bare`, with or without an article."""
        named = self._exact(*(article + bare for article in _ARTICLES))
        return (name for name in named if _ARTICLE.sub("", name.folded) == bare)

    def _with_bracket(self, bare: str) -> Iterator[Name]:
        """Yields the titles that are `bare` and a bracket, with or without an article."""
        statement = "SELECT id, title, folded FROM name WHERE folded > ? AND folded < ?"
        for article in _ARTICLES:
            # `)` is the character after `(`, so this range is every title that begins with `begins`.
            begins, ends = f"{article}{bare} (", f"{article}{bare} )"
            for row in self._connection.execute(statement, (begins, ends)):
                if _strip_bracket(row[2]) == bare:
                    yield Name(*row)

    def _containing(self, words: str) -> Iterator[Name]:
        """Returns the titles that contain these words: Everest finds Mount Everest."""
        statement = (
            "SELECT id, title, folded FROM name WHERE id IN (SELECT rowid FROM named WHERE named MATCH ? LIMIT ?)"
        )
        named = self._connection.execute(statement, (_phrase(words), MOST_HOLDING))
        return (Name(*row) for row in named if f" {words} " in f" {row[2]} ")

    def _nearest(self, asked: str, folded: str) -> int | None:
        """Returns the one title with the fewest typos, if few enough; the exact spelling decides between equals."""
        if len(folded) < LEAST_LENGTH:
            return None
        most = MOST_TYPOS if len(folded) >= SURE_LENGTH else 1
        near = []
        for name in self._at_positions(letter_marks.names_within(self._connection, folded, most)):
            typos = DamerauLevenshtein.distance(folded, name.folded, score_cutoff=most)
            if typos <= most and _same_numbers(folded, name.folded):
                near.append(((typos, DamerauLevenshtein.distance(asked, name.title)), name.id))
        near.sort()
        if not near or (len(near) > 1 and near[0][0] == near[1][0]):
            return None
        return near[0][1]

    def _at_positions(self, positions: Iterable[int]) -> list[Name]:
        """Returns the titles at these positions, in order."""
        statement = "SELECT id, title, folded FROM name WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [Name(*row) for row in self._connection.execute(statement, (json.dumps(list(positions)),))]


def write(connection: sqlite3.Connection, titles: Iterable[str]) -> None:
    """Creates the tables for these titles, in order."""
    connection.executescript(_SCHEMA)
    rows = ((at, title, fold(title)) for at, title in enumerate(map(_storable, titles)))
    connection.executemany("INSERT INTO name VALUES (?, ?, ?)", rows)
    letter_marks.write(connection, connection.execute("SELECT id, folded FROM name ORDER BY id"))
    connection.executescript(_SETTLE)


def _storable(title: str) -> str:
    # SQLite rejects a lone surrogate, and a model may write one.
    return title[:_LONGEST].encode("utf-8", "replace").decode()


def _strip_bracket(folded: str) -> str:
    return _BRACKET.sub("", _ARTICLE.sub("", folded))


def _phrase(words: str) -> str:
    """Quotes words as a phrase of a full-text query, in which nothing is search syntax."""
    return '"{}"'.format(words.replace('"', '""').replace("\0", " "))


def _unique(names: Iterable[Name]) -> int | None:
    first = list(islice(names, 2))
    return first[0].id if len(first) == 1 else None


def _same_numbers(asked: str, title: str) -> bool:
    """Returns whether no number differs: 1998 Open is not 1999 Open, however similar they are.

    A space or a letter between the digits of a number makes no difference.
    """
    if _digits(asked) == _digits(title):
        return True
    numbers, others = _NUMBER.findall(asked), _NUMBER.findall(title)
    pairs = zip(numbers, others, strict=False)
    return len(numbers) == len(others) and all(one == other or _is_misspelt_year(one, other) for one, other in pairs)


def _is_misspelt_year(number: str, year: str) -> bool:
    """Returns whether `number` is a misspelt `year` and not another year: 207 film, 200t film and 0207 film are 2007
    film."""
    if not _YEAR.fullmatch(year) or _YEAR.fullmatch(number) or len(number) < len(year) - 1:
        return False
    digits, left = _digits(number), iter(year)
    return sorted(digits) == sorted(year) or all(digit in left for digit in digits)


def _digits(text: str) -> str:
    return "".join(_DIGITS.findall(text))
