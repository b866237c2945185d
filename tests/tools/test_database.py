"""Database answers from CSV files, a SQLite file or a server, tells its tables, and says what it lacks."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autoact.script import Observation
from autoact.security import grants
from autoact.tools.database import csv_tables
from autoact.tools.database.database import PASSWORD
from autoact.tools.database.server import ServerReader
from autoact.tools.database.sqlite import CannotQuery
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.library.tool import ToolRecord
from autoact.tools.pages.corpus import Corpus

RIVERS = "Name,Length km,Ends in\nNile,6650,Mediterranean\nAmazon,6400.5,Atlantic\nRhine,1230,\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "rivers.csv").write_text(RIVERS)
    (tmp_path / "tables" / "2 lakes.tsv").write_text("name\tname\t\nBaikal\t007\tdeep\n\nErie\n")
    (tmp_path / "tables" / "notes.txt").write_text("not a table")
    return tmp_path


@pytest.fixture
def library(corpus: Corpus, root: Path) -> Iterator[Library]:
    library = Library.load(None, ToolContext(corpus, root=root))
    yield library
    library.close()


def record(corpus: Corpus, root: Path, **settings: object) -> ToolRecord:
    found = Library.load(None, ToolContext(corpus, {"Database": settings}, root=root)).resolve("Database")
    assert found is not None
    return found


def ask(library: Library, argument: str) -> Observation:
    return library.session().call("Database", argument)


def test_a_folder_of_tables(library: Library) -> None:
    assert ask(library, "SELECT name FROM rivers ORDER BY length_km DESC LIMIT 1").text == "Nile"
    assert ask(library, "SELECT name, ends_in FROM rivers WHERE length_km < 6450.5").text == (
        "name: Amazon, ends_in: Atlantic; name: Rhine, ends_in: NULL"
    )
    assert ask(library, "SELECT name, name_2, column_3 FROM _2_lakes").text == (
        "name: Baikal, name_2: 007, column_3: deep; name: Erie, name_2: NULL, column_3: NULL"
    )
    assert ask(library, "SELECT 1 FROM rivers WHERE length_km > 9000").text == "No rows."


@pytest.mark.parametrize("question", ["schema", "What tables are there?", "list the columns", "DESCRIBE rivers"])
def test_questions_about_the_tables(library: Library, question: str) -> None:
    seen = ask(library, question)
    assert not seen.failed
    assert "rivers(name, length_km, ends_in)" in seen.text
    assert ("_2_lakes" in seen.text) == ("rivers" not in question)


def test_failures_say_what_would_work(library: Library) -> None:
    for wrong, told in (
        ("SELECT a FROM rivrs", "no such table: rivrs. Tables: _2_lakes("),
        ("SELECT long FROM rivers", "no such column: long. Tables: "),
        ("How long is the Nile?", "Database expects a SELECT statement. Tables: _2_lakes("),
        ("DELETE FROM rivers", "Database failed: not authorized."),
        ("SELECT (", "Database failed: incomplete input."),
    ):
        seen = ask(library, wrong)
        assert seen.failed
        assert told in seen.text


def test_states(corpus: Corpus, root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with closing(sqlite3.connect(root / "a.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
    server = "postgresql://reader@localhost/db"
    states = {
        "sqlite:///a.db": "ready", "a.db": "ready", f"sqlite:///{root / 'a.db'}": "ready", "b.db": "needs-setting",
        server: "refused",
    }  # fmt: skip
    assert {url: record(corpus, root, url=url).state for url in states} == states
    refused = record(corpus, root, url="postgresql://reader:hush@localhost/db", read_only_role=True)
    assert (refused.state, "hush" in refused.reason, PASSWORD in refused.reason) == ("refused", False, True)
    assert record(corpus, root, url=server, read_only_role=True).state in ("ready", "needs-package")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pg8000", None)
        without = record(corpus, root, url=server, read_only_role=True)
    assert (without.state, "autoact-studio[database]" in without.reason) == ("needs-package", True)
    bare = record(corpus, tmp_path_factory.mktemp("bare"))
    assert (bare.state, "CSV files" in bare.reason) == ("needs-setting", True)


def test_a_password_is_sent_only_to_a_server_that_was_allowed(
    corpus: Corpus, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))
    monkeypatch.setenv(PASSWORD, "hush-hush")
    grants.allow(PASSWORD, "db.example")

    def found(url: str) -> ToolRecord:
        return record(corpus, root, url=url, read_only_role=True)

    assert found("postgresql://reader@db.example/data").state in ("ready", "needs-package")
    for url in ("postgresql://reader@other.example/data", "postgresql://reader@db.example/data?host=other.example"):
        refused = found(url)
        assert (refused.state, PASSWORD in refused.reason) == ("refused", True)
        context = ToolContext(corpus, {"Database": refused.settings}, root=root)
        assert context.secret_for(PASSWORD, url) is None


def test_a_table_that_cannot_be_read_is_an_observation(library: Library, root: Path) -> None:
    (root / "tables" / "bad.csv").write_bytes(b"a,b\n\xff,1\n")
    seen = ask(library, "schema")
    assert seen.failed
    assert "bad.csv: cannot be read as a table" in seen.text


def test_cells() -> None:
    cells = {"12": 12, "-3": -3, "007": "007", "1.50": 1.5, "1e5": "1e5", " x ": "x", "": None, "9" * 30: "9" * 30}
    assert {cell: csv_tables.value(cell) for cell in cells} == cells


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerReader]:
    pytest.importorskip("sqlalchemy")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.executescript(
            "CREATE TABLE t (a INTEGER, b DATE); INSERT INTO t VALUES (1, '2024-01-02'), (2, NULL)"
        )
    server = ServerReader(f"sqlite:///{tmp_path / 'a.db'}", None, 3.0)
    yield server
    server.close()


def test_a_server(server: ServerReader) -> None:
    assert server.tables() == {"t": ["a INTEGER", "b DATE"]}
    assert server.query("SELECT * FROM t ;", 20).rows == [[1, "2024-01-02"], [2, None]]
    assert server.query("SELECT a FROM t", 1).more
    assert server.query("SELECT '100%' AS x, ':y'", 20).rows == [["100%", ":y"]]


@pytest.mark.parametrize(
    "statement", ["DELETE FROM t", "SELECT 1; DELETE FROM t", " insert into t values (3, 4)", "SELECT z FROM t"]
)
def test_a_server_is_only_read(server: ServerReader, statement: str) -> None:
    with pytest.raises(CannotQuery):
        server.query(statement, 20)
    assert len(server.query("SELECT * FROM t", 20).rows) == 2


def test_a_silent_server_is_left(server: ServerReader) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 60000000) SELECT count(*) FROM c"
    with pytest.raises(CannotQuery, match="longer than 3 seconds"):
        server.query(endless, 20)
    assert server.query("SELECT 1", 20).rows == [[1]]


def test_a_servers_trouble_keeps_the_password_to_itself(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    server = ServerReader("nosuch://me@host/db", "hush", 1.0)
    with pytest.raises(CannotQuery) as trouble:
        server.query("SELECT 1", 1)
    assert "hush" not in str(trouble.value)
