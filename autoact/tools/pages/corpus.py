"""The corpus: a project's pages with a full-text index, for search without a network."""

from __future__ import annotations

import hashlib
import heapq
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path

from autoact.files import disk
from autoact.files.saved_dataset import is_saved_dataset, list_arrow_files
from autoact.tools.pages import full_text, title_search
from autoact.tools.pages.full_text import FullText, tokens
from autoact.tools.pages.page_files import corpus_files, read_pages, read_paragraphs
from autoact.tools.pages.title_search import Titles
from autoact.trajectory import Page

FORMAT = 4
"""Raised whenever the index below changes; files with another number are built again."""
MOST_CACHED = 64_000
"""KiB of an index that SQLite keeps in memory."""
MOST_PROBLEMS = 100
LONGEST_BUILD = 86_400
"""Seconds after which a half-built index must be that of a process that was killed."""
LONGEST_UNUSED = 30 * 86_400
"""Seconds after which the index of a data set's paragraphs is removed."""
_SCHEMA = f"""
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA user_version = {FORMAT};
CREATE TABLE page (id INTEGER PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE problem (line TEXT NOT NULL);
CREATE TABLE content (digest TEXT NOT NULL);
{full_text.SCHEMA}
CREATE TEMP TABLE arrived (title TEXT PRIMARY KEY, text TEXT NOT NULL);
"""
# Pages are numbered in the order of their titles, so that no result depends on the order of the files.
_SETTLE = f"""
INSERT INTO page (title, text) SELECT title, text FROM arrived ORDER BY title;
DROP TABLE arrived;
{full_text.SETTLE}"""

PageReader = Callable[[list[str]], Iterable[Page]]


class Corpus:
    """Pages by title and by words. Several threads may use it at once; close it when done."""

    problems: list[str]
    """Errors in the files, a line each with file and line number; at most a hundred, then a count."""

    digest: str
    """24 hex digits that are the same for the same titles and texts, whatever files they came from."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self._titles = Titles(connection)
        connection.execute(f"PRAGMA cache_size = -{MOST_CACHED}")
        self.problems = [line for (line,) in connection.execute("SELECT line FROM problem ORDER BY rowid")]
        (self.digest,) = connection.execute("SELECT digest FROM content").fetchone()

    @classmethod
    def open(cls, folder: Path, cache: Path) -> Corpus:
        """Opens the corpus in `folder`, indexed in a file of the folder `cache`, which is built again when the corpus
        changes.

        A missing or empty folder is an empty corpus. Raises BadProject when `folder` is a file.
        """
        files = corpus_files(folder)
        if not files:
            return cls.of_pages(())
        return cls._of_files(f"corpus-{_digest(folder)}", files, cache, lambda problems: read_pages(files, problems))

    @classmethod
    def of_data(cls, file: Path, cache: Path) -> Corpus:
        """Opens the paragraphs of all questions of a file, indexed in the folder `cache`.

        Questions are asked over the same pages however few of them are chosen, because a search is easier among
        fewer pages. Such an index can be larger than its file; it is removed when it was not used for a month.
        """
        files = list_arrow_files(file) if is_saved_dataset(file) else [file]
        corpus = cls._of_files(f"data-{_digest(file)}", files, cache, lambda problems: read_paragraphs(file, problems))
        for kept in cache.glob("data-*.sqlite"):
            with suppress(OSError):  # another job removes it too, or the cache cannot be written
                if kept.stat().st_atime < time.time() - LONGEST_UNUSED:
                    kept.unlink(missing_ok=True)
        return corpus

    @classmethod
    def _of_files(cls, owner: str, files: Sequence[Path], cache: Path, read: PageReader) -> Corpus:
        """Opens the pages that `read` returns from these files; indexed again when a file changes."""
        path = cache / f"{owner}-{_stamp(files)}.sqlite"
        corpus = cls(_open_index(path, read))
        with suppress(OSError):  # in a cache that cannot be written nothing is kept, or nothing is removed either
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
            for stale in cache.glob(f"{owner}-*.sqlite"):
                if stale != path:
                    stale.unlink(missing_ok=True)
        return corpus

    @classmethod
    def of_pages(cls, pages: Iterable[Page], cache: Path | None = None) -> Corpus:
        """Makes a corpus of the given pages, the first of each title; in memory, or in a file of the folder `cache`."""
        if cache is None:
            return cls(_build(":memory:", lambda problems: pages))
        kept = list(pages)
        stamp = _content_digest((page.title, page.text) for page in kept)
        return cls(_open_index(cache / f"pages-{stamp}.sqlite", lambda problems: kept))

    def __len__(self) -> int:
        # They are numbered from one, and counting them would read them all.
        with self._lock:
            return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM page").fetchone()[0])

    def search(self, query: str, k: int = 3) -> list[Page]:
        """Returns the `k` pages that fit the words of `query` best, the best first."""
        with self._lock:
            return self._full_text.search(query, k)

    def page(self, title: str) -> Page | None:
        """Returns the page called `title`; differences in case, accents, articles, a missing bracket and small typos
        are allowed."""
        with self._lock:
            position = self._titles.find(title)
            return None if position is None else self._at(position)

    def similar(self, title: str, k: int = 5) -> list[str]:
        """Returns the `k` titles most like `title`, the nearest first."""
        with self._lock:
            return self._titles.similar(title, k)

    def pages(self) -> Iterator[Page]:
        """Yields every page, in the order of the titles."""
        last = 0
        while rows := self._after(last):
            last = rows[-1][0]
            yield from (Page(title, text) for _, title, text in rows)

    def sample(self, seed: int, n: int) -> list[Page]:
        """Returns `n` pages (or all) chosen by `seed` and the titles only; a page more changes few of them."""
        with self._lock:
            titles = self._connection.execute("SELECT id, title FROM name ORDER BY id")
            drawn = heapq.nsmallest(n, titles, key=lambda row: hashlib.blake2s(f"{seed} {row[1]}".encode()).digest())
            return [self._at(position) for position, _ in drawn]

    def close(self) -> None:
        """Closes the index. The corpus cannot be used any more."""
        self._connection.close()

    def _after(self, last: int) -> list[tuple[int, str, str]]:
        """Returns number, title and text of the next pages after the one numbered `last`."""
        statement = "SELECT id, title, text FROM page WHERE id > ? ORDER BY id LIMIT 100"
        with self._lock:
            return self._connection.execute(statement, (last,)).fetchall()

    def _at(self, position: int) -> Page:
        row = self._connection.execute("SELECT title, text FROM page WHERE id = ?", (position + 1,)).fetchone()
        return Page(*row)

    @cached_property
    def _full_text(self) -> FullText:
        return FullText(self._connection, self._titles, len(self))


def _content_digest(pages: Iterable[tuple[str, str]]) -> str:
    digest = hashlib.blake2s()
    for title, text in pages:
        digest.update(f"{len(title)} {len(text)} {title}{text}".encode())
    return digest.hexdigest()[:24]


def _digest(path: Path) -> str:
    return hashlib.blake2s(os.fsencode(path.resolve()), digest_size=6).hexdigest()


def _stamp(files: Iterable[Path]) -> str:
    """Returns hex digits that change whenever a file's name, size or modification time does."""
    stamp = hashlib.blake2s(digest_size=12)
    for file in files:
        status = file.stat()
        stamp.update(os.fsencode(file.name) + f"/{status.st_size}/{status.st_mtime_ns}\n".encode())
    return stamp.hexdigest()


def _open_index(path: Path, read: PageReader) -> sqlite3.Connection:
    """Opens the index at `path`, after building it if needed; in memory, with a problem that says so, where no file
    can be written."""
    ready = _open_existing(path)
    if ready is not None:
        return ready
    try:
        _write(path, read)
        # The file has just been written and synced, so the only way to fail here is a full or broken disk.
        return _connect(path)
    except (OSError, sqlite3.OperationalError) as error:
        connection = _build(":memory:", read)
        connection.execute(
            "INSERT INTO problem VALUES (?)", (f"the index could not be kept in {path.parent}: {error}",)
        )
        return connection


def _open_existing(path: Path) -> sqlite3.Connection | None:
    """Opens a finished index; None when there is none, or when it is of another format or damaged."""
    if not path.exists():
        return None
    connection = _connect(path)
    try:
        if connection.execute("PRAGMA user_version").fetchone() == (FORMAT,):
            connection.execute("SELECT rank FROM found LIMIT 1").fetchone()
            return connection
    except sqlite3.DatabaseError:
        pass  # damaged: it is built anew, as if it were absent
    connection.close()
    return None


def _write(path: Path, read: PageReader) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(".*.part"):
        if left.stat().st_mtime < time.time() - LONGEST_BUILD:
            left.unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with closing(_build(part, read)):
            pass
        disk.sync_file(part)
        part.replace(path)
        disk.sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


class _Problems(list[str]):
    """The first MOST_PROBLEMS problems, and a count of the others: a large file may have one on every line."""

    left = 0

    def append(self, line: str) -> None:
        if len(self) < MOST_PROBLEMS:
            super().append(line)
        else:
            self.left += 1


def _build(place: Path | str, read: PageReader) -> sqlite3.Connection:
    """Builds a complete index at `place`. The connection may be used by any thread, one at a time."""
    connection = sqlite3.connect(place, check_same_thread=False)
    try:
        connection.executescript(_SCHEMA)
        problems = _Problems()
        for page in read(problems):
            if not _add_page(connection, page):
                problems.append(f"another text for the page `{page.title}`; the first stands")
        connection.executescript(_SETTLE)
        pages = connection.execute("SELECT title, text FROM page ORDER BY id")
        connection.execute("INSERT INTO content VALUES (?)", (_content_digest(pages),))
        rows = connection.execute("SELECT title FROM page ORDER BY id")
        title_search.write(connection, (title for (title,) in rows))
        lines = problems + ([f"and {problems.left:,} more"] if problems.left else [])
        connection.executemany("INSERT INTO problem VALUES (?)", ((line,) for line in lines))
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def _add_page(connection: sqlite3.Connection, page: Page) -> bool:
    """Adds a page. Returns False when its title is taken by another text."""
    row = (page.title, page.text)
    if connection.execute("INSERT OR IGNORE INTO arrived VALUES (?, ?)", row).rowcount:
        return True
    return bool(connection.execute("SELECT 1 FROM arrived WHERE title = ? AND text = ?", row).fetchone())


def _connect(path: Path) -> sqlite3.Connection:
    # A finished index never changes, and saying so spares the file locks that network disks lack.
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)


__all__ = ["Corpus", "Page", "tokens"]
