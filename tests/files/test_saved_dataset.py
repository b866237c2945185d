"""Data sets that the library `datasets` saved in a folder: as files of questions, and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autoact.cli import main
from autoact.errors import BadProject
from autoact.files.records import read_records
from autoact.project.project import Project, create
from autoact.project.questions import has_paragraphs, read_questions
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Question

ROWS = [
    {
        "id": f"5a{number}", "question": f"Where is number {number}?", "answer": "here", "type": "bridge",
        "level": "hard",
        "supporting_facts": {"title": ["A"], "sent_id": [0]},
        "context": {"title": [f"Page {number}"], "sentences": [["It is here.", " It stays."]]},
    }
    for number in range(700)
]  # fmt: skip
"""Rows of HotpotQA as the library has them."""


def save(folder: Path, *parts: list[dict[str, Any]], **state: Any) -> Path:
    """Writes Arrow streams and their description, as `save_to_disk` does."""
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    ipc = pytest.importorskip("pyarrow.ipc")
    folder.mkdir(parents=True)
    names = [f"data-{number:05d}-of-{len(parts):05d}.arrow" for number in range(len(parts))]
    for name, rows in zip(names, parts, strict=True):
        table = pyarrow.Table.from_pylist(rows)
        with pyarrow.OSFile(str(folder / name), "wb") as file, ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table, max_chunksize=300)
    described = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "0", **state}
    (folder / "state.json").write_text(json.dumps(described))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def test_the_rows_of_all_files_in_order(tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", ROWS[:500], ROWS[500:])
    found = list(read_records(folder))
    assert [one.values for one in found] == ROWS
    assert str(found[-1].place) == "record 700"


def test_questions_with_their_paragraphs(tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", ROWS)
    assert read_questions(folder, "data", limit=2) == [
        Question(f"5a{n}", f"Where is number {n}?", "here", "data", "hard", "bridge", gold=("A",)) for n in (0, 350)
    ]
    assert has_paragraphs(folder)
    corpus = Corpus.of_data(Project.file(str(folder)), tmp_path / "cache")
    assert len(corpus) == 700
    corpus.close()
    (folder / "data-00000-of-00001.arrow").unlink()
    with pytest.raises(BadProject, match="names the file `data-00000-of-00001.arrow`, which is not there"):
        read_questions(folder, "data")


def test_columns_of_ones_own(tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", [{"prompt": "Who?", "label": "I"}])
    (asked,) = read_questions(folder, "data", columns={"question": "prompt", "answer": "label"})
    assert (asked.text, asked.answer) == ("Who?", "I")


def test_trajectories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = "Thought: I read.\nAction: Retrieve[Peru]\nObservation: Lima.\nThought: So.\nAction: Finish[Lima]"
    rows = [{"instruction": "What is the capital of Peru?", "input": "", "output": steps}]
    folder, project = save(tmp_path / "saved", rows), create(tmp_path / "p", "blank")
    assert main(["import", "--check", "--right", str(folder), str(project.root)]) == 0
    assert "trajectories  1, of 1 questions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"_indices_data_files": [{"filename": "i.arrow"}]}, "save it after `flatten_indices()`"),
        ({"_data_files": [{"filename": "../data.arrow"}]}, "names the file `data.arrow`, which is not there"),
        ({"_data_files": [{}]}, "state.json: not the state of a saved data set"),
    ],
)
def test_a_folder_that_cannot_be_read(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", ROWS[:2], **changes)
    (tmp_path / "data.arrow").write_bytes(b"")
    with pytest.raises(BadProject) as error:
        list(read_records(folder))
    assert str(error.value).startswith(str(folder))
    assert told in str(error.value)


def test_one_of_several_splits_is_asked_for(tmp_path: Path) -> None:
    for split in ("train", "test"):
        save(tmp_path / "saved" / split, ROWS[:2])
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(BadProject, match=r"saved: holds several splits \(test, train\); expected the folder of one"):
        read_questions(tmp_path / "saved", "data")
    assert len(read_questions(tmp_path / "saved" / "test", "data")) == 2


def test_half_a_file(tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", ROWS)
    file = folder / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:-40_000])
    with pytest.raises(BadProject, match="data-00000-of-00001.arrow: not a whole Arrow file"):
        list(read_records(folder))
