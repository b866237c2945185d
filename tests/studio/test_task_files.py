"""The files that the task pane edits, and the changes that it undoes, beside those of other programs."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from autoact.errors import BadInput, BadProject
from autoact.files import disk
from studio.files import examples_jsonl
from studio.files.examples_jsonl import ExampleLine
from studio.files.file_undo import FileUndo
from studio.files.task_files import TaskFiles

NEW = ExampleLine('{"question": "New?", "answer": "yes"}', {"question": "New?", "answer": "yes"})


def example(steps: list[dict[str, Any]]) -> ExampleLine:
    data = {"question": "Who wrote it?", "answer": "Verdi", "steps": steps}
    return ExampleLine(json.dumps(data), data)


@pytest.mark.parametrize(("name", "content"), [("project.toml", b"[task"), ("examples.jsonl", b"\xff\n")])
def test_nothing_is_saved_over_files_that_cannot_be_read(opera: Path, name: str, content: bytes) -> None:
    files, kept = TaskFiles(opera), (opera / "examples.jsonl").read_bytes()
    (opera / name).write_bytes(content)
    with pytest.raises(BadProject):
        files.read()
    assert files.is_current
    for _ in range(2):
        with pytest.raises(BadProject):
            files.save_examples(lambda: [NEW])
    assert (opera / "examples.jsonl").read_bytes() == (content if name == "examples.jsonl" else kept)
    (opera / "project.toml").write_text("", encoding="utf-8")
    (opera / "examples.jsonl").write_bytes(kept)
    with pytest.raises(BadInput, match="have been read again"):
        files.save_examples(lambda: [NEW])
    files.save_examples(lambda: [*files.rows, NEW])
    assert files.problem == ""


@pytest.mark.parametrize("key", ["name", "description"])
def test_a_task_without_words_is_refused(opera: Path, key: str) -> None:
    files, kept = TaskFiles(opera), (opera / "project.toml").read_bytes()
    files.read()
    with pytest.raises(BadProject, match=rf"key `task\.{key}`: expected a text, found nothing"):
        files.save_task({"name": "opera", "description": "Answer.", key: " "})
    assert (opera / "project.toml").read_bytes() == kept


def test_a_change_elsewhere_ends_what_can_be_undone(opera: Path) -> None:
    files = TaskFiles(opera)
    files.read()
    files.save_examples(lambda: [])
    assert files.can_undo
    (opera / "examples.jsonl").write_text(f"{NEW.line}\n", encoding="utf-8")
    files.read()
    assert not files.can_undo


def test_two_undos_at_the_same_time_undo_two_changes(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    undo = FileUndo(file)
    for before, after in ((b"1", b"2"), (b"2", b"3")):
        file.write_bytes(after)
        undo.add(before, after)
    told: list[str] = []
    threads = [threading.Thread(target=lambda: told.append(undo.restore())) for _ in range(3)]
    with disk.lock_folder(tmp_path):
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["", "", "There is nothing to undo."]
    assert file.read_bytes() == b"1"


@pytest.mark.parametrize(
    "step",
    [
        {"thought": "So.", "action": "Calc", "argument": "a]b"},
        {"thought": "So.", "action": "Calc", "argument": "a[b"},
        {"thought": "One.\nAction: Retrieve[x]", "action": "Retrieve", "argument": "x"},
        {"thought": "So.", "action": "Retrieve", "argument": "x", "observation": "Answer is correct, says it."},
        {"thought": "So.", "action": "Retrieve", "argument": "x", "observation": " spaces ", "own": 1},
        {"thought": "", "action": "Open", "argument": "the box"},
    ],
)
def test_an_edit_of_one_step_keeps_the_others(step: dict[str, Any]) -> None:
    """Also those that lines of Thought and Action cannot say."""
    first = {"thought": "I look.", "action": "Retrieve", "argument": "it", "observation": "A page."}
    row = example([first, step])
    text = examples_jsonl.steps_text(row)
    found = examples_jsonl.edit_example(row, {"answer": "Puccini", "steps": text}, Path("examples.jsonl"), 1)
    assert found.data == {**row.data, "answer": "Puccini"}
    found = examples_jsonl.edit_example(row, {"steps": text.replace("I look", "I read")}, Path("examples.jsonl"), 1)
    assert found.data["steps"] == [{**first, "thought": "I read."}, step]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Thought: I read.", "expected a line such as `Action: Retrieve.Brazil.` in step 1"),
        ("Action: Retrieve[Brazil]\nAction: Retrieve", "in step 2"),
        ("Thought: I read.\nAction: Retrieve[Brazil] and more", "expected only lines of Thought:.* see `and`"),
        ("Action: Retrieve[Brazil]\nAction: Nope[foo\nObservation: [1]", r"`Nope\[foo` in step 2 has no closing"),
        ("[{", "key `steps`: invalid JSON"),
    ],
)
def test_steps_that_are_no_calls_or_would_lose_words_are_refused(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        examples_jsonl.parse_worked_steps(text)
