"""Reads questions, examples and their paragraphs from files, whichever form they have.

The forms are this project's own, those of HotpotQA (the official list, JSON lines, and the copy on Hugging Face) and
of ScienceQA (problems.json and flat rows), and columns with a header; records.py tells the containers apart.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NamedTuple

from autoact.errors import BadProject
from autoact.metrics import option
from autoact.records import Place, Record, read_records
from autoact.script import FORK
from autoact.trajectory import Example, Picture, Question, Step

QUESTION_KEYS = ("question", "Question")
ANSWER_KEYS = ("answer", "Answer")
ID_KEYS = ("id", "_id", "pid")
SCIENCEQA_KEYS = {"hint", "image", "lecture", "skill", "solution", "split", "task"}
"""Keys of ScienceQA's own rows, whose answer is the index of an option."""
GRADE_BANDS = ((4, "1-4"), (8, "5-8"), (12, "9-12"))
NO_PICTURE = "no img"
"""What rows of ScienceQA have in place of a caption when the question has no picture."""
LEAST_SURE = 0.5
"""Recognised texts less sure than this are left out; most of them are noise."""

Paragraph = tuple[str, str]
"""Title and text."""


class Entry(NamedTuple):
    """One question of a file, with the paragraphs that the file gives it."""

    place: Place
    question: Question
    paragraphs: tuple[Paragraph, ...]


def read_entries(file: Path, origin: str) -> Iterator[Entry]:
    """Yields every question of a file. Raises BadProject at the first that cannot be used."""
    for record in read_records(file):
        yield Entry(record.place, question_of(record, origin), tuple(paragraphs_of(record)))


def read_questions(file: Path, origin: str, limit: int = 0) -> list[Question]:
    """At most `limit` questions of a file (0: all), evenly spaced from its first to its last.

    Data sets come sorted by level, so evenly spaced questions are of every level. With a limit the file is read
    twice, to count its questions and to take some: memory holds only those taken. Raises BadProject with the place of
    the first that cannot be used; two questions with one id are an error that names both, since answers and scores
    are told apart by id.
    """
    wanted = set(spaced(sum(1 for _ in read_entries(file, origin)), limit)) if limit else None
    found: list[Question] = []
    places: dict[str, Place] = {}
    for at, entry in enumerate(read_entries(file, origin)):
        if wanted is None or at in wanted:
            refuse_twin(places, entry.question.id, entry.place)
            found.append(entry.question)
    if not found:
        raise BadProject("empty; expected at least one question with its answer", file=file)
    return found


def brings_paragraphs(file: Path) -> bool:
    """Whether one of a file's first hundred questions has paragraphs. Raises BadProject."""
    return any(entry.paragraphs for entry in itertools.islice(read_entries(file, "data"), 100))


def spaced(count: int, limit: int) -> list[int]:
    """The indices of at most `limit` of `count` things (0: all), evenly spaced."""
    return [index * count // limit for index in range(limit)] if 0 < limit < count else list(range(count))


def read_examples(file: Path) -> list[Example]:
    """Every example of a file. Raises BadProject."""
    found: list[Example] = []
    places: dict[str, Place] = {}
    for record in read_records(file):
        found.append(example_of(record))
        refuse_twin(places, found[-1].question.id, record.place)
    return found


def refuse_twin(places: dict[str, Place], name: str, place: Place) -> None:
    """Notes where an id is used. Raises BadProject when it is used already."""
    if name in places:
        raise place.error(f"`{name}` is already used in {places[name]}; ids must differ", "id")
    places[name] = place


# -- an example ------------------------------------------------------------------------------------------------------


def example_of(record: Record) -> Example:
    """The example that a record is. Raises BadProject with its place and the key at fault."""
    steps = _list(record, "steps")
    return Example(question_of(record, "seed"), tuple(_step(step, record.place) for step in steps))


def _step(row: Any, place: Place) -> Step:
    wanted = ("thought", "action", "argument")
    if not isinstance(row, dict) or any(not isinstance(row.get(key), str) for key in wanted):
        raise place.error(f"every step needs the texts {', '.join(wanted)}", "steps")
    return Step(row["thought"], row["action"], row["argument"], str(row.get("observation", "")))


# -- a question ------------------------------------------------------------------------------------------------------


def question_of(record: Record, origin: str) -> Question:
    """The question that a record is; without an id it is named by its place. Raises BadProject."""
    values = record.values
    choices = _choices(record)
    return Question(
        id=_id(record) or f"{origin}-{record.place.number:03d}", text=_wording(record, choices),
        answer=_answer(record, choices), origin=origin, level=_level(values), type=str(values.get("type") or ""),
        choices=choices, gold=_gold(record), picture=picture_of(values),
    )  # fmt: skip


def id_of(values: Mapping[str, Any]) -> str:
    """The id of a record's question; empty when it has none."""
    ids = (str(values[key]).strip() for key in ID_KEYS if values.get(key) is not None)
    return next(filter(None, ids), "")


def _id(record: Record) -> str:
    name = id_of(record.values)
    if FORK in name:
        raise record.place.error(f"expected an id without {FORK}, which marks forks, found {name!r:.40}", "id")
    return name


def _wording(record: Record, choices: tuple[str, ...]) -> str:
    text = _text(record, QUESTION_KEYS)
    if choices:
        text = text.partition("\nOptions:")[0]  # flat rows of ScienceQA repeat the options in the question
    hint = str(record.values.get("hint") or "").strip()
    return f"{text}\nContext: {hint}" if hint else text  # as in ScienceQA's flat rows


def _level(values: Mapping[str, Any]) -> str:
    """easy, medium or hard; ScienceQA has grades, which are told in bands of four."""
    if level := values.get("level") or values.get("grade_band"):
        return str(level)
    grade = str(values.get("grade") or "").removeprefix("grade")
    return next((band for last, band in GRADE_BANDS if grade.isdecimal() and 1 <= int(grade) <= last), "")


def _choices(record: Record) -> tuple[str, ...]:
    choices = tuple(str(choice) for choice in _list(record, "choices"))
    if len(choices) > len(ascii_uppercase):
        most = len(ascii_uppercase)
        raise record.place.error(f"expected at most {most} options, one a letter, found {len(choices)}", "choices")
    return choices


def _answer(record: Record, choices: tuple[str, ...]) -> str:
    """A text or a number as its text; of a multiple-choice question the letter or the words of an option."""
    value = next((record.values[key] for key in ANSWER_KEYS if key in record.values), None)
    if choices and isinstance(value, int) and not isinstance(value, bool):
        return _numbered(record, value, choices)
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(record, ANSWER_KEYS)
    if choices and option(text, choices) is None:
        wanted = f"a letter from A to {ascii_uppercase[len(choices) - 1]}, or the words of an option"
        raise record.place.error(f"expected {wanted}, found {text!r:.40}", "answer")
    return text


def _numbered(record: Record, value: int, choices: tuple[str, ...]) -> str:
    """The answer that a whole number means: ScienceQA counts options from 0, elsewhere it may be an option's words."""
    letter = ascii_uppercase[value] if 0 <= value < len(choices) else ""
    words = str(value) if str(value) in choices and not SCIENCEQA_KEYS & record.values.keys() else ""
    if not letter and not words:
        raise record.place.error(f"expected a letter or an index from 0 to {len(choices) - 1}, found {value}", "answer")
    if letter and words and choices[value] != words:
        raise record.place.error(f"{value} may be an index or the words of an option; write a letter", "answer")
    return words or letter


def _gold(record: Record) -> tuple[str, ...]:
    """Titles of gold pages: AutoAct's `gold`, or HotpotQA's `supporting_facts` as pairs or as two lists."""
    if "gold" in record.values:
        return tuple(dict.fromkeys(map(str, _list(record, "gold"))))
    facts = record.values.get("supporting_facts")
    titles = facts.get("title") if isinstance(facts, dict) else _firsts(_list(record, "supporting_facts"))
    if not isinstance(titles, list):
        raise record.place.error("expected pairs of title and sentence number", "supporting_facts")
    return tuple(dict.fromkeys(map(str, titles)))


def _firsts(pairs: list[Any]) -> list[Any] | None:
    """The first of every pair; None when some are not pairs."""
    return [pair[0] for pair in pairs] if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs) else None


def paragraphs_of(record: Record) -> Iterator[Paragraph]:
    """HotpotQA's paragraphs: pairs of title and sentences, or two lists; or one text, titled by the record's title."""
    context = record.values.get("context") or []
    if isinstance(context, str):
        context = [[str(record.values.get("title") or id_of(record.values) or record.place), context]]
    elif isinstance(context, dict):
        context = _zipped(context.get("title"), context.get("sentences"))
    if not isinstance(context, list) or not all(map(_is_paragraph, context)):
        raise record.place.error("expected paragraphs as pairs of a title and its sentences", "context")
    for title, sentences in context:
        yield title, sentences if isinstance(sentences, str) else " ".join(map(str.strip, sentences))


def _zipped(titles: Any, texts: Any) -> list[list[Any]] | None:
    """Pairs of two lists; None when they are not two lists of one length."""
    if not isinstance(titles, list) or not isinstance(texts, list) or len(titles) != len(texts):
        return None
    return [list(pair) for pair in zip(titles, texts, strict=True)]


def _is_paragraph(pair: Any) -> bool:
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
        return False
    return isinstance(pair[1], str) or (isinstance(pair[1], list) and all(isinstance(one, str) for one in pair[1]))


def _list(record: Record, key: str) -> list[Any]:
    found = record.values.get(key) or []
    if not isinstance(found, list):
        raise record.place.error(f"expected a list, found {type(found).__name__}", key)
    return found


def _text(record: Record, keys: tuple[str, ...]) -> str:
    value = next((record.values[key] for key in keys if key in record.values), None)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if value is None else repr(value)[:40]
        raise record.place.error(f"expected a text, found {found}", keys[0])
    return value.strip()


# -- a picture -------------------------------------------------------------------------------------------------------


def picture_of(values: Mapping[str, Any]) -> Picture | None:
    """What a record tells of its question's picture: `caption` and `ocr` (or `orc`); None when it tells nothing."""
    if "caption" in values:
        caption = str(values["caption"] or "")
        if caption in ("", NO_PICTURE):
            return Picture(there=False)
        return Picture(caption=caption, texts=_recognised(values.get("ocr") or values.get("orc") or ""))
    return Picture(there=False) if "image" in values and not values["image"] else None


def _recognised(told: object) -> tuple[str, ...]:
    """Texts as a list, or as ScienceQA has them: the Python notation of (box, text, certainty) triples."""
    if isinstance(told, list):
        return tuple(map(str, told))
    try:
        found = ast.literal_eval(str(told))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (str(told),) if told not in ("", NO_PICTURE) else ()
    triples = found if isinstance(found, list) else []
    return tuple(str(one[1]) for one in triples if _is_sure(one))


def _is_sure(triple: Any) -> bool:
    if not isinstance(triple, list | tuple) or len(triple) != 3 or not isinstance(triple[2], int | float | str):
        return False
    try:
        return float(triple[2]) >= LEAST_SURE
    except ValueError:
        return False
