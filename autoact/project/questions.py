"""Reads questions, examples and their paragraphs from files, whichever form they have.

The forms are this project's own, those of HotpotQA (the official list, JSON lines, and the copy on Hugging Face) and
of ScienceQA (problems.json and flat rows), columns with a header, and those in benchmarks.py. autoact/files/records.py
detects the container.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NamedTuple

from autoact.errors import BadProject
from autoact.files.records import NO_MAPPING, DataRecord, RecordPlace, read_records
from autoact.metrics import SCORERS, find_option
from autoact.project.benchmarks import convert, find_benchmark
from autoact.script import FORK
from autoact.trajectory import Example, Picture, Question, Step

QUESTION_KEYS = ("question", "Question")
ANSWER_KEYS = ("answer", "Answer")
ID_KEYS = ("id", "_id", "pid")
SCIENCEQA_KEYS = {"hint", "image", "lecture", "skill", "solution", "split", "task"}
"""Keys of ScienceQA's own rows, whose answer is the index of an option."""
GRADE_BANDS = ((4, "1-4"), (8, "5-8"), (12, "9-12"))
NO_PICTURE = "no img"
"""The caption in rows of ScienceQA whose question has no picture."""
LEAST_CONFIDENCE = 0.5
"""Recognised texts with a lower confidence are left out; most of them are noise."""

Paragraph = tuple[str, str]
"""Title and text."""


class QuestionRecord(NamedTuple):
    """A question of a file, its position, and the paragraphs that the file has for it."""

    place: RecordPlace
    question: Question
    paragraphs: tuple[Paragraph, ...]


def read_question_records(
    file: Path, origin: str, columns: Mapping[str, str] = NO_MAPPING
) -> Iterator[QuestionRecord]:  # fmt: skip
    """Yields every question of a file. Raises BadProject at the first that cannot be used, or has another form.

    `columns` names the file's own columns by what they are here.
    """
    benchmark: str | None = None
    for record in read_records(file, columns):
        found = find_benchmark(record.values)
        benchmark = found if benchmark is None else benchmark
        if found != benchmark:
            forms = [f"the form of {name}" if name else "no benchmark's form" for name in (found, benchmark)]
            raise record.place.error(f"has {forms[0]}, those before have {forms[1]}; a file has one form")
        own = convert(record)
        yield QuestionRecord(record.place, parse_question(own, origin), tuple(parse_paragraphs(own)))


def read_questions(
    file: Path, origin: str, limit: int = 0, columns: Mapping[str, str] = NO_MAPPING
) -> list[Question]:  # fmt: skip
    """Reads at most `limit` questions of a file (0: all), evenly spaced from its first to its last.

    Data sets are often sorted by level, so evenly spaced questions cover every level. With a limit the file is read
    twice, first to count its questions, so that memory holds only those returned. Raises BadProject with the position
    of the first question that cannot be used, and for two questions with one id, because answers and scores are keyed
    by id.
    """
    wanted = set(spaced_indices(sum(1 for _ in read_question_records(file, origin, columns)), limit)) if limit else None
    found: list[Question] = []
    places: dict[str, RecordPlace] = {}
    for at, entry in enumerate(read_question_records(file, origin, columns)):
        if wanted is None or at in wanted:
            check_unique_id(places, entry.question.id, entry.place)
            found.append(entry.question)
    if not found:
        raise BadProject("empty; expected at least one question with its answer", file=file)
    return found


def has_paragraphs(file: Path, columns: Mapping[str, str] = NO_MAPPING) -> bool:
    """Returns whether one of a file's first hundred questions has paragraphs. Raises BadProject."""
    return any(entry.paragraphs for entry in itertools.islice(read_question_records(file, "data", columns), 100))


def spaced_indices(count: int, limit: int) -> list[int]:
    """Returns the indices of at most `limit` of `count` items (0: all), evenly spaced."""
    return [index * count // limit for index in range(limit)] if 0 < limit < count else list(range(count))


def read_examples(file: Path) -> list[Example]:
    """Reads every example of a file. Raises BadProject."""
    found: list[Example] = []
    places: dict[str, RecordPlace] = {}
    for record in read_records(file):
        found.append(parse_example(record))
        check_unique_id(places, found[-1].question.id, record.place)
    return found


def check_unique_id(places: dict[str, RecordPlace], name: str, place: RecordPlace) -> None:
    """Adds the position of an id to `places`. Raises BadProject when the id is there already."""
    if name in places:
        raise place.error(f"`{name}` is already used in {places[name]}; ids must differ", "id")
    places[name] = place


# -- an example ------------------------------------------------------------------------------------------------------


def parse_example(record: DataRecord) -> Example:
    """Returns a record as an example. Raises BadProject with its position and the wrong key."""
    steps = _list(record, "steps")
    return Example(parse_question(record, "seed"), tuple(_step(step, record.place) for step in steps))


def _step(row: Any, place: RecordPlace) -> Step:
    wanted = ("thought", "action", "argument")
    if not isinstance(row, dict) or any(not isinstance(row.get(key), str) for key in wanted):
        raise place.error(f"every step needs the texts {', '.join(wanted)}", "steps")
    return Step(row["thought"], row["action"], row["argument"], str(row.get("observation", "")))


# -- a question ------------------------------------------------------------------------------------------------------


def parse_question(record: DataRecord, origin: str) -> Question:
    """Returns a record as a question; one without an id is named by its position. Raises BadProject."""
    values = record.values
    choices = _choices(record)
    return Question(
        id=_id(record) or f"{origin}-{record.place.number:03d}", text=_wording(record, choices),
        answer=_answer(record, choices), origin=origin, level=_level(values), type=str(values.get("type") or ""),
        choices=choices, gold=_gold(record), picture=parse_picture(values), scorer=_scorer(record),
        other_answers=tuple(map(str, _list(record, "other_answers"))),
    )  # fmt: skip


def question_id(values: Mapping[str, Any]) -> str:
    """Returns the id of a record's question; empty when it has none."""
    ids = (str(values[key]).strip() for key in ID_KEYS if values.get(key) is not None)
    return next(filter(None, ids), "")


def _id(record: DataRecord) -> str:
    name = question_id(record.values)
    if FORK in name:
        raise record.place.error(f"expected an id without {FORK}, which marks forks, found {name!r:.40}", "id")
    return name


def _wording(record: DataRecord, choices: tuple[str, ...]) -> str:
    text = _text(record, QUESTION_KEYS)
    if choices:
        text = text.partition("\nOptions:")[0]  # flat rows of ScienceQA repeat the options in the question
    hint = str(record.values.get("hint") or "").strip()
    return f"{text}\nContext: {hint}" if hint else text  # as in ScienceQA's flat rows


def _level(values: Mapping[str, Any]) -> str:
    """Returns easy, medium or hard; for ScienceQA, which has grades, a band of four grades."""
    if level := values.get("level") or values.get("grade_band"):
        return str(level)
    grade = str(values.get("grade") or "").removeprefix("grade")
    return next((band for last, band in GRADE_BANDS if grade.isdecimal() and 1 <= int(grade) <= last), "")


def _choices(record: DataRecord) -> tuple[str, ...]:
    choices = tuple(str(choice) for choice in _list(record, "choices"))
    if len(choices) > len(ascii_uppercase):
        most = len(ascii_uppercase)
        raise record.place.error(f"expected at most {most} options, one a letter, found {len(choices)}", "choices")
    return choices


def _answer(record: DataRecord, choices: tuple[str, ...]) -> str:
    """Returns the answer as text: of a multiple-choice question, a letter or the words of an option."""
    value = next((record.values[key] for key in ANSWER_KEYS if key in record.values), None)
    if choices and isinstance(value, int) and not isinstance(value, bool):
        return _numbered(record, value, choices)
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(record, ANSWER_KEYS)
    if choices and find_option(text, choices) is None:
        wanted = f"a letter from A to {ascii_uppercase[len(choices) - 1]}, or the words of an option"
        raise record.place.error(f"expected {wanted}, found {text!r:.40}", "answer")
    return text


def _numbered(record: DataRecord, value: int, choices: tuple[str, ...]) -> str:
    """Returns the answer for a whole number: an index from 0 in ScienceQA; elsewhere it may be an option's words."""
    letter = ascii_uppercase[value] if 0 <= value < len(choices) else ""
    words = str(value) if str(value) in choices and not SCIENCEQA_KEYS & record.values.keys() else ""
    if not letter and not words:
        raise record.place.error(f"expected a letter or an index from 0 to {len(choices) - 1}, found {value}", "answer")
    if letter and words and choices[value] != words:
        raise record.place.error(f"{value} may be an index or the words of an option; write a letter", "answer")
    return words or letter


def _gold(record: DataRecord) -> tuple[str, ...]:
    """Returns titles of gold pages: AutoAct's `gold`, or HotpotQA's `supporting_facts` as pairs or as two lists."""
    if "gold" in record.values:
        return tuple(dict.fromkeys(map(str, _list(record, "gold"))))
    facts = record.values.get("supporting_facts")
    titles = facts.get("title") if isinstance(facts, dict) else _firsts(_list(record, "supporting_facts"))
    if not isinstance(titles, list):
        raise record.place.error("expected pairs of title and sentence number", "supporting_facts")
    return tuple(dict.fromkeys(map(str, titles)))


def _scorer(record: DataRecord) -> str:
    name = str(record.values.get("scorer") or "")
    if name not in SCORERS:
        raise record.place.error(f"expected one of {', '.join(filter(None, SCORERS))}, found {name!r:.40}", "scorer")
    return name


def _firsts(pairs: list[Any]) -> list[Any] | None:
    """Returns the first item of every pair; None when some are not pairs."""
    return [pair[0] for pair in pairs] if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs) else None


def parse_paragraphs(record: DataRecord) -> Iterator[Paragraph]:
    """Yields paragraphs: pairs of title and sentences, two lists (HotpotQA), or one text under the record's title."""
    context = record.values.get("context") or []
    if isinstance(context, str):
        context = [[str(record.values.get("title") or question_id(record.values) or record.place), context]]
    elif isinstance(context, dict):
        context = _zipped(context.get("title"), context.get("sentences"))
    if not isinstance(context, list) or not all(map(_is_paragraph, context)):
        raise record.place.error("expected paragraphs as pairs of a title and its sentences", "context")
    for title, sentences in context:
        yield title, sentences if isinstance(sentences, str) else " ".join(map(str.strip, sentences))


def _zipped(titles: Any, texts: Any) -> list[list[Any]] | None:
    """Returns two lists as pairs; None when they are not two lists of one length."""
    if not isinstance(titles, list) or not isinstance(texts, list) or len(titles) != len(texts):
        return None
    return [list(pair) for pair in zip(titles, texts, strict=True)]


def _is_paragraph(pair: Any) -> bool:
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
        return False
    return isinstance(pair[1], str) or (isinstance(pair[1], list) and all(isinstance(one, str) for one in pair[1]))


def _list(record: DataRecord, key: str) -> list[Any]:
    found = record.values.get(key) or []
    if not isinstance(found, list):
        raise record.place.error(f"expected a list, found {type(found).__name__}", key)
    return found


def _text(record: DataRecord, keys: tuple[str, ...]) -> str:
    value = next((record.values[key] for key in keys if key in record.values), None)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if value is None else repr(value)[:40]
        raise record.place.error(f"expected a text, found {found}", keys[0])
    return value.strip()


# -- a picture -------------------------------------------------------------------------------------------------------


def parse_picture(values: Mapping[str, Any]) -> Picture | None:
    """Returns the picture of a record, from `caption` and `ocr` (or `orc`); None when the record has neither."""
    if "caption" in values:
        caption = str(values["caption"] or "")
        if caption in ("", NO_PICTURE):
            return Picture(there=False)
        return Picture(caption=caption, texts=_recognised(values.get("ocr") or values.get("orc") or ""))
    return Picture(there=False) if "image" in values and not values["image"] else None


def _recognised(value: object) -> tuple[str, ...]:
    """Returns recognised texts from a list, or from Python notation of (box, text, confidence) triples (ScienceQA)."""
    if isinstance(value, list):
        return tuple(map(str, value))
    try:
        found = ast.literal_eval(str(value))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (str(value),) if value not in ("", NO_PICTURE) else ()
    triples = found if isinstance(found, list) else []
    return tuple(str(one[1]) for one in triples if _is_confident(one))


def _is_confident(triple: Any) -> bool:
    if not isinstance(triple, list | tuple) or len(triple) != 3 or not isinstance(triple[2], int | float | str):
        return False
    try:
        return float(triple[2]) >= LEAST_CONFIDENCE
    except ValueError:
        return False
