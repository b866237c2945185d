"""The corpus: a project's pages with a full-text index, for search without a network."""

from __future__ import annotations

import hashlib
import heapq
import os
import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path

from autoact import disk
from autoact.tools.pages import Page, corpus_files, read_pages
from autoact.tools.titles import Titles

FORMAT = 1
"""Raised whenever the index below changes; older files are then built anew."""
TITLE_WEIGHT = 4.0
"""A hit in the title counts four times: best recall of the weights tried on HotpotQA paragraphs."""
MOST_PROBLEMS = 100
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
_SCHEMA = f"""
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA user_version = {FORMAT};
CREATE TABLE page (id INTEGER PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE problem (line TEXT NOT NULL);
CREATE VIRTUAL TABLE found USING fts5(title, text, content=page, content_rowid=id,
                                      tokenize='porter unicode61 remove_diacritics 2');
CREATE TEMP TABLE arrived (title TEXT PRIMARY KEY, text TEXT NOT NULL);
"""
# Pages are numbered in the order of their titles, so that no result depends on the order of the files.
_SETTLE = f"""
INSERT INTO page (title, text) SELECT title, text FROM arrived ORDER BY title;
DROP TABLE arrived;
INSERT INTO found (found) VALUES ('rebuild');
INSERT INTO found (found, rank) VALUES ('rank', 'bm25({TITLE_WEIGHT}, 1.0)');
"""

Reader = Callable[[list[str]], Iterable[Page]]


def tokens(text: str) -> list[str]:
    """The distinct words of `text` that search looks for, in order; stop words only when there is nothing else."""
    words = list(dict.fromkeys(_TOKEN.findall(unicodedata.normalize("NFC", text).casefold())))
    return ([word for word in words if word not in _STOP_WORDS] or words)[:MOST_TOKENS]


class Corpus:
    """Pages by title and by words. One thread at a time may use it; close it when done."""

    problems: list[str]
    """What could not be read, one line each with file and line number; at most a hundred, then a count."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.problems = [line for (line,) in connection.execute("SELECT line FROM problem ORDER BY rowid")]

    @classmethod
    def open(cls, folder: Path, cache: Path) -> Corpus:
        """The corpus in `folder`, indexed in a file of the folder `cache` and built anew when its files change.

        An absent or empty folder is an empty corpus. Raises BadProject when `folder` is a file.
        """
        files = corpus_files(folder)
        if not files:
            return cls.of_pages(())
        owner = hashlib.blake2s(os.fsencode(folder.resolve()), digest_size=6).hexdigest()
        path = cache / f"corpus-{owner}-{_stamp(files)}.sqlite"
        corpus = cls(_indexed(path, lambda problems: read_pages(files, problems)))
        for stale in cache.glob(f"corpus-{owner}-*.sqlite"):
            if stale != path:
                stale.unlink(missing_ok=True)
        return corpus

    @classmethod
    def of_pages(cls, pages: Iterable[Page], cache: Path | None = None) -> Corpus:
        """A corpus of the pages given, the first of each title; in memory, or in a file of the folder `cache`."""
        if cache is None:
            return cls(_built(":memory:", lambda problems: pages))
        kept = list(pages)
        stamp = hashlib.blake2s()
        for page in kept:
            stamp.update(f"{len(page.title)} {len(page.text)} {page.title}{page.text}".encode())
        return cls(_indexed(cache / f"pages-{stamp.hexdigest()[:24]}.sqlite", lambda problems: kept))

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM page").fetchone()[0])

    def search(self, query: str, k: int = 3) -> list[Page]:
        """The `k` pages that fit the words of `query` best, the best first."""
        # Every token is quoted and holds letters and digits only, so nothing of the query is search syntax.
        words = " OR ".join(f'"{token}"' for token in tokens(query))
        if not words:
            return []
        statement = "SELECT title, text FROM found WHERE found MATCH ? ORDER BY rank LIMIT ?"
        return [Page(*row) for row in self._connection.execute(statement, (words, k))]

    def page(self, title: str) -> Page | None:
        """The page called `title`, forgiving case, accents, articles, a missing bracket and small typos."""
        position = self._titles.find(title)
        return None if position is None else self._at(position)

    def similar(self, title: str, k: int = 5) -> list[str]:
        """The `k` titles most like `title`, the nearest first."""
        return self._titles.similar(title, k)

    def pages(self) -> Iterator[Page]:
        """Every page, in the order of their titles."""
        for row in self._connection.execute("SELECT title, text FROM page ORDER BY id"):
            yield Page(*row)

    def sample(self, seed: int, n: int) -> list[Page]:
        """`n` pages (or all) that depend on `seed` and the titles only; adding a page changes few of them."""
        order = range(len(self._all_titles))
        return [self._at(position) for position in heapq.nsmallest(n, order, key=lambda at: self._draw(seed, at))]

    def close(self) -> None:
        """Let the index go. The corpus cannot be used any more."""
        self._connection.close()

    def _draw(self, seed: int, position: int) -> bytes:
        return hashlib.blake2s(f"{seed} {self._all_titles[position]}".encode()).digest()

    def _at(self, position: int) -> Page:
        row = self._connection.execute("SELECT title, text FROM page WHERE id = ?", (position + 1,)).fetchone()
        return Page(*row)

    @cached_property
    def _all_titles(self) -> list[str]:
        return [title for (title,) in self._connection.execute("SELECT title FROM page ORDER BY id")]

    @cached_property
    def _titles(self) -> Titles:
        return Titles(self._all_titles)


def _stamp(files: Iterable[Path]) -> str:
    """Hex digits that change whenever a file's name, size or time of change does."""
    stamp = hashlib.blake2s(digest_size=12)
    for file in files:
        status = file.stat()
        stamp.update(os.fsencode(file.name) + f"/{status.st_size}/{status.st_mtime_ns}\n".encode())
    return stamp.hexdigest()


def _indexed(path: Path, read: Reader) -> sqlite3.Connection:
    """The index at `path`, built if need be; in memory, with a problem that says so, where no file can be written."""
    ready = _opened(path)
    if ready is not None:
        return ready
    try:
        _write(path, read)
        # The file has just been written and synced, so the only way to fail here is a full or broken disk.
        return sqlite3.connect(_address(path), uri=True, check_same_thread=False)
    except (OSError, sqlite3.OperationalError) as error:
        connection = _built(":memory:", read)
        connection.execute(
            "INSERT INTO problem VALUES (?)", (f"the index could not be kept in {path.parent}: {error}",)
        )
        return connection


def _opened(path: Path) -> sqlite3.Connection | None:
    """A finished index; None when there is none, or when it is of another format or damaged."""
    if not path.exists():
        return None
    connection = sqlite3.connect(_address(path), uri=True, check_same_thread=False)
    try:
        if connection.execute("PRAGMA user_version").fetchone() == (FORMAT,):
            connection.execute("SELECT rank FROM found LIMIT 1").fetchone()
            return connection
    except sqlite3.DatabaseError:
        pass  # damaged: it is built anew, as if it were absent
    connection.close()
    return None


def _write(path: Path, read: Reader) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with closing(_built(part, read)):
            pass
        disk.sync_file(part)
        part.replace(path)
        disk.sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _built(place: Path | str, read: Reader) -> sqlite3.Connection:
    """A complete index at `place`. The connection may change threads, as long as only one uses it at a time."""
    connection = sqlite3.connect(place, check_same_thread=False)
    try:
        connection.executescript(_SCHEMA)
        problems: list[str] = []
        for page in read(problems):
            if not _arrives(connection, page):
                problems.append(f"another text for the page `{page.title}`; the first stands")
        connection.executescript(_SETTLE)
        left = len(problems) - MOST_PROBLEMS
        told = problems[:MOST_PROBLEMS] + ([f"and {left:,} more"] if left > 0 else [])
        connection.executemany("INSERT INTO problem VALUES (?)", ((line,) for line in told))
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def _arrives(connection: sqlite3.Connection, page: Page) -> bool:
    """Take the page in; False when its title is taken by another text."""
    row = (page.title, page.text)
    if connection.execute("INSERT OR IGNORE INTO arrived VALUES (?, ?)", row).rowcount:
        return True
    return bool(connection.execute("SELECT 1 FROM arrived WHERE title = ? AND text = ?", row).fetchone())


def _address(path: Path) -> str:
    # A finished index never changes, and saying so spares the file locks that network disks lack.
    return f"{path.absolute().as_uri()}?immutable=1"


__all__ = ["Corpus", "Page", "tokens"]
