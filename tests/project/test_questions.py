"""Questions mean the same whichever form their file has, and none is lost without a word."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from autoact.errors import BadProject
from autoact.project.questions import read_examples, read_question_records, read_questions, spaced_indices
from autoact.trajectory import Picture, Question

PAGES = [["Fidelio", ["Fidelio is an opera.", " It is by Beethoven."]], ["Bonn", ["A city."]]]
FACTS = [["Fidelio", 0], ["Fidelio", 1], ["Bonn", 0]]
HOTPOT = {"question": "Where was he born?", "answer": "Bonn", "type": "bridge", "level": "hard"}
OFFICIAL = {"_id": "5a8b", **HOTPOT, "supporting_facts": FACTS, "context": PAGES}
COPY = {
    "id": "5a8b", **HOTPOT,
    "supporting_facts": {"title": [title for title, _ in FACTS], "sent_id": [number for _, number in FACTS]},
    "context": {"title": [title for title, _ in PAGES], "sentences": [sentences for _, sentences in PAGES]},
}  # fmt: skip
QUESTION = Question("5a8b", "Where was he born?", "Bonn", "data", "hard", "bridge", gold=("Fidelio", "Bonn"))
PARAGRAPHS = (("Fidelio", "Fidelio is an opera. It is by Beethoven."), ("Bonn", "A city."))

PROBLEM = {
    "question": "Which is a metal?", "choices": ["salt", "iron"], "answer": 1, "hint": "Metals shine.", "image": None,
    "task": "closed choice", "grade": "grade6", "skill": "metals", "lecture": "", "solution": "", "split": "test",
}  # fmt: skip
FLAT = {
    "Question": "Which is a metal?\nContext: Metals shine.\nOptions: (A) salt (B) iron", "choices": ["salt", "iron"],
    "caption": "no img", "orc": "no img", "Answer": "B", "metadata": {"grade": 6}, "pid": "7", "grade_band": "5-8",
}  # fmt: skip
METAL = Question(
    "7", "Which is a metal?\nContext: Metals shine.", "B", "data", "5-8", choices=("salt", "iron"),
    picture=Picture(there=False),
)  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.json"


def put(file: Path, *rows: Any) -> Path:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def one(file: Path, **row: Any) -> Question:
    (question,) = read_questions(put(file, {"question": "Who?", "answer": "Verdi", **row}), "data")
    return question


@pytest.mark.parametrize(
    "content", [json.dumps(OFFICIAL), json.dumps([OFFICIAL]), json.dumps(COPY), json.dumps([COPY])]
)
def test_every_form_of_hotpotqa(file: Path, content: str) -> None:
    file.write_text(content)
    (entry,) = read_question_records(file, "data")
    assert (entry.question, entry.paragraphs) == (QUESTION, PARAGRAPHS)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"7": PROBLEM}),
        json.dumps({"7": PROBLEM}, indent=2),
        json.dumps([{**PROBLEM, "id": 7}]),
        json.dumps(FLAT),
    ],
)
def test_every_form_of_scienceqa(file: Path, content: str) -> None:
    file.write_text(content)
    assert read_questions(file, "data") == [METAL]


def test_the_shared_data_in_every_form(shared: Path, tmp_path: Path) -> None:
    lines = (shared / "data" / "hotpotqa" / "dev.jsonl").read_text("utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    expected = read_questions(shared / "data" / "hotpotqa" / "dev.jsonl", "data")
    assert len(expected) == len(rows) == 150
    official = [{"_id": row["id"], **{key: row[key] for key in row if key != "id"}} for row in rows]
    (tmp_path / "official.json").write_text(json.dumps(official))
    assert read_questions(tmp_path / "official.json", "data") == expected
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "question", "answer", "level", "type"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "table.csv").write_text(table.getvalue(), "utf-8-sig")
    assert read_questions(tmp_path / "table.csv", "data") == [replace(question, gold=()) for question in expected]


@pytest.mark.parametrize(
    ("answer", "text"), [(1831, "1831"), (3.5, "3.5"), (0, "0"), ("  yes ", "yes"), ("right", "right")]
)
def test_answers_that_are_numbers_are_their_text(file: Path, answer: Any, text: str) -> None:
    assert one(file, answer=answer).answer == text


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"choices": ["salt", "iron"], "answer": 1}, "B"),
        ({"choices": ["12", "7"], "answer": 7}, "7"),
        ({"choices": ["0", "1"], "answer": 1}, "1"),
        ({"choices": ["2", "3", "1"], "answer": 1, "hint": ""}, "B"),
        ({"choices": [2, 3, 1], "answer": "3"}, "3"),
        ({"choices": ["salt", "iron"], "answer": "(b) iron"}, "(b) iron"),
    ],
)  # fmt: skip
def test_the_answer_of_a_multiple_choice_question(file: Path, row: dict[str, Any], answer: str) -> None:
    assert one(file, **row).answer == answer


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"answer": None}, "key `answer`: expected a text, found nothing"),
        ({"answer": ["a"]}, "key `answer`: expected a text, found ['a']"),
        ({"choices": ["salt", "iron"], "answer": "C"}, "key `answer`: expected a letter from A to B"),
        (
            {"choices": ["salt", "iron"], "answer": 2},
            "key `answer`: expected a letter or an index from 0 to 1, found 2",
        ),
        ({"choices": ["2", "3", "1"], "answer": 1}, "key `answer`: 1 may be an index or the words of an option"),
        ({"choices": "salt"}, "key `choices`: expected a list, found str"),
        ({"choices": list(range(27))}, "key `choices`: expected at most 26 options"),
        ({"gold": "Peru"}, "key `gold`: expected a list"),
        ({"supporting_facts": [["A"]]}, "key `supporting_facts`: expected pairs of title and sentence number"),
        ({"supporting_facts": {"title": "A"}}, "key `supporting_facts`: expected pairs"),
        ({"context": [["A"]]}, "key `context`: expected paragraphs as pairs of a title and its sentences"),
        ({"context": {"title": ["A"], "sentences": []}}, "key `context`: expected paragraphs"),
        ({"context": [["A", [1]]]}, "key `context`: expected paragraphs"),
        ({"id": "q~1"}, "key `id`: expected an id without ~"),
    ],
)
def test_what_cannot_be_used_names_line_and_key(file: Path, row: dict[str, Any], told: str) -> None:
    put(file, {"question": "Which?", "answer": "it"}, {"question": "Who?", "answer": "Verdi", **row})
    with pytest.raises(BadProject) as found:
        list(read_question_records(file, "data"))
    assert str(found.value).startswith(f"{file}:2, {told}")


def test_records_of_a_list_are_named_by_number(file: Path) -> None:
    file.write_text(json.dumps([{**HOTPOT}, {"question": "Who?"}]))
    with pytest.raises(BadProject, match="record 2, key `answer`: expected a text, found nothing"):
        read_questions(file, "data")


@pytest.mark.parametrize(
    ("row", "name"), [({"id": 0}, "0"), ({"_id": "x"}, "x"), ({"pid": 9}, "9"), ({"id": ""}, "data-001")]
)
def test_ids_are_kept(file: Path, row: dict[str, Any], name: str) -> None:
    assert one(file, **row).id == name


@pytest.mark.parametrize("limit", [0, 3])
def test_two_questions_with_one_id_are_told_with_both_places(file: Path, limit: int) -> None:
    put(file, *({"id": name, **HOTPOT} for name in ("a", "b", "a")))
    with pytest.raises(BadProject, match=r"data\.json:3, key `id`: `a` is already used in line 1; ids must differ"):
        read_questions(file, "data", limit)
    file.write_text(json.dumps([{"id": name, **HOTPOT} for name in ("a", "a")]))
    with pytest.raises(BadProject, match=r"record 2, key `id`: `a` is already used in record 1"):
        read_questions(file, "data", limit)
    row = json.dumps(HOTPOT)
    file.write_text(f'{{"a": {row}, "a": {row}}}')
    with pytest.raises(BadProject, match="already used in record 1"):
        read_questions(file, "data", limit)


def test_a_limit_takes_questions_of_every_level(file: Path) -> None:
    levels = ["easy"] * 5 + ["hard"] * 5
    put(file, *({**HOTPOT, "id": f"q-{number}", "level": level} for number, level in enumerate(levels)))
    assert [question.level for question in read_questions(file, "data", 4)] == ["easy", "easy", "hard", "hard"]
    assert [question.level for question in read_questions(file, "data", 99)] == levels
    assert len(read_questions(file, "data")) == 10


@pytest.mark.parametrize(("count", "limit"), [(10, 4), (3, 7), (150, 20), (0, 5), (7, 0), (7, 7), (1_000_003, 9)])
def test_spaced_indices_differ_and_span_the_whole(count: int, limit: int) -> None:
    found = spaced_indices(count, limit)
    assert len(set(found)) == len(found) == min(count, limit or count)
    assert all(0 <= index < count for index in found)
    gaps = {after - before for before, after in zip(found, found[1:], strict=False)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_a_file_without_questions_is_an_error(file: Path) -> None:
    file.write_text("\n\n")
    with pytest.raises(BadProject, match="empty; expected at least one question"):
        read_questions(file, "data")


def test_one_text_as_context_is_a_page(file: Path) -> None:
    put(file, {**HOTPOT, "title": "Bonn", "context": "A city."}, {**HOTPOT, "id": "x", "context": "A town."}, HOTPOT)
    entries = list(read_question_records(file, "data"))
    assert [entry.paragraphs for entry in entries] == [(("Bonn", "A city."),), (("x", "A town."),), ()]


def test_pictures(file: Path) -> None:
    told = one(file, caption="A map", ocr=["Red", "Sea"]).picture
    assert told == Picture(caption="A map", texts=("Red", "Sea"))
    assert one(file, image="image.png").picture is None
    assert one(file, image=None).picture == Picture(there=False)
    hostile = one(file, caption="A", orc="[(1, 'x', None), (1, 'y', '0.9'), 3, (1, 'z', 'much')]").picture
    assert hostile == Picture(caption="A", texts=("y",))


def test_examples_have_steps_and_ids_that_differ(file: Path) -> None:
    step = {"thought": "I look.", "action": "Retrieve", "argument": "Bonn"}
    put(file, {**OFFICIAL, "steps": [step]}, HOTPOT)
    first, second = read_examples(file)
    assert (first.question, len(first.steps), second.question.id) == (replace(QUESTION, origin="seed"), 1, "seed-002")
    put(file, {**HOTPOT, "_id": "x"}, {**HOTPOT, "pid": "x"})
    with pytest.raises(BadProject, match="`x` is already used in line 1"):
        read_examples(file)
