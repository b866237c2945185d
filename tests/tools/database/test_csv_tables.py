"""CSV files as tables: names of columns, and files that are too long."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from autoact.errors import BadProject
from autoact.tools.database import csv_tables


def test_a_column_with_the_name_of_a_word_of_sql_can_be_asked_for(tmp_path: Path) -> None:
    file, target = tmp_path / "Group.csv", tmp_path / "tables.sqlite"
    file.write_text("order,from,2nd key\n3,Lima,x\n")
    csv_tables.load([file], target)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT order_, from_, _2nd_key FROM group_").fetchall() == [(3, "Lima", "x")]


def test_a_table_that_is_too_long_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_tables, "MOST_ROWS", 2)
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n2\n")
    csv_tables.load([file], tmp_path / "first.sqlite")
    file.write_text("a\n1\n2\n3\n")
    with pytest.raises(BadProject, match="expected at most 2 rows"):
        csv_tables.load([file], tmp_path / "second.sqlite")
