"""Each benchmark's official file is read as it is, and a file of one's own by the names of its columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autoact.cli import main
from autoact.errors import BadProject
from autoact.project.project import create
from autoact.project.questions import read_question_records, read_questions
from autoact.tools.pages.page_files import read_paragraphs
from autoact.trajectory import Page, Question

MUSIQUE = {
    "id": "2hop__1_2", "question": "Where was its composer born?", "answer": "Bonn",
    "answer_aliases": ["Bonn, Germany"], "answerable": True,
    "question_decomposition": [
        {"id": 1, "question": "composer", "answer": "Beethoven", "paragraph_support_idx": 2},
        {"id": 2, "question": "#1 born", "answer": "Bonn", "paragraph_support_idx": 0},
    ],
    "paragraphs": [
        {"idx": 0, "title": "Beethoven", "paragraph_text": "Born in Bonn.", "is_supporting": True},
        {"idx": 1, "title": "Verdi", "paragraph_text": "A composer.", "is_supporting": False},
        {"idx": 2, "title": "Fidelio", "paragraph_text": "By Beethoven.", "is_supporting": True},
    ],
}  # fmt: skip
WIKI = {
    "_id": "w1", "type": "compositional", "question": "Who?", "answer": "Verdi", "supporting_facts": [["Otello", 0]],
    "context": [["Otello", ["An opera.", " By Verdi."]]], "evidences": [["Otello", "composer", "Verdi"]],
}  # fmt: skip
STRATEGY = {
    "qid": "872", "term": "Swastika", "description": "a symbol", "question": "Did they use it?", "answer": True,
    "facts": ["They did."], "decomposition": ["Who?"], "evidence": [[["Swastika-1"]]],
}  # fmt: skip
GSM = {"question": "How many?", "answer": "He has 3 + 4 = <<3+4=7>>7.\n#### 1,007"}


def put(file: Path, content: Any) -> Path:
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "musique_ans.jsonl", MUSIQUE,
            Question("2hop__1_2", "Where was its composer born?", "Bonn", "data", type="2hop",
                     gold=("Fidelio", "Beethoven"), other_answers=("Bonn, Germany",), scorer="squad"),
        ),
        ("2wiki.json", [WIKI], Question("w1", "Who?", "Verdi", "data", type="compositional", gold=("Otello",))),
        ("strategyqa.json", [STRATEGY], Question("872", "Did they use it?", "yes", "data", scorer="yes-no")),
        ("gsm8k.jsonl", GSM, Question("data-001", "How many?", "1007", "data", scorer="number")),
        ("bamboogle.csv", 'Question,Answer\n"Who, I?",Verdi\n', Question("data-002", "Who, I?", "Verdi", "data")),
        ("bamboogle.json", [{"Question": "Who?", "Answer": "Verdi"}], Question("data-001", "Who?", "Verdi", "data")),
    ],
)  # fmt: skip
def test_official_files(name: str, content: Any, expected: Question, tmp_path: Path) -> None:
    assert read_questions(put(tmp_path / name, content), "data") == [expected]


def test_paragraphs_of_musique_are_a_corpus(tmp_path: Path) -> None:
    file, problems = put(tmp_path / "a.jsonl", MUSIQUE), list[str]()
    (entry,) = read_question_records(file, "data")
    assert entry.paragraphs[1:] == (("Verdi", "A composer."), ("Fidelio", "By Beethoven."))
    assert list(read_paragraphs(file, problems))[1] == Page("Verdi", "A composer.")
    assert problems == []


COLUMNS = {"question": "Prompt", "answer": "label", "choices": "options", "id": "nr"}


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_columns_of_ones_own(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    rows = [{"nr": "x", "Prompt": "Which?", "options": ["salt", "iron"], "label": "B"}]
    if name.endswith("csv"):
        put(file, "nr,Prompt,options,label\nx,Which?,salt|iron,B\n")
    elif name.endswith("jsonl"):
        put(file, rows[0])
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        pyarrow.parquet = pytest.importorskip("pyarrow.parquet")
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    assert read_questions(file, "data", columns=COLUMNS) == [
        Question("x", "Which?", "B", "data", choices=("salt", "iron"))
    ]


@pytest.mark.parametrize(
    ("name", "content", "columns", "told"),
    [
        ("a.jsonl", {"prompt": "Who?", "label": "I"}, {"question": "promt"}, ":1, key `question`: no column "
         "`promt`, or nothing in it; there is prompt, label"),
        ("a.csv", "prompt,label\nWho?,I\n", {"question": "prompt", "answer": "lable"}, ":1: expected a JSON object, or "
         "a header that names the columns prompt and lable"),
        ("a.csv", "question,answer\n", {}, "empty; expected at least one question"),
        ("a.json", "<!doctype html><title>Sign in</title>", {}, ":1: looks like HTML or XML"),
        ("a.csv", "\n <html>", {}, ":1: looks like HTML or XML"),
        ("a.json", json.dumps([WIKI, {**WIKI, "_id": "2"}])[:-40], {}, "record 2: not valid JSON"),
        ("a.jsonl", f"{json.dumps(GSM)}\n{json.dumps(GSM)[:-20]}", {}, ":2: not valid JSON"),
        ("a.jsonl", f"{json.dumps(GSM)}\n{json.dumps(STRATEGY)}", {}, ":2: has the form of StrategyQA, those before "
         "have the form of GSM8K; a file has one form"),
        ("a.jsonl", f"{json.dumps(GSM)}\nWho?,I\n", {}, ":2: not valid JSON"),
        ("a.jsonl", f"{json.dumps(WIKI)}\n{json.dumps(GSM)}", {}, ":2: has the form of GSM8K, those before have no "
         "benchmark's form"),
        ("a.json", [{**WIKI, "choices": ["a", "b"], "answer": "C"}], {}, "record 1, key `answer`: expected a letter "
         "from A to B"),
        ("a.jsonl", {**GSM, "answer": "3\n#### "}, {}, ":1, key `answer`: expected a number after ####"),
        ("a.jsonl", {**MUSIQUE, "answerable": False}, {}, ":1, key `answerable`: the question has no answer"),
        ("a.jsonl", {**MUSIQUE, "paragraphs": [{"title": "A"}]}, {}, ":1, key `paragraphs`: expected objects"),
        ("a.jsonl", {"question": "Who?", "answer": "I", "scorer": "bleu"}, {}, "expected one of squad, number, yes-no"),
        ("a.parquet", "PAR1 and no more", {}, "not a whole Parquet file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(
    name: str, content: Any, columns: dict[str, str], told: str, tmp_path: Path
) -> None:  # fmt: skip
    file = put(tmp_path / name, content)
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    with pytest.raises(BadProject) as error:
        read_questions(file, "data", columns=columns)
    assert str(error.value).startswith(str(file))
    assert told in str(error.value)


def test_columns_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = create(tmp_path / "p", "blank")
    file = put(tmp_path / "a.jsonl", {"prompt": "Who?", "label": "I"})
    command = ["eval", str(project.root), "--data", str(file), "--method", "meta", "--columns"]
    for columns, told in (
        ("question=promt,answer=label", "no column `promt`"), ("question", "expected NAME=NAME,..."),
        ("context=x", "expected some of question, answer, id, choices, level, type, found context"),
    ):  # fmt: skip
        assert main([*command, columns]) == 2
        assert told in capsys.readouterr().err
