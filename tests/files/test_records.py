"""Records are read one at a time from every container, and what cannot be read is told with its place."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoact.errors import BadProject
from autoact.files.records import DataRecord, RecordPlace, read_records, rename_columns, scan_records

ROWS = [{"question": f"Who wrote number {number}?", "answer": "Verdi", "note": {"a": [1, "}"]}} for number in range(5)]
BOM = b"\xef\xbb\xbf"


def encoded(rows: Any) -> bytes:
    return json.dumps(rows).encode()


def scanned(data: bytes, name: str = "a.jsonl", **options: Any) -> list[DataRecord | BadProject]:
    return list(scan_records(io.BytesIO(data), name, **options))


def values(data: bytes, name: str = "a.jsonl") -> list[dict[str, Any]]:
    found = scanned(data, name)
    assert not [one for one in found if isinstance(one, BadProject)]
    return [one.values for one in found if isinstance(one, DataRecord)]


def problems(data: bytes, name: str = "a.jsonl", **options: Any) -> list[str]:
    return [str(one) for one in scanned(data, name, **options) if isinstance(one, BadProject)]


LINES = b"\n".join(map(encoded, ROWS))


@pytest.mark.parametrize(
    "data",
    [
        LINES,
        BOM + LINES + b"\n\n  \n",
        b"\n\n" + LINES.replace(b"\n", b"\r\n"),
        encoded(ROWS),
        BOM + b" \n" + json.dumps(ROWS, indent=3).encode() + b"\n\n",
    ],
    ids=["lines", "lines with a mark", "lines of another system", "list", "indented list"],
)
def test_the_form_changes_nothing(data: bytes) -> None:
    assert values(data) == values(data, "a.json") == ROWS


@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_keyed_by_id(indent: int | None) -> None:
    keyed = {f'k"{number}': row for number, row in enumerate(ROWS)}
    data = json.dumps(keyed, indent=indent).encode()
    assert values(data, "problems.json") == [{"id": key, **row} for key, row in keyed.items()]


def test_a_line_whose_first_value_is_an_object_is_a_line() -> None:
    row = {"context": {"title": ["A"], "sentences": [["B."]]}, "question": "Who?", "answer": "A"}
    assert values(encoded(row) + b"\n" + encoded(row)) == [row, row]


def test_lines_are_split_at_line_feeds_only() -> None:
    row = {"question": "Who\u2028wrote\u0085it?", "answer": "A"}
    assert values(json.dumps(row, ensure_ascii=False).encode() + b"\n") == [row]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"question,answer\nWho?,Verdi\n", [{"question": "Who?", "answer": "Verdi"}]),
        (BOM + b"\nAnswer;_id;Question\n\n7;x1;Who, then?\n", [{"answer": "7", "_id": "x1", "question": "Who, then?"}]),
        (b'question\tanswer\n"Who\nwrote it?"\tV\n\n', [{"question": "Who\nwrote it?", "answer": "V"}]),
        (b"question,answer,choices\nWhich?,B,x|y\n", [{"question": "Which?", "answer": "B", "choices": ["x", "y"]}]),
        (
            b'question,answer,choices\nWhich?,B,"[""|"", 2]"\n',
            [{"question": "Which?", "answer": "B", "choices": ["|", 2]}],
        ),
        (b"question,answer,type\nWho?,V,\n", [{"question": "Who?", "answer": "V"}]),
    ],
)  # fmt: skip
def test_columns(data: bytes, rows: list[dict[str, Any]]) -> None:
    assert values(data, "a.csv") == rows


def test_columns_without_a_header_where_their_names_are_given() -> None:
    (found,) = scanned(b"Who?\tVerdi\n", "pasted", columns=("question", "answer"))
    assert isinstance(found, DataRecord)
    assert (found.place.line, found.values) == (1, {"question": "Who?", "answer": "Verdi"})


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b'{"a": 1}\n{"a": \n{"b": 2}\n[1]\n7', "a.jsonl", [
            "a.jsonl:2: not valid JSON", "a.jsonl:4: expected a JSON object, found list",
            "a.jsonl:5: expected a JSON object, found int",
        ]),
        (b'{"a": "\xff"}', "a.jsonl", ["a.jsonl:1: not valid JSON"]),
        (b"no", "a.jsonl", ["a.jsonl:1: not valid JSON"]),
        (b"no", "a.csv", ["a.csv:1: expected a JSON object, or a header that names the columns question and answer"]),
        (b'[{"a": 1}, {"a": }]', "a.json", ["a.json, record 2: not valid JSON: Expecting value at character 6"]),
        (b'[{"a": 1}, 5, {"b": 1}]', "a.json", ["a.json, record 2: expected a JSON object, found int"]),
        (b'[{"a": 1} {"a": 2}]', "a.json", ["a.json, record 1: not valid JSON: expected , or ], found {"]),
        (b'[{"a": 1}', "a.json", ["a.json, record 1: not valid JSON: expected , or ], found the end of the file"]),
        (b'[{"a": 1},]', "a.json", ["a.json, record 2: not valid JSON"]),
        (b'[{"a": 1}] x', "a.json", ["a.json, record 1: not valid JSON: something follows the closing ]"]),
        (b'[{"a": NaN}]', "a.json", ["a.json, record 1: not valid JSON"]),
        (b'[{"a": "\\ud800"}]', "a.json", ["a.json, record 1: not valid JSON"]),
        (b'[{"a": "\xff"}]', "a.json", ["a.json, record 1: not valid JSON: 'utf-8' codec"]),
        (b"[" * 100_000, "a.json", ["a.json, record 1: not valid JSON"]),
        (b'{"k": {"a": 1}, "l": 3, 4: {}}', "a.json", [
            "a.json, record 2: expected a JSON object", "a.json, record 3: not valid JSON",
        ]),
        (b"question,answer\nWhat is a, b?,yes\nWho?,V", "a.csv", [
            "a.csv:2: found 3 columns where 2 are named (question, answer); quote",
        ]),
        (b'question,answer\nWho?,V\n"Who,V\nWhat?,V', "a.csv", ["a.csv:3: not valid CSV"]),
        (b"question,answer\nWho?,V\nWas\xff?,V\n", "a.csv", ["a.csv:3: not UTF-8 text"]),
        (b"question,answer\nWho?\n", "a.csv", ["a.csv:2: expected a question and its answer, found one column"]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(data: bytes, name: str, told: list[str]) -> None:
    found = problems(data, name)
    assert len(found) == len(told), found
    assert all(one.startswith(start) for one, start in zip(found, told, strict=True)), found


@pytest.mark.parametrize("data", [b"", b"\n \n", BOM, b"[]", b" { } ", b"{}\n"])
def test_files_that_say_nothing(data: bytes) -> None:
    assert [one for one in scanned(data, "a.json") if isinstance(one, DataRecord) and one.values] == []


def test_a_record_is_no_longer_than_allowed() -> None:
    long = encoded({"a": "x" * 1000})
    (line,) = problems(long + b"\n" + encoded({"a": 1}), longest=500)
    assert line == "a.jsonl:1: the line has 1,010 bytes; expected at most 500"
    endless = b'[{"a": 1}, {"a": "' + b"x" * 300_000
    (never,) = problems(endless, "a.json", longest=100_000)
    assert never == "a.json, record 2: not valid JSON: no end within 100,000 characters"


def test_the_first_mistake_ends_a_strict_reading(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"a": 1}\n{\n{"b": 1}')
    records = read_records(file)
    assert next(records).values == {"a": 1}
    with pytest.raises(BadProject, match=r"a\.jsonl:2: not valid JSON"):
        next(records)
    with pytest.raises(BadProject, match="expected a file"):
        next(read_records(tmp_path))


def many(write: Callable[[list[dict[str, str]]], bytes], file: Path) -> Path:
    file.write_bytes(write([{"id": str(number), "text": "word " * 200} for number in range(10_000)]))
    return file


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.jsonl", lambda rows: b"\n".join(map(encoded, rows))),
        ("a.json", encoded),
        ("b.json", lambda rows: encoded({row["id"]: row for row in rows})),
        ("a.csv", lambda rows: b"question,answer\n" + b"".join(b"%s,a\n" % row["text"].encode() for row in rows)),
    ],
)
def test_memory_holds_one_record(name: str, write: Callable[[Any], bytes], tmp_path: Path) -> None:
    file = many(write, tmp_path / name)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_records(file)) == 10_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < file.stat().st_size / 10


def test_columns_that_change_places() -> None:
    record = DataRecord(RecordPlace("a.csv", 2), {"question": "Lima", "answer": "Which city?", "id": "7"})
    swapped = rename_columns(record, {"question": "answer", "answer": "question"})
    assert swapped.values == {"question": "Which city?", "answer": "Lima", "id": "7"}
    moved = rename_columns(record, {"question": "id", "id": "question"})
    assert (moved.values["question"], moved.values["id"]) == ("7", "Lima")
    with pytest.raises(BadProject, match="no column `text`, or nothing in it; there is question, answer, id"):
        rename_columns(record, {"question": "text"})
