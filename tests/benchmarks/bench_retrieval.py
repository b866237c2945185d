"""Recall and speed of search on HotpotQA paragraphs. Run: python tests/benchmarks/bench_retrieval.py [dev.jsonl]"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from autoact.tools.corpus import Corpus
from autoact.tools.pages import hotpot_pages


def main(file: Path) -> None:
    """Print recall@2/5/10 of the gold pages from the raw question, build time and search time."""
    questions = [json.loads(line) for line in file.read_text().splitlines()]
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        corpus = Corpus.of_pages(hotpot_pages(file), Path(cache))
        print(f"{len(questions)} questions, {len(corpus)} pages, built in {time.perf_counter() - began:.2f} s")
        recalls: dict[int, list[float]] = {2: [], 5: [], 10: []}
        milliseconds = []
        for question in questions:
            began = time.perf_counter()
            titles = [page.title for page in corpus.search(question["question"], 10)]
            milliseconds.append((time.perf_counter() - began) * 1000)
            gold = {title for title, _ in question["supporting_facts"]}
            for k, found in recalls.items():
                found.append(len(gold & set(titles[:k])) / len(gold))
        corpus.close()
    print("  ".join(f"recall@{k} {statistics.mean(found):.3f}" for k, found in recalls.items()))
    hundredths = statistics.quantiles(milliseconds, n=100)
    print(f"p50 {hundredths[49]:.2f} ms  p99 {hundredths[98]:.2f} ms")


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    standard = Path(os.environ.get("AUTOACT_SHARED", beside)) / "data" / "hotpotqa" / "dev.jsonl"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else standard)
