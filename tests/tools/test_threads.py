"""Sixteen threads call tools at once, each in a session of its own, and observe what one thread alone observes."""

from __future__ import annotations

import csv
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoact.errors import ToolFailed
from autoact.tools.database.sqlite import CannotQuery, SqliteReader
from autoact.tools.library.library import Library, ToolContext, ToolSession
from autoact.tools.library.tool import SharedObjects
from autoact.tools.pages.corpus import Corpus, Page
from autoact.tools.simple.calculator import CannotCalculate, calculate
from autoact.trajectory import Picture, Question

from .test_knowledge_graph import TURTLE, words
from .test_zim import written
from .web.conftest import Answer, Site, site

__all__ = ["site", "words"]
THREADS, CALLS = 16, 50
PROGRAMS = 3
"""Calls of the code interpreter by each thread: every one starts processes."""
ISLANDS = [
    Page(f"Island {n}", f"Island {n} is in the sea. Its harbour {n * n} is old. Sea birds nest.") for n in range(60)
]
Calls = Sequence[tuple[str, str]]


@pytest.fixture(autouse=True)
def _frequent_switches() -> Iterator[None]:
    """Threads take turns a thousand times more often than usual, so that a race shows itself."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def observe(session: ToolSession, calls: Calls) -> list[str]:
    return [session.call(name, argument).text for name, argument in calls]


def compare(make: Callable[[], Library], calls_of: Callable[[int], Calls]) -> None:
    """Sixteen threads with one library observe what one thread with another observes; no call fails."""
    start = threading.Barrier(THREADS)
    with closing(make()) as shared, closing(make()) as alone, ThreadPoolExecutor(THREADS) as pool:

        def work(number: int) -> list[str]:
            session = shared.session()
            start.wait()
            return observe(session, calls_of(number))

        seen = list(pool.map(work, range(THREADS)))
        assert seen == [observe(alone.session(), calls_of(number)) for number in range(THREADS)]
        assert not [text for texts in seen for text in texts if "failed" in text or "not ready" in text]


def load(root: Path, corpus: Corpus | None = None, **settings: dict[str, Any]) -> Library:
    return Library.load(None, ToolContext(corpus or Corpus.of_pages(()), settings, root))


def test_calculator(tmp_path: Path) -> None:
    compare(lambda: load(tmp_path), lambda number: [("Calculator", f"({number} + {n})!/{n}!") for n in range(1, CALLS)])


def test_calculator_names_its_own_expression_when_it_fails() -> None:
    def work(number: int) -> list[bool]:
        return [f"{number} << {n}" in failure(f"{number} << {n}") for n in range(20 * CALLS)]

    def failure(expression: str) -> str:
        with pytest.raises(CannotCalculate) as caught:
            calculate(expression)
        return str(caught.value)

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(map(all, pool.map(work, range(THREADS))))


@pytest.mark.parametrize("kept", [True, False])
def test_pages(tmp_path: Path, kept: bool) -> None:
    def calls_of(number: int) -> Calls:
        rounds = range(number, number + CALLS // 5)
        return [
            call
            for n in rounds
            for call in (
                ("Retrieve", f"islnd {n}"), ("Lookup", "harbour"), ("WebSearch", f"harbour {n * n}"),
                ("Lookup", "birds"), ("Retrieve", f"Unknown {n}"),
            )
        ]  # fmt: skip

    with closing(Corpus.of_pages(ISLANDS, tmp_path if kept else None)) as corpus:
        compare(lambda: load(tmp_path, corpus), calls_of)


def test_every_page_is_read_while_others_search() -> None:
    with closing(Corpus.of_pages(ISLANDS)) as corpus, ThreadPoolExecutor(THREADS) as pool:
        read = [pool.submit(lambda: [page.title for page in corpus.pages()]) for _ in range(THREADS // 2)]
        found = [pool.submit(lambda: len(corpus.search("sea birds", 3))) for _ in range(THREADS // 2)]
        assert all(len(one.result()) == len(ISLANDS) == len(set(one.result())) for one in read)
        assert all(one.result() == 3 for one in found)


def test_zim_file(tmp_path: Path) -> None:
    file = written(tmp_path / "a.zim")
    compare(
        lambda: load(tmp_path, Retrieve={"source": "zim", "file": str(file)}),
        lambda number: [("Retrieve", f"River {(number + n) % 30}") for n in range(CALLS)],
    )


def test_database(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    with (tmp_path / "tables" / "numbers.csv").open("w") as file:
        csv.writer(file).writerows([("n", "square"), *((n, n * n) for n in range(1000))])
    compare(
        lambda: load(tmp_path, Database={"timeout_s": 60}),
        lambda number: [
            ("Database", f"SELECT square FROM numbers WHERE n = {number * CALLS + n}") for n in range(CALLS)
        ],
    )


def test_a_slow_statement_delays_no_other(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "one.db")) as connection:
        connection.execute("CREATE TABLE one AS SELECT 1 AS n").connection.commit()
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    reader = SqliteReader(tmp_path / "one.db", 600)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(reader.query, endless, 1)
        assert reader.query("SELECT n FROM one", 1).rows == [[1]]
        while not wait([slow], timeout=0.05).done:
            reader.close()  # also ends what runs
        with pytest.raises(CannotQuery):
            slow.result()
    reader.close()


def test_words_and_facts(tmp_path: Path, words: Path) -> None:
    asked = ("Dogs", "dog, animal", "loyal, is the opposite of", "flag", "cad")
    compare(
        lambda: load(tmp_path, KnowledgeGraph={"wordnet": str(words)}),
        lambda number: [("KnowledgeGraph", asked[(number + n) % len(asked)]) for n in range(CALLS)],
    )
    pytest.importorskip("rdflib")
    (tmp_path / "facts.ttl").write_text(TURTLE)
    things = ("Marie Curie", "warsaw, capital of", "Piere Curie", "Marie Curie, Warsaw")
    compare(
        lambda: load(tmp_path, KnowledgeGraph={"file": "facts.ttl"}),
        lambda number: [("KnowledgeGraph", things[(number + n) % len(things)]) for n in range(CALLS)],
    )


def test_tables(tmp_path: Path) -> None:
    compare(
        lambda: load(tmp_path),
        lambda number: [("TableVerbalizer", f"country, km; Peru, {number}; Chad, {n}") for n in range(CALLS)],
    )


def test_programs(tmp_path: Path) -> None:
    compare(
        lambda: load(tmp_path, CodeInterpreter={"timeout_s": 120}),
        lambda number: [
            ("CodeInterpreter", f"open('own', 'w').write('x' * {number * 100 + n})") for n in range(PROGRAMS)
        ],
    )


def test_pictures_of_questions(tmp_path: Path) -> None:
    (tmp_path / "captions.jsonl").write_text('{"id": "7", "question": "Which?", "caption": "A crow.", "ocr": []}\n')
    library = load(tmp_path, Image2Text={"captions": "captions.jsonl"})

    def work(number: int) -> list[str]:
        known = Picture(caption=f"Picture {number}.") if number % 2 else None
        session = library.session(Question("7", "Which?", picture=known))
        return observe(session, [("Image2Text", "Which?")] * CALLS)

    with ThreadPoolExecutor(THREADS) as pool:
        seen = list(pool.map(work, range(THREADS)))
    assert [set(texts) for texts in seen] == [
        {f"Caption: Picture {number}." if number % 2 else "Caption: A crow."} for number in range(THREADS)
    ]


def test_own_function(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "own.py").write_text("def double(n: int) -> int:\n    return 2 * n\n")
    file = tmp_path / "tools.toml"
    file.write_text(
        '[[tool]]\nname = "Double"\nkind = "python"\nsettings = {function = "tools/own.py:double", timeout_s = 60}\n'
    )
    context = ToolContext(Corpus.of_pages(()), root=tmp_path)
    compare(
        lambda: Library.load(file, replace(context, shared=SharedObjects())),
        lambda number: [("Double", str(number * CALLS + n)) for n in range(CALLS)],
    )


def test_endpoint(tmp_path: Path, site: Site) -> None:
    for n in range(CALLS):
        site.answers[f"/{n}"] = Answer(f'"river {n}"'.encode())
    file = tmp_path / "tools.toml"
    url = f'url = "{site.url}/{{argument}}", allow = ["{site.host}"]'
    file.write_text(f'[[tool]]\nname = "Rivers"\nkind = "http"\nsettings = {{{url}, timeout_s = 60}}\n')
    compare(
        lambda: Library.load(file, ToolContext(Corpus.of_pages(()), root=tmp_path)),
        lambda number: [("Rivers", str((number + n) % CALLS)) for n in range(CALLS)],
    )


def test_a_shared_object_is_made_once_and_made_again_after_a_failure() -> None:
    shared, made, together = SharedObjects(), list[int](), list[int]()
    start, both = threading.Barrier(THREADS), threading.Barrier(2)

    def make() -> int:
        made.append(len(made))
        try:
            together.append(both.wait(0.1))  # passes only when a second thread makes it meanwhile
        except threading.BrokenBarrierError:
            both.reset()
        if len(made) == 1:
            raise ToolFailed("not yet")
        return len(made)

    def work(number: int) -> int:
        start.wait()
        try:
            return shared.get("one", make)
        except ToolFailed:
            return 0

    with ThreadPoolExecutor(THREADS) as pool:
        assert sorted(pool.map(work, range(THREADS))) == [0] + [2] * (THREADS - 1)
    assert not together
    assert shared.get("another", lambda: "x") == "x"
