"""Converts rows of benchmarks' official files to this project's own form, where they differ from HotpotQA's.

2WikiMultihopQA's files have HotpotQA's form, and Bamboogle's are columns; `questions.py` reads both as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from autoact.files.records import DataRecord

GSM8K_MARK = "\n#### "
"""Stands before the final number of a solution."""


class Benchmark(NamedTuple):
    """A benchmark whose rows have a form of their own."""

    name: str
    matches: Callable[[Mapping[str, Any]], bool]
    convert: Callable[[DataRecord], dict[str, Any]]
    """Returns the values of a row in the project's own form. Raises BadProject."""


def find_benchmark(values: Mapping[str, Any]) -> str:
    """Returns the name of the benchmark whose form a row has; empty for every other form."""
    return next((one.name for one in BENCHMARKS if one.matches(values)), "")


def convert(record: DataRecord) -> DataRecord:
    """Returns a record in the project's own form; records of other forms as they are. Raises BadProject."""
    for benchmark in BENCHMARKS:
        if benchmark.matches(record.values):
            return DataRecord(record.place, benchmark.convert(record))
    return record


def _convert_musique(record: DataRecord) -> dict[str, Any]:
    """Converts a row of MuSiQue: its gold pages are those of the question's parts, in their order."""
    values, paragraphs = record.values, record.values["paragraphs"]
    if not all(_is_paragraph(one) for one in paragraphs):
        raise record.place.error("expected objects with the texts `title` and `paragraph_text`", "paragraphs")
    if values.get("answerable") is False:
        raise record.place.error("the question has no answer; expected a file of answerable ones", "answerable")
    parts = values.get("question_decomposition") or []
    order = [part.get("paragraph_support_idx") for part in parts if isinstance(part, dict)]
    titles = {one.get("idx"): one["title"] for one in paragraphs}
    supporting = [one["title"] for one in paragraphs if one.get("is_supporting")]
    return {
        "id": values.get("id"), "question": values.get("question"), "answer": values.get("answer"),
        "other_answers": values.get("answer_aliases"), "scorer": "squad",
        "type": str(values.get("id") or "").partition("_")[0],
        "gold": [titles[number] for number in order if number in titles] or supporting,
        "context": [[one["title"], one["paragraph_text"]] for one in paragraphs],
    }  # fmt: skip


def _is_paragraph(one: Any) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(key), str) for key in ("title", "paragraph_text"))


def _convert_strategyqa(record: DataRecord) -> dict[str, Any]:
    """Converts a row of StrategyQA, whose answer is true or false."""
    values = record.values
    named = {"id": values["qid"]} if values.get("qid") is not None else {}
    return {**values, **named, "answer": "yes" if values["answer"] else "no", "scorer": "yes-no"}


def _convert_gsm8k(record: DataRecord) -> dict[str, Any]:
    """Converts a row of GSM8K, whose answer ends with the number after ####."""
    number = record.values["answer"].rpartition(GSM8K_MARK)[2].strip()
    if not number:
        raise record.place.error("expected a number after ####", "answer")
    return {**record.values, "answer": number.replace(",", ""), "scorer": "number"}


def _is_gsm8k(values: Mapping[str, Any]) -> bool:
    return isinstance(values.get("answer"), str) and GSM8K_MARK in values["answer"] and "question" in values


def _is_strategyqa(values: Mapping[str, Any]) -> bool:
    return isinstance(values.get("answer"), bool) and not values.get("choices")


BENCHMARKS = (
    Benchmark("MuSiQue", lambda values: isinstance(values.get("paragraphs"), list), _convert_musique),
    Benchmark("StrategyQA", _is_strategyqa, _convert_strategyqa),
    Benchmark("GSM8K", _is_gsm8k, _convert_gsm8k),
)
"""The benchmarks whose answers, paragraphs or scorers differ from HotpotQA's."""
