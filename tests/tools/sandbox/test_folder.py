"""The own folder: measured whatever is in it, and gone at the end."""

from __future__ import annotations

import os
from pathlib import Path

from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.folder import MOST_LISTED, find_excess, list_files, program_folder, remove
from autoact.tools.sandbox.program_result import ProgramFile


def test_it_is_gone_whatever_was_done_to_it() -> None:
    with program_folder() as folder:
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "b" / "c").write_text("x")
        (folder / "moved-0").mkdir()
        (folder / "link").symlink_to("/")
        (folder / "a" / "b").chmod(0)
        (folder / "a").chmod(0)
        folder.chmod(0)
    assert not folder.exists()
    assert Path("/").exists()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "link").symlink_to(kept)
    (folder / "link").symlink_to(kept)
    remove(folder)
    assert (kept / "file").exists()
    assert not folder.exists()


def test_excess_is_told_in_words(tmp_path: Path) -> None:
    assert find_excess(tmp_path, Bounds()) == ""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "large").write_bytes(os.urandom(100_000))
    assert find_excess(tmp_path, Bounds(folder=50_000)) == "its files took more than 0 MB"
    assert find_excess(tmp_path, Bounds(entries=1)) == "it made more than 1 files"


def test_sparse_files_take_what_they_take(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10**9)
    assert find_excess(tmp_path, Bounds()) == ""


def test_files_are_listed_by_name_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).write_text(name)
    (tmp_path / "folder").mkdir()
    assert list_files(tmp_path) == (ProgramFile("a", 1), ProgramFile("b", 1))
    for number in range(MOST_LISTED):
        (tmp_path / f"c{number}").touch()
    assert len(list_files(tmp_path)) == MOST_LISTED
