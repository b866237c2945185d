"""The read-only guard before a real PostgreSQL and a real MariaDB, each started here on a port of its own.

Both are asked by a user that may only read, and by one that may do anything: the guard has to hold for the second.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from autoact.tools.database.database import PASSWORD
from autoact.tools.database.server import ServerReader
from autoact.tools.database.sqlite import CannotQuery
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.pages.corpus import Corpus

OWNER = "owner-word"
READER = "reader-word"
SECONDS = 3.0
STARTS_WITHIN = 60.0
TABLES = (
    "CREATE TABLE rivers (name VARCHAR(40) PRIMARY KEY, length_km NUMERIC(6, 1), seen DATE)",
    "INSERT INTO rivers VALUES ('Nile', 6650, '1862-07-28'), ('Amazon', 6400.5, NULL), ('100% Creek', 7, NULL)",
    "CREATE VIEW long_rivers AS SELECT name FROM rivers WHERE length_km > 1000",
    "CREATE SEQUENCE numbers",
)


class Server:
    """A running server with the tables above; `url` has USER in the place of a user."""

    def __init__(self, kind: str, url: str) -> None:
        from sqlalchemy import create_engine, make_url

        self.kind, self.url = kind, url
        driver = {"postgresql": "postgresql+pg8000", "mariadb": "mysql+pymysql"}[kind]
        owner = make_url(url.replace("USER", "owner")).set(password=OWNER, drivername=driver)
        self._engine = create_engine(owner, isolation_level="AUTOCOMMIT")

    def reader(self, user: str = "owner", seconds: float = SECONDS) -> ServerReader:
        return ServerReader(self.url.replace("USER", user), OWNER if user == "owner" else READER, seconds)

    def as_owner(self, *statements: str) -> list[tuple[Any, ...]]:
        """Carry out statements without any guard; the rows of the last one."""
        with self._engine.connect().execution_options(no_parameters=True) as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    def answers(self) -> bool:
        """Whether it lets its owner in: it may listen some time before."""
        from sqlalchemy.exc import DBAPIError

        try:
            return bool(self.as_owner("SELECT 1"))
        except DBAPIError:
            return False

    def content(self) -> list[tuple[Any, ...]]:
        """Every row of `rivers`, and the name of every table."""
        return self.as_owner(
            "SELECT name FROM rivers UNION ALL SELECT table_name FROM information_schema.tables "
            "WHERE table_schema IN ('public', 'shop') ORDER BY 1"
        )

    def close(self) -> None:
        self._engine.dispose()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, *places: str) -> str:
    """The path of a program of a server. Skips when the server is not installed."""
    found = shutil.which(name) or next(
        (str(path) for place in places for path in Path("/").glob(f"{place}/{name}")), ""
    )
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def folder_of(account: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder and what Popen takes: servers refuse root, so root lends it to `account` and starts them as it."""
    with tempfile.TemporaryDirectory(prefix="autoact-server-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder, {}
            return
        entry = pwd.getpwnam(account)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        yield folder, {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": ()}


@contextmanager
def running(server: Server, command: Sequence[str], folder: Path, **account: Any) -> Iterator[None]:
    """The server of `command`, which answers by then, until it is no longer needed."""
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, start_new_session=True,
            **account,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not server.answers():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        server.close()
        process.send_signal(signal.SIGQUIT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def postgresql() -> Iterator[Server]:
    initdb = program("initdb", "usr/lib/postgresql/*/bin")
    port = free_port()
    with folder_of("postgres") as (folder, account):
        password = folder / "password"
        password.write_text(OWNER)
        password.chmod(0o644)
        make = [initdb, "--pgdata", str(folder / "data"), "--no-sync", "--username", "owner", "--encoding", "UTF8",
                "--locale", "C", "--auth", "scram-sha-256", "--pwfile", str(password)]  # fmt: skip
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)
        serve = [str(Path(initdb).with_name("postgres")), "-D", str(folder / "data"), "-p", str(port), "-k", "",
                 "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]  # fmt: skip
        server = Server("postgresql", f"postgresql://USER@127.0.0.1:{port}/postgres")
        with running(server, serve, folder, **account):
            server.as_owner(
                *TABLES,
                f"CREATE ROLE reader LOGIN PASSWORD '{READER}'",
                "GRANT SELECT ON rivers, long_rivers TO reader",
                "CREATE FUNCTION add_a_river() RETURNS int LANGUAGE sql AS "
                "'INSERT INTO rivers VALUES (''Styx''); SELECT 1'",
            )
            yield server


@contextmanager
def mariadb() -> Iterator[Server]:
    install, serve = program("mariadb-install-db", "usr/bin"), program("mariadbd", "usr/sbin", "usr/libexec")
    port = free_port()
    with folder_of("mysql") as (folder, account):
        data = f"--datadir={folder / 'data'}"
        # Each server empties its folder for temporary files when it starts, so it needs one of its own.
        temporary = f"--tmpdir={folder}"
        make = [install, "--no-defaults", data, temporary, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)
        words = folder / "words.sql"
        words.write_text(
            f"CREATE USER owner@'127.0.0.1' IDENTIFIED BY '{OWNER}';\nGRANT ALL ON *.* TO owner@'127.0.0.1';\n"
            f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{READER}';\nCREATE DATABASE shop;\n"
            "GRANT SELECT ON shop.* TO reader@'127.0.0.1';\n"
        )
        words.chmod(0o644)
        command = [
            serve, "--no-defaults", data, temporary, f"--port={port}", "--bind-address=127.0.0.1",
            "--skip-name-resolve", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}",
            f"--init-file={words}", "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0",
        ]  # fmt: skip
        server = Server("mariadb", f"mysql://USER@127.0.0.1:{port}/shop")
        with running(server, command, folder, **account):
            server.as_owner(
                *TABLES,
                "CREATE FUNCTION add_a_river() RETURNS int MODIFIES SQL DATA "
                "BEGIN INSERT INTO rivers VALUES ('Styx', 1, NULL); RETURN 1; END",
            )
            yield server


SERVERS = {"postgresql": postgresql, "mariadb": mariadb}


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with SERVERS[request.param]() as server:
        yield server


@pytest.fixture(params=["reader", "owner"])
def reader(request: pytest.FixtureRequest, server: Server) -> Iterator[ServerReader]:
    with closing(server.reader(request.param)) as reader:
        yield reader


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT name FROM rivers ORDER BY length_km DESC;", [["Nile"], ["Amazon"], ["100% Creek"]]),
        ("SELECT name FROM rivers WHERE name LIKE '100%'", [["100% Creek"]]),
        ("SELECT name, length_km, seen FROM rivers WHERE name = 'Nile'", [["Nile", "6650.0", "1862-07-28"]]),
        ("SELECT seen FROM rivers WHERE name = 'Amazon'", [[None]]),
        ("WITH far AS (SELECT * FROM long_rivers) SELECT count(*) FROM far", [[2]]),
        ("SELECT ':name', '%s', '%(a)s', '%%'", [[":name", "%s", "%(a)s", "%%"]]),
        ("SELECT 9223372036854775807 * 10.0", [["92233720368547758070.0"]]),
        ("select length_km + 1 from rivers where name = 'Amazon'", [["6401.5"]]),
    ],
)
def test_what_it_answers(statement: str, rows: list[list[Any]], reader: ServerReader) -> None:
    assert reader.query(statement, 20).rows == rows


def test_it_tells_its_tables(reader: ServerReader) -> None:
    tables = reader.tables()
    assert {"rivers", "long_rivers"} <= set(tables)
    assert [column.split()[0] for column in tables["rivers"]] == ["name", "length_km", "seen"]


WRITES = (
    "DELETE FROM rivers",
    "INSERT INTO rivers VALUES ('Styx', 1, NULL)",
    "TRUNCATE TABLE rivers",
    "DROP TABLE rivers",
    "CREATE TABLE other (a INT)",
    "SELECT 1; DELETE FROM rivers",
    "SELECT add_a_river()",
    "SELECT nextval('numbers')",
    "SELECT NEXT VALUE FOR numbers",
    "WITH gone AS (DELETE FROM rivers RETURNING *) SELECT * FROM gone",
    "WITH new AS (INSERT INTO rivers VALUES ('Styx', 1, NULL) RETURNING *) SELECT * FROM new",
    "SELECT * INTO other FROM rivers",
    "SELECT * FROM rivers INTO OUTFILE '{folder}/out'",
    "SELECT * FROM rivers INTO/**/DUMPFILE '{folder}/out'",
    "SELECT set_config('transaction_read_only', 'off', false), add_a_river()",
    "SELECT query_to_xml('DELETE FROM rivers RETURNING 1', true, true, '')",
    "EXPLAIN ANALYZE DELETE FROM rivers",
    "COPY rivers TO '{folder}/out'",
    "DO $$ BEGIN DELETE FROM rivers; END $$",
    "SET autocommit = 1",
    "COMMIT",
    "-- a comment\nDELETE FROM rivers",
    "/* SELECT */ DELETE FROM rivers",
)


UNDONE = ("SELECT 1 /*! INTO OUTFILE '{folder}/out' */", "SELECT lo_create(4711)")
"""A server may carry these out, and the end of the transaction undoes them."""


@pytest.fixture
def writable() -> Iterator[Path]:
    """A folder that any user may write to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.mark.parametrize("statement", WRITES)
def test_what_it_refuses(statement: str, server: Server, reader: ServerReader, writable: Path) -> None:
    before = server.content()
    with pytest.raises(CannotQuery):
        reader.query(statement.replace("{folder}", str(writable)), 20)
    assert server.content() == before
    assert list(writable.iterdir()) == []


@pytest.mark.parametrize("statement", UNDONE)
def test_what_it_undoes(statement: str, server: Server, reader: ServerReader, writable: Path) -> None:
    with suppress(CannotQuery):
        reader.query(statement.replace("{folder}", str(writable)), 20)
    assert list(writable.iterdir()) == []
    if server.kind == "postgresql":
        assert server.as_owner("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


def test_the_refused_would_write(server: Server, writable: Path) -> None:
    """Without the guard the owner's statements do what they say, so that their refusal means something."""
    before = server.content()
    try:
        assert server.as_owner("SELECT add_a_river()") == [(1,)]
        assert len(server.content()) == len(before) + 1
        if server.kind == "mariadb":
            server.as_owner(f"SELECT * FROM rivers INTO OUTFILE '{writable}/out'")
            assert (writable / "out").exists()
    finally:
        server.as_owner("DELETE FROM rivers WHERE name = 'Styx'")


@pytest.mark.parametrize(
    "endless",
    [
        {"postgresql": "SELECT pg_sleep(600)", "mariadb": "SELECT SLEEP(600)"},
        {
            "postgresql": "SELECT count(*) FROM generate_series(1, 1000000000)",
            "mariadb": "SELECT count(*) FROM seq_1_to_1000000000 WHERE MD5(seq) = 'a'",
        },
        {
            "postgresql": "SELECT set_config('statement_timeout', '0', false), pg_sleep(600)",
            "mariadb": "WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM c LIMIT 1000000000)"
            " SELECT count(*) FROM c a, c b, c d",
        },
    ],
    ids=["sleeping", "computing", "raising its limit"],
)
def test_a_statement_has_a_time(endless: dict[str, str], server: Server) -> None:
    with closing(server.reader(seconds=0.5)) as reader, pytest.raises(CannotQuery):
        reader.query(endless[server.kind], 20)
    deadline = time.monotonic() + 30
    while running_statements(server):
        assert time.monotonic() < deadline, running_statements(server)
        time.sleep(0.05)


def running_statements(server: Server) -> list[tuple[Any, ...]]:
    if server.kind == "postgresql":
        return server.as_owner(
            "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND"
            " backend_type = 'client backend'"
        )
    return server.as_owner(
        "SELECT info FROM information_schema.processlist WHERE command = 'Query' AND id <> connection_id()"
    )


def test_only_the_beginning_of_a_long_answer_is_fetched(server: Server, reader: ServerReader) -> None:
    rows = {"postgresql": "SELECT generate_series(1, 100000000)", "mariadb": "SELECT seq FROM seq_1_to_100000000"}
    for statement in (rows[server.kind], f"{rows[server.kind]} LIMIT 100000"):
        found = reader.query(statement, 3)
        assert (found.rows, found.more) == ([[1], [2], [3]], True)


def test_nothing_of_one_question_reaches_the_next(server: Server, reader: ServerReader) -> None:
    lock = {"postgresql": "SELECT pg_advisory_lock(7)", "mariadb": "SELECT GET_LOCK('seven', 1)"}
    free = {
        "postgresql": "SELECT pg_try_advisory_lock(7) AND pg_advisory_unlock(7)",
        "mariadb": "SELECT IS_FREE_LOCK('seven')",
    }
    reader.query(lock[server.kind], 1)
    deadline = time.monotonic() + 30
    while not server.as_owner(free[server.kind])[0][0]:  # the server notices a closed connection in its own time
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_threads_get_the_rows_of_their_own_statements(server: Server) -> None:
    with closing(server.reader("reader", seconds=60)) as reader, ThreadPoolExecutor(16) as pool:  # on a busy machine
        rows = pool.map(lambda number: reader.query(f"SELECT {number}", 1).rows, range(80))
        assert list(rows) == [[[number]] for number in range(80)]


def test_what_a_role_may_not_read_is_told(server: Server) -> None:
    secret = {"postgresql": "SELECT * FROM pg_authid", "mariadb": "SELECT * FROM mysql.user"}
    with closing(server.reader("reader")) as reader, pytest.raises(CannotQuery, match="denied"):
        reader.query(secret[server.kind], 20)


def test_a_wrong_password_is_not_repeated(server: Server) -> None:
    wrong = ServerReader(server.url.replace("USER", "reader"), "wrong-word", SECONDS)
    with pytest.raises(CannotQuery) as trouble:
        wrong.query("SELECT 1", 1)
    assert "wrong-word" not in str(trouble.value)


def test_an_agent_asks_it(server: Server, corpus: Corpus, tmp_path: Path) -> None:
    settings = {"url": server.url.replace("USER", "reader"), "read_only_role": True}
    context = ToolContext(
        corpus, {"Database": settings}, root=tmp_path, secret={PASSWORD: READER}.get,
        granted=lambda name, url: (name, url) == (PASSWORD, settings["url"]),
    )  # fmt: skip
    library = Library.load(None, context)
    try:
        session = library.session()
        assert session.call("Database", "SELECT name FROM rivers WHERE length_km > 6500").text == "Nile"
        assert "rivers(name VARCHAR(40), length_km" in session.call("Database", "schema").text
        missing = session.call("Database", "SELECT a FROM rivrs").text
        assert re.match(r"Database failed: .*rivrs.* (does not|doesn't) exist.* Tables: ", missing)
        assert "{" not in missing
        assert session.call("Database", "DROP TABLE rivers").failed
    finally:
        library.close()
