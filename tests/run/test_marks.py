"""A person's marks on practice questions: kept, changed, removed, and never written over a damaged file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.errors import BadInput
from autoact.run.record.folder import RunFolder
from autoact.run.record.marks import read_marks, write_mark
from autoact.security import trust

ONE, OTHER = ("Who wrote Fidelio?", "Beethoven"), ("Who wrote\nAida?", "Verdi")


def test_marks_are_kept_changed_and_removed(folder: RunFolder) -> None:
    assert read_marks(folder) == {}
    write_mark(folder, ONE, True)
    write_mark(folder, OTHER, False)
    assert read_marks(folder) == {ONE: True, OTHER: False}
    write_mark(folder, ONE, False)
    assert read_marks(folder) == {ONE: False, OTHER: False}
    write_mark(folder, OTHER, None)
    assert read_marks(folder) == {ONE: False}
    assert folder.marks.stat().st_mode & 0o777 == 0o600


def test_the_same_question_with_another_answer_has_no_mark(folder: RunFolder) -> None:
    write_mark(folder, ONE, True)
    assert (ONE[0], "Mozart") not in read_marks(folder)


@pytest.mark.parametrize(
    "line",
    [b'{"question": "Who?", "answer": "a"}', b'{"question": "Who?", "answer": "a", "right": "yes"}', b"{", b"\xff",
     b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_named_and_left_alone(folder: RunFolder, line: bytes) -> None:
    write_mark(folder, ONE, True)
    with folder.marks.open("ab") as file:
        file.write(line + b"\n")
    before = folder.marks.read_bytes()
    for work in (lambda: read_marks(folder), lambda: write_mark(folder, OTHER, True)):
        with pytest.raises(BadInput, match=r"marks\.jsonl:2: expected \{\"question\""):
            work()
    assert folder.marks.read_bytes() == before


def test_what_is_no_file_is_named(folder: RunFolder, obstacle: Callable[[Path], str]) -> None:
    kind = obstacle(folder.marks)
    with pytest.raises(BadInput, match=rf"marks\.jsonl: expected a file, found {kind}"):
        write_mark(folder, ONE, True)


def test_marks_of_two_viewers_at_once_are_all_kept(folder: RunFolder) -> None:
    def mark(viewer: int) -> None:
        for number in range(8):
            write_mark(folder, (f"Question {number} of {viewer}?", "yes"), number % 2 == 0)

    viewers = [threading.Thread(target=mark, args=(viewer,)) for viewer in range(3)]
    for thread in viewers:
        thread.start()
    for thread in viewers:
        thread.join()
    assert len(read_marks(folder)) == 24


def test_a_foreign_run_is_not_marked(folder: RunFolder) -> None:
    trust.revoke(folder.path)
    with pytest.raises(trust.NotTrusted):
        write_mark(folder, ONE, True)
    assert not folder.marks.exists()
