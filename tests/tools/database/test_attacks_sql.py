"""Forty statements that would write, read what is not theirs or never end, and statements that must go on working."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autoact.tools.database.sqlite import CannotQuery, SqliteReader
from autoact.tools.database.sqlite_worker import LARGEST_ANSWER, LONGEST_CELL

CANARY = "canary-7f3a"
SECONDS = 0.5
PATIENCE_S = 30.0
"""For statements that must work, on however busy a machine."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attacked")
    with closing(sqlite3.connect(folder / "rivers.db")) as connection:
        connection.executescript(
            "CREATE TABLE river (name TEXT, km INTEGER); INSERT INTO river VALUES ('Nile', 6650), ('Amazon', 6400);"
            "CREATE TABLE n (x); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000)"
            " INSERT INTO n SELECT x FROM c;"
            "CREATE VIEW long AS SELECT name FROM river WHERE km > 6500;"
            "CREATE VIRTUAL TABLE note USING fts5(text); INSERT INTO note VALUES ('a river in Africa');"
            "CREATE TABLE doc (body); INSERT INTO doc VALUES ('{\"a\": [1, 2]}');"
        )
    with closing(sqlite3.connect(folder / "other.db")) as connection:
        connection.executescript(f"CREATE TABLE secret (word); INSERT INTO secret VALUES ('{CANARY}');")
    (folder / "key.txt").write_text(CANARY)
    return folder


@pytest.fixture
def attacked(folder: Path) -> Iterator[SqliteReader]:
    reader = SqliteReader(folder / "rivers.db", SECONDS)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def reader(folder: Path) -> Iterator[SqliteReader]:
    reader = SqliteReader(folder / "rivers.db", PATIENCE_S)
    yield reader
    reader.close()


def contents(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def doubling(step: str, levels: int = 40) -> str:
    """Common tables of which each names the one before twice: 2^levels copies while the statement is prepared."""
    tables = ", ".join(f"c{n}(x) AS ({step.format(before=f'c{n - 1}')})" for n in range(1, levels + 1))
    return f"WITH c0(x) AS (SELECT 1), {tables} SELECT x FROM c{levels}"


COUNTING = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {what} FROM c"
LONG_TEXT = "(SELECT group_concat('aaaaaaaaaaaaaaaaaaaa', '') FROM n, (SELECT x FROM n LIMIT 45))"

WRITING = {
    "drop": "DROP TABLE river", "delete": "DELETE FROM river", "update": "UPDATE river SET km = 0",
    "insert": "INSERT INTO river VALUES ('Styx', 1)", "replace": "REPLACE INTO river VALUES ('Styx', 1)",
    "create": "CREATE TABLE t (a)", "create temporary": "CREATE TEMP TABLE t AS SELECT * FROM river",
    "create trigger": "CREATE TEMP TRIGGER t AFTER INSERT ON river BEGIN SELECT 1; END",
    "create virtual": "CREATE VIRTUAL TABLE temp.t USING fts5(a)",
    "alter": "ALTER TABLE river RENAME TO r", "index": "CREATE INDEX i ON river (km)", "reindex": "REINDEX",
    "analyze": "ANALYZE", "vacuum": "VACUUM", "vacuum into": "VACUUM INTO '{folder}/made.db'",
    "attach new": "ATTACH '{folder}/made.db' AS n", "write to fts": "INSERT INTO note(note) VALUES ('rebuild')",
    "two statements": "SELECT 1; DROP TABLE river", "comment hides": "SELECT 1 /* */; /* */ DELETE FROM river",
    "insert after with": "WITH a AS (SELECT 1) INSERT INTO river SELECT 'Styx', 1 FROM a",
    "begin": "BEGIN IMMEDIATE", "journal": "PRAGMA journal_mode = WAL", "writable schema": "PRAGMA writable_schema = 1",
    "query only": "PRAGMA query_only = 0", "user version": "PRAGMA user_version = 7",
}  # fmt: skip
READING = {
    "attach other": "ATTACH '{folder}/other.db' AS o", "load extension": "SELECT load_extension('{folder}/key.txt')",
    "read file": "SELECT readfile('{folder}/key.txt')", "write file": "SELECT writefile('{folder}/made.db', 'x')",
    "tokenizer": "SELECT fts3_tokenizer('simple')", "pages": "SELECT * FROM sqlite_dbpage",
    "statistics": "SELECT * FROM dbstat", "database list": "SELECT file FROM pragma_database_list",
    "shadow of another": "SELECT * FROM temp.sqlite_master, o.secret",
}  # fmt: skip
ENDLESS = {
    "counting": COUNTING.format(what="count(*)"), "blobs": "SELECT length(randomblob(1000000000))",
    "zeros": "SELECT hex(zeroblob(500000000))", "padding": "SELECT printf('%.*c', 1000000000, 'x')",
    "cross join": "SELECT count(*) FROM n a, n b, n c, n d",
    "long join": "SELECT length(group_concat(a.x)) FROM n a, n b, n c",
    "trim": f"SELECT trim({LONG_TEXT}, replace(substr({LONG_TEXT}, 1, 90000), 'a', 'b') || 'a')",
    "growing": "SELECT replace(replace(replace(" + LONG_TEXT + ", 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa')",
    "memory": f"SELECT a.x, {LONG_TEXT} || a.x AS t FROM n a, n b ORDER BY t, b.x",
    "patterns": "SELECT '" + "a" * 5000 + "' LIKE '" + "%a" * 2000 + "b'",
    "depth": "SELECT " + "(" * 1000 + "1" + ")" * 1000, "unions": " UNION ALL ".join(["SELECT 1"] * 2000),
    "doubling sums": doubling("SELECT (SELECT x FROM {before}) + (SELECT x FROM {before})"),
    "doubling joins": doubling("SELECT count(*) FROM {before}, {before} AS again"),
    "doubling unions": doubling("SELECT x FROM {before} UNION ALL SELECT x FROM {before}"),
}  # fmt: skip
ATTACKS = {**WRITING, **READING, **ENDLESS}


def test_there_are_forty_attacks() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, folder: Path, attacked: SqliteReader, reader: SqliteReader) -> None:
    before = contents(folder)
    with pytest.raises(CannotQuery) as refusal:
        attacked.query(ATTACKS[name].replace("{folder}", str(folder)), 20)
    assert CANARY not in str(refusal.value)
    assert contents(folder) == before
    assert reader.query("SELECT km FROM river WHERE name = 'Nile'", 20).rows == [[6650]]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT name FROM river ORDER BY km DESC", [["Nile"], ["Amazon"]]),
        ("select count(*), avg(km), max(name) from river;", [[2, 6525.0, "Nile"]]),
        ("SELECT name FROM long", [["Nile"]]),
        ("WITH a AS (SELECT 1 UNION SELECT 2) SELECT count(*) FROM a", [[2]]),
        ("SELECT count(*) FROM (SELECT km FROM river WHERE km > 6500)", [[1]]),
        ("WITH a AS (SELECT km FROM river) SELECT sum(km) FROM a", [[13050]]),
        ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 4) SELECT max(x) FROM c", [[4]]),
        ("SELECT a.name FROM river a JOIN river b ON a.km > b.km", [["Nile"]]),
        ("SELECT name, rank() OVER (ORDER BY km) FROM river ORDER BY name", [["Amazon", 1], ["Nile", 2]]),
        ("SELECT text FROM note WHERE note MATCH 'africa'", [["a river in Africa"]]),
        ("SELECT highlight(note, 0, '<', '>') FROM note('river')", [["a <river> in Africa"]]),
        ("SELECT body ->> '$.a[1]' FROM doc", [[2]]),
        ("SELECT value FROM doc, json_each(body, '$.a')", [[1], [2]]),
        ("SELECT upper(substr(name, 1, 2)) || length(name) FROM river WHERE name LIKE 'n%'", [["NI4"]]),
        ("SELECT round(6650 / 1.609, 1), 7 % 4, coalesce(NULL, 'x'), date('2024-02-28', '+1 day')",
         [[4133.0, 3, "x", "2024-02-29"]]),
        ("SELECT name FROM sqlite_master WHERE type = 'view'", [["long"]]),
        ("VALUES (1, 'a'), (2, 'b')", [[1, "a"], [2, "b"]]),
        ("SELECT km / 1000 AS k, group_concat(name) FROM river GROUP BY k HAVING count(*) > 1", [[6, "Nile,Amazon"]]),
        ("SELECT 'drop table river', \"name\" FROM river LIMIT 1", [["drop table river", "Nile"]]),
        ("SELECT name FROM river EXCEPT SELECT 'Nile' -- ; delete", [["Amazon"]]),
    ],
)  # fmt: skip
def test_statement_that_must_work(reader: SqliteReader, statement: str, rows: list[list[object]]) -> None:
    assert reader.query(statement, 20).rows == rows


def test_a_reader_that_was_killed_starts_again(folder: Path) -> None:
    reader = SqliteReader(folder / "rivers.db", 3.0)
    with pytest.raises(CannotQuery, match="longer than 3 seconds|out of memory"):
        reader.query(ENDLESS["doubling sums"], 20)
    assert reader.query("SELECT km FROM river WHERE name = 'Nile'", 20).rows == [[6650]]
    reader.close()


def test_long_answers_are_cut(reader: SqliteReader) -> None:
    rows = reader.query("SELECT x FROM n", 20)
    assert (len(rows.rows), rows.more) == (20, True)
    (cell,) = reader.query(f"SELECT {LONG_TEXT}", 20).rows[0]
    assert len(cell) == LONGEST_CELL + 1
    wide = reader.query(f"SELECT {LONG_TEXT} FROM n", 10_000)
    assert wide.more
    assert sum(len(row[0]) for row in wide.rows) < LARGEST_ANSWER + 2 * LONGEST_CELL


def test_values_that_json_does_not_have(reader: SqliteReader) -> None:
    assert reader.query("SELECT 9e999, -9e999, x'00ff', NULL", 20).rows == [["inf", "-inf", "<2 bytes>", None]]


def test_what_is_no_database_or_ends_early(folder: Path, reader: SqliteReader) -> None:
    with pytest.raises(CannotQuery, match="cannot be opened: file is not a database"):
        SqliteReader(folder / "key.txt", SECONDS).tables()
    with pytest.raises(CannotQuery, match="cannot be opened"):
        SqliteReader(folder / "absent.db", SECONDS).tables()
    assert not (folder / "absent.db").exists()
    assert list(reader.tables()) == ["doc", "long", "n", "note", "river"]
