"""The corpus reads what it can, tells what it cannot, and finds pages by words and by titles."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autoact.errors import BadProject
from autoact.tools.pages.corpus import FORMAT, Corpus, Page, _open_index
from autoact.tools.pages.page_files import LONGEST_LINE, read_paragraphs

Python = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = [{"title": "Apple", "text": "A fruit."}, {"title": "Bolt", "text": ["A screw.", " It holds."]}]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "b.md").write_text("intro\n\n# Copper mine\n\nA mine for copper.\n")
    (folder / "Dune sea.txt").write_text("A desert.")
    (folder / "ignored.csv").write_text("x")
    return folder


def test_reads_every_kind_of_file(folder: Path, tmp_path: Path) -> None:
    corpus = Corpus.open(folder, tmp_path / "cache")
    assert [page.title for page in corpus.pages()] == ["Apple", "Bolt", "Copper mine", "Dune sea"]
    assert corpus.page("Bolt") == Page("Bolt", "A screw. It holds.")
    assert corpus.problems == []
    assert len(corpus) == 4


def test_the_digest_is_that_of_the_pages(folder: Path, tmp_path: Path) -> None:
    first = Corpus.open(folder, tmp_path / "cache")
    assert Corpus.of_pages(reversed(list(first.pages()))).digest == first.digest == Corpus.open(folder, tmp_path).digest
    (folder / "Dune sea.txt").write_text("A wet desert.")
    assert Corpus.open(folder, tmp_path / "cache").digest != first.digest
    assert Corpus.of_pages([]).digest != first.digest


def test_bad_lines_are_told_and_skipped(folder: Path, tmp_path: Path) -> None:
    good, long = b'{"title": "Good", "text": "Fine."}', b'{"title": "Long", "text": "' + b"x" * 10_000_000 + b'"}'
    bad = [b"{", b'{"title": "T"}', b'{"title": " ", "text": "x"}', b"\xff\xfe", b'{"title": "\\ud800", "text": "x"}']
    (folder / "z.jsonl").write_bytes(b"\n".join([long, *bad, b"", good]))
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    corpus = Corpus.open(folder, tmp_path / "cache")
    assert corpus.page("Good") is not None
    assert [problem.split(" ")[0] for problem in corpus.problems] == [
        "latin.txt:",
        *(f"z.jsonl:{n}:" for n in range(1, 7)),
    ]
    assert f"10,000,030 bytes; expected at most {LONGEST_LINE:,}" in corpus.problems[1]
    assert 'expected {"title"' in corpus.problems[2]
    assert Corpus.open(folder, tmp_path / "cache").problems == corpus.problems


def test_many_problems_are_counted(folder: Path, tmp_path: Path) -> None:
    (folder / "z.jsonl").write_text("no\n" * 250)
    problems = Corpus.open(folder, tmp_path / "cache").problems
    assert len(problems) == 101
    assert problems[-1] == "and 150 more"


def test_the_first_text_of_a_title_stands(folder: Path, tmp_path: Path) -> None:
    (folder / "c.jsonl").write_text(
        '{"title": "Apple", "text": "A firm."}\n{"title": "Bolt", "text": "A screw. It holds."}'
    )
    corpus = Corpus.open(folder, tmp_path / "cache")
    assert corpus.page("Apple") == Page("Apple", "A fruit.")
    assert corpus.problems == ["another text for the page `Apple`; the first stands"]


def test_the_index_is_kept_until_a_file_changes(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    Corpus.open(folder, cache).close()
    (first,) = cache.iterdir()
    written = first.stat().st_mtime_ns
    Corpus.open(folder, cache).close()
    assert [path.stat().st_mtime_ns for path in cache.iterdir()] == [written]
    (folder / "Dune sea.txt").write_text("A desert full of sand.")
    assert Corpus.open(folder, cache).search("sand")
    (second,) = cache.iterdir()
    assert second != first


@pytest.mark.parametrize("damage", [b"", b"not a database, and long enough to be read as one" * 100])
def test_a_damaged_index_is_built_anew(folder: Path, tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "cache"
    Corpus.open(folder, cache).close()
    (index,) = cache.iterdir()
    index.write_bytes(damage)
    assert Corpus.open(folder, cache).search("copper")


def test_an_index_of_another_format_is_built_anew(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    Corpus.open(folder, cache).close()
    (index,) = cache.iterdir()
    with closing(sqlite3.connect(index)) as connection:
        connection.executescript(f"PRAGMA user_version = {FORMAT - 1}; DROP TABLE letters; DROP TABLE name;")
    assert Corpus.open(folder, cache).page("aple") == Page("Apple", "A fruit.")
    assert list(cache.iterdir()) == [index]


@pytest.mark.fault
def test_a_killed_build_leaves_no_index(tmp_path: Path, python: Python) -> None:
    folder, cache = tmp_path / "corpus", tmp_path / "cache"
    folder.mkdir()
    lines = (json.dumps({"title": f"Page {number}", "text": "Some words. " * 20}) for number in range(20_000))
    (folder / "a.jsonl").write_text("\n".join(lines))
    code = "import sys; from pathlib import Path; from autoact.tools.pages.corpus import Corpus\n"
    building = python(code + "Corpus.open(*map(Path, sys.argv[1:]))", folder, cache)
    while not any(cache.glob(".*.part")):
        assert building.poll() is None
    building.kill()
    building.wait()
    (part,) = cache.iterdir()
    os.utime(part, (0, 0))
    corpus = Corpus.open(folder, cache)
    assert (len(corpus), len(corpus.search("words", 20_000))) == (20_000, 20_000)
    assert part not in cache.iterdir()


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def pages(problems: list[str]) -> Iterator[Page]:
        yield Page("A", "alpha")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _open_index(tmp_path / "a.sqlite", pages)
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_for_the_index_it_is_in_memory(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    corpus = Corpus.open(folder, tmp_path / "cache")
    assert corpus.search("copper")
    assert "could not be kept" in corpus.problems[-1]


def test_no_folder_or_an_empty_one_is_an_empty_corpus(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path):
        corpus = Corpus.open(folder, tmp_path / "cache")
        assert (len(corpus), corpus.search("x"), corpus.page("x"), corpus.similar("x"), corpus.sample(1, 3)) == (
            0, [], None, [], [],
        )  # fmt: skip


def test_a_file_is_no_corpus(tmp_path: Path) -> None:
    file = tmp_path / "corpus"
    file.write_text("x")
    with pytest.raises(BadProject, match="expected a folder"):
        Corpus.open(file, tmp_path / "cache")


def test_an_unreadable_file_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "b.md").chmod(0)
    if os.access(folder / "b.md", os.R_OK):  # root reads every file, but no memory where none is mapped
        (folder / "b.md").unlink()
        (folder / "b.md").symlink_to("/proc/self/mem")
    corpus = Corpus.open(folder, tmp_path / "cache")
    assert "b.md" in corpus.problems[0]
    assert corpus.page("Apple") is not None


@pytest.mark.parametrize(
    "query",
    ['"', '" OR 1', "title:curie", "curie*", "NEAR(curie)", "curie AND", "-curie", "^curie", "curie)", "{title}:curie",
     "curie\x00", "' ; DROP TABLE page; --", "curie " * 5000, "?!", "", "\ud800 curie"],
)  # fmt: skip
def test_queries_are_words_and_never_syntax(corpus: Corpus, query: str) -> None:
    found = corpus.search(query)
    assert bool(found) == ("curie" in query)
    assert len(corpus) == 7


def test_titles_weigh_more_and_words_are_stemmed(corpus: Corpus) -> None:
    assert corpus.search("Who was Marie Curie?")[0].title == "Marie Curie"
    assert [page.title for page in corpus.search("tournaments", 1)] == ["1998 Open"]
    assert corpus.search("the")[0].title == "The Beatles"


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("Marie Curie", "Marie Curie"),
        ("marie_curie", "Marie Curie"),
        ('"Marie Curie"', "Marie Curie"),
        ("Marie Cury", "Marie Curie"),
        ("Mari Curei", "Marie Curie"),
        ("beatles", "The Beatles"),
        ("Krakow", "Kraków (city)"),
        ("Marie Curie (physicist)", "Marie Curie"),
        ("Pierre", "Pierre Curie"),
        ("Curie", None),
        ("Pier", None),
        ("Mercury (planet)", "Mercury (planet)"),
        ("Mercury", None),
        ("Beatles (insects)", "The Beatles"),
        ("1999 Open", None),
        ("Albert Einstein", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_titles(corpus: Corpus, asked: str, title: str | None) -> None:
    page = corpus.page(asked)
    assert (page and page.title) == title


def test_similar_titles_are_the_nearest_first(corpus: Corpus) -> None:
    assert set(corpus.similar("Mercury", 2)) == {"Mercury (planet)", "Mercury (element)"}
    assert len(corpus.similar("Curie")) == 5


def test_a_sample_depends_on_the_seed_and_not_on_the_order(corpus: Corpus) -> None:
    turned = Corpus.of_pages(reversed(list(corpus.pages())))
    assert turned.sample(1, 3) == corpus.sample(1, 3)
    assert len({page.title for page in corpus.sample(1, 3)}) == 3
    assert len({tuple(corpus.sample(seed, 3)) for seed in range(10)}) > 1
    assert len(corpus.sample(1, 99)) == 7


def test_pages_given_directly_can_be_cached(tmp_path: Path) -> None:
    pages = [Page("A", "alpha"), Page("B", "beta")]
    for _ in range(2):
        assert Corpus.of_pages(pages, tmp_path).search("beta") == [pages[1]]
    assert len(list(tmp_path.iterdir())) == 1
    assert Corpus.of_pages(pages[:1], tmp_path).search("beta") == []


def test_recall_on_hotpotqa(hotpot: Path) -> None:
    questions = [json.loads(line) for line in hotpot.read_text().splitlines()]
    corpus = Corpus.of_pages(read_paragraphs(hotpot, []))
    recalls = []
    for question in questions:
        found = {page.title for page in corpus.search(question["question"], 5)}
        gold = {title for title, _ in question["supporting_facts"]}
        recalls.append(len(gold & found) / len(gold))
    assert sum(recalls) / len(recalls) >= 0.809


QUESTION = {
    "question": "Who?",
    "answer": "A",
    "context": [["Peru", ["A country.", " It is high."]], ["Chad", ["Flat."]]],
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dev.jsonl", json.dumps(QUESTION) + "\n\n"),
        ("dev.json", json.dumps([QUESTION, QUESTION])),
        (
            "dev.json",
            json.dumps(
                [{"title": "Peru", "text": "A country. It is high."}, {**QUESTION, "context": QUESTION["context"][1:]}]
            ),
        ),
    ],
)
def test_a_file_of_questions_gives_its_paragraphs(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / name).write_text(content)
    corpus = Corpus.open(tmp_path / "corpus", tmp_path / "cache")
    assert list(corpus.pages()) == [Page("Chad", "Flat."), Page("Peru", "A country. It is high.")]
    assert corpus.problems == []


def test_the_pages_of_a_data_set_are_kept_until_it_changes(tmp_path: Path) -> None:
    file, cache = tmp_path / "dev.jsonl", tmp_path / "cache"
    file.write_text(json.dumps(QUESTION))
    assert len(Corpus.of_data(file, cache)) == 2
    (first,) = cache.iterdir()
    assert len(Corpus.of_data(file, cache)) == 2
    file.write_text(json.dumps({**QUESTION, "context": []}))
    assert len(Corpus.of_data(file, cache)) == 0
    (second,) = cache.iterdir()
    assert second != first


def test_the_pages_of_a_data_set_that_nobody_uses_go(tmp_path: Path) -> None:
    first, second, cache = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "cache"
    for file in (first, second):
        file.write_text(json.dumps(QUESTION))
    Corpus.of_data(first, cache).close()
    (kept,) = cache.iterdir()
    os.utime(kept, ns=(0, kept.stat().st_mtime_ns))
    Corpus.of_data(first, cache).close()  # used again, so that it stays
    Corpus.of_data(second, cache).close()
    assert len(list(cache.iterdir())) == 2
    os.utime(kept, ns=(0, kept.stat().st_mtime_ns))
    Corpus.of_data(second, cache).close()
    assert kept not in cache.iterdir()


def test_memory_does_not_hold_the_problems_of_a_large_file(folder: Path, tmp_path: Path) -> None:
    (folder / "z.jsonl").write_text("no\n" * 40_000)
    tracemalloc.start()
    try:
        problems = Corpus.open(folder, tmp_path / "cache").problems
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert problems[-1] == "and 39,900 more"
    assert peak < 2_000_000
