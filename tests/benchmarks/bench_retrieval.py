"""Recall and speed of offline retrieval, and titles with typos, beside their targets.

Run: python tests/benchmarks/bench_retrieval.py [--pages N] [--data FOLDER] [--keep FOLDER]

The data are HotpotQA's dev.jsonl and train.jsonl. N pages (a million) are generated after their manner, in the system's
temporary folder or in the one to keep, where the next time finds them: 2 GB for a million, and some minutes.
On a busy machine only the processor's time compares.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import runpy
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from generated_pages import GeneratedPages

from autoact.tools.pages.corpus import Corpus, Page
from autoact.tools.pages.full_text import tokens
from autoact.tools.pages.page_files import read_paragraphs
from autoact.tools.pages.sources import CorpusPages

MISSPELLING = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "misspelling.py"))
misspelt, SHORTEST = MISSPELLING["misspelt"], MISSPELLING["SHORTEST"]
SMALL = 2_900
ASKED, TRIES = 500, 4
"""Queries of each kind that are timed; how often each title is misspelt."""


def main(count: int, data: Path, kept: Path | None) -> None:
    print(f"{'':<68}{'measured':>24}{'CPU':>24}  target")
    dev = distinct(read_paragraphs(data / "dev.jsonl", []))
    real = distinct([*dev, *read_paragraphs(data / "train.jsonl", [])])
    questions = [json.loads(line) for line in (data / "dev.jsonl").read_text().splitlines()]
    recall("dev.jsonl", Corpus.of_pages(dev), questions, "@5 0.81", "p50 3 ms")
    recall("dev.jsonl and train.jsonl", Corpus.of_pages(real), questions)
    building(real)
    spelling(dev, [page.title for page in real[len(dev) :]])
    with tempfile.TemporaryDirectory() as root:
        many(count, real, [question["question"] for question in questions], kept or Path(root))


def distinct(pages: Iterable[Page]) -> list[Page]:
    """The first page of each title."""
    found: dict[str, Page] = {}
    for page in pages:
        found.setdefault(page.title, page)
    return list(found.values())


def recall(name: str, corpus: Corpus, questions: Sequence[dict[str, Any]], *targets: str) -> None:
    """Recall of the gold pages from the raw question, and the time that a search takes."""
    told = []
    for k in (2, 5, 10):
        shares = []
        for question in questions:
            gold = {title for title, _ in question["supporting_facts"]}
            shares.append(len(gold & {page.title for page in corpus.search(question["question"], k)}) / len(gold))
        told.append(f"{statistics.mean(shares):.4f}")
    tell(f"recall@2, 5, 10 among the {len(corpus):,} pages of {name}", " ".join(told), "", *targets[:1])
    timing(f"search among {len(corpus):,}", corpus.search, [q["question"] for q in questions], *targets[1:])


def building(real: Sequence[Page]) -> None:
    """Build 2,900 pages, the best of three times: the real ones, and generated ones where there are too few."""
    pages = [*real[:SMALL], *GeneratedPages(real).pages(max(0, SMALL - len(real)))]
    generated = max(0, SMALL - len(real))
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            began, used = time.perf_counter(), time.process_time()
            corpus = Corpus.of_pages(pages, Path(cache))
            times.append((time.perf_counter() - began, time.process_time() - used))
            corpus.close()
    wall, used = min(times)
    tell(f"index of {len(pages):,} pages ({generated:,} generated)", f"{wall:.2f} s", f"{used:.2f} s", "0.5 s")


def spelling(pages: Sequence[Page], absent: Sequence[str]) -> None:
    """Titles with typos that find their page, and titles of pages that are not there but find another."""
    corpus, draw = Corpus.of_pages(pages), random.Random(7)
    titles = [page.title for page in pages]
    long = [title for title in titles if len(title) >= SHORTEST]
    tell(
        f"two typos, {SHORTEST}+ characters, numbers untouched", resolved(corpus, long, draw, numbers=False), "", "99 %"
    )
    tell(f"two typos anywhere, {SHORTEST}+ characters", resolved(corpus, long, draw))
    tell("two typos anywhere, any title", resolved(corpus, titles, draw))
    for typos in (0, 1, 2):
        found = [corpus.page(misspelt(title, typos, draw)) for title in absent]
        wrong = sum(page is not None for page in found)
        tell(f"other titles with {typos} typos that find a page", f"{wrong} of {len(absent):,}")


def resolved(corpus: Corpus, titles: Sequence[str], draw: random.Random, *, numbers: bool = True) -> str:
    """The share of titles with two typos that find their page, and of those that find another."""
    chosen = [title for title in titles for _ in range(TRIES)]
    found = [(title, corpus.page(misspelt(title, 2, draw, numbers=numbers))) for title in chosen]
    right = sum(page is not None and page.title == title for title, page in found)
    wrong = sum(page is not None and page.title != title for title, page in found)
    return f"{right / len(found):.2%}, wrong {wrong / len(found):.2%}"


def many(count: int, real: Sequence[Page], questions: Sequence[str], root: Path) -> None:
    """Build, open and ask an index of very many pages; those that `root` has from an earlier time are used again."""
    file, cache = root / f"{count}" / "pages.jsonl", root / f"{count}.index"
    if not file.exists():
        file.parent.mkdir()
        with file.open("w") as stream:
            for page in GeneratedPages(real).pages(count):
                stream.write(json.dumps({"title": page.title, "text": page.text}) + "\n")
    began, used = time.perf_counter(), time.process_time()
    Corpus.open(file.parent, cache).close()
    wall, used = time.perf_counter() - began, time.process_time() - used
    tell(f"index of {count:,} generated pages", f"{wall:.1f} s", f"{used:.1f} s")
    size = sum(index.stat().st_size for index in cache.iterdir())
    tell("  bytes of the index, and of the pages", f"{size:,}, {file.stat().st_size:,}")
    timing("  opening it", lambda _: Corpus.open(file.parent, cache).close(), [""] * 20)
    corpus = Corpus.open(file.parent, cache)
    retrieving(corpus, [page.title for page in corpus.sample(7, ASKED)], GeneratedPages(real, seed=2))
    searching(corpus, GeneratedPages(real, seed=2).words, questions)
    corpus.close()
    tell("peak memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def retrieving(corpus: Corpus, titles: Sequence[str], others: GeneratedPages) -> None:
    """Time Retrieve as an agent has it: the page, or else the titles offered instead."""
    runs, draw = CorpusPages(corpus), random.Random(7)
    absent = [title for title in islice(others.titles(), ASKED) if not is_title(corpus, title)]
    words = [title.split() for title in titles if len(title.split()) > 1]
    parts = [" ".join(draw.sample([words[1:], words[:-1]], 1)[0]) for words in words]
    misses = [" ".join(draw.choice(words) for _ in range(3)) for words in draw.choices(words, k=ASKED)]
    kinds = {"a title": titles, "a title with one typo": [misspelt(title, 1, draw) for title in titles],
             "a title with two typos": [misspelt(title, 2, draw) for title in titles],
             "a part of a title": parts, "a title that is absent": absent, "nothing like a title": misses}  # fmt: skip
    for name, asked in kinds.items():
        timing(f"  Retrieve: {name}", lambda title: runs.page(title) or runs.nearby(title, 5), asked, "p99 50 ms")
    long = [title for title in titles if len(title) >= SHORTEST]
    tell(f"  two typos, {SHORTEST}+ characters, numbers untouched", resolved(corpus, long, draw, numbers=False))
    found = sum(corpus.page(title) is not None for title in absent)
    tell("  absent titles that find a page", f"{found} of {len(absent):,}")


def is_title(corpus: Corpus, title: str) -> bool:
    page = corpus.page(title)
    return page is not None and page.title == title


def searching(corpus: Corpus, words: Sequence[str], questions: Sequence[str]) -> None:
    """Time search for questions, and for words from any to the commonest."""
    draw = random.Random(7)
    common = [word for word, _ in Counter(words).most_common(300) if tokens(word)][:100]
    kinds = {"HotpotQA's questions": questions,
             "three words of a page": [" ".join(draw.sample(words, 3)) for _ in range(ASKED)],
             "one of the hundred commonest words": common,
             "three of them": [" ".join(draw.sample(common, 3)) for _ in range(ASKED)]}  # fmt: skip
    for name, asked in kinds.items():
        timing(f"  search: {name}", corpus.search, asked, "p99 50 ms")


def timing(name: str, call: Callable[[str], object], asked: Sequence[str], target: str = "") -> None:
    """Print the median and the 99th hundredth of the calls' milliseconds, by wall and by processor."""
    walls, used = [], []
    for one in asked:
        began, spent = time.perf_counter(), time.process_time()
        call(one)
        walls.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() - spent))
    tell(name, *(f"p50 {middle:.1f} p99 {last:.1f} ms" for middle, last in map(hundredths, (walls, used))), target)


def hundredths(values: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]


def tell(name: str, measured: str, processor: str = "", target: str = "") -> None:
    print(f"{name:<68}{measured:>24}{processor:>24}  {target}", flush=True)


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    standard = Path(os.environ.get("AUTOACT_SHARED", beside)) / "data" / "hotpotqa"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=standard)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    main(chosen.pages, chosen.data, chosen.keep)
