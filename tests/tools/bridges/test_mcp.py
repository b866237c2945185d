"""MCP servers answer calls by their description, and a hostile one harms nothing."""

from __future__ import annotations

import re
import runpy
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from autoact.errors import BadProject
from autoact.security import grants
from autoact.tools.bridges.mcp import (
    ToolDescription,
    connect,
    descriptions_file,
    read_descriptions,
)
from autoact.tools.library.catalogue import BRIDGES
from autoact.tools.library.library import Library, ToolContext, ToolSession
from autoact.tools.library.tools_toml import read_enabled_tools
from autoact.tools.pages.corpus import Corpus

from ..web.conftest import Site, site

__all__ = ["site"]
pytest.importorskip("mcp")

Load = Callable[..., Library]
Gone = Callable[[int], bool]

SERVER = str(Path(__file__).with_name("server.py"))
ACTS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def entry(manner: str, folder: Path | str = "", **settings: object) -> str:
    command = [sys.executable, SERVER, manner, str(folder)]
    told = {"command": command, "connect_s": 60, "timeout_s": 60, **settings}
    return f'[[tool]]\nname = "own"\nkind = "mcp"\nsettings = {toml(told)}\n'


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(inner)}" for name, inner in value.items()) + "}"
    return repr(value).replace("'", '"')


@pytest.fixture
def connected(tmp_path: Path, load: Load) -> Callable[..., Library]:
    """A library with one server, which a person looked at while it was in its best manner."""

    def give(manner: str, held: dict[str, str] | None = None, **settings: object) -> Library:
        describe(tmp_path)
        return load(entry(manner, tmp_path, **settings), held)

    return give


def describe(root: Path) -> None:
    tools = [
        ToolDescription(tool["name"], tool["description"], tool["inputSchema"])
        for tool in runpy.run_path(SERVER)["TOOLS"]
    ]
    descriptions_file(root, "own").parent.mkdir(exist_ok=True)
    descriptions_file(root, "own").write_bytes(msgspec.json.encode(tools))


def meet(root: Path) -> list[ToolDescription]:
    (record,) = read_enabled_tools(root / "tools.toml", [], BRIDGES)
    return connect(ToolContext(Corpus.of_pages(()), root=root), record)


def test_a_server_is_not_started_to_list_its_tools(load: Load, tmp_path: Path) -> None:
    (record,) = load(entry("silent")).records()
    assert (record.name, record.state) == ("own", "needs-setting")
    assert record.reason == "its tools are not known yet; `autoact tools connect PROJECT own` reads them"
    descriptions_file(tmp_path, "own").write_text(
        '[{"name": "say", "description": "Says.", "schema": {"properties": {"w": {}}}}]'
    )
    (record,) = load(entry("silent")).records()
    assert (record.name, record.state, record.definition, record.usage) == ("own.say", "ready", "Says.", "own.say[w]")


def test_tools_are_called_by_server_and_name(connected: Callable[..., Library]) -> None:
    library = connected("well")
    assert [record.name for record in library.records()] == ["own.environment", "own.say"]
    session = library.session()
    assert session.call("own.say", "hello, world").text == "hello, world"
    assert session.call("Own.Say", '{"word": "again"}').text == "again"
    assert session.call("own.say", '{"wrod": "x"}').text == "own.say failed: there is no `wrod`; expected `word`"


def test_only_the_tools_wanted(connected: Callable[..., Library]) -> None:
    assert [record.name for record in connected("well", only=["say"]).records()] == ["own.say"]
    (record,) = connected("well", only=["shout"]).records()
    assert record.reason == "it has no tool shout; it has environment, say"


def test_a_server_sees_the_secrets_that_are_named(
    connected: Callable[..., Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_ONE", "1")
    held = {"SECRET_TWO": "2", "SECRET_THREE": "3"}
    library = connected("well", held, environment={"PLACE": "here"}, secrets=["SECRET_TWO"])
    seen = library.session().call("own.environment", "x").text.split()
    assert {"PLACE", "SECRET_TWO"} <= set(seen)
    assert not {"SECRET_ONE", "SECRET_THREE"} & set(seen)


def test_a_missing_secret_is_told(connected: Callable[..., Library]) -> None:
    assert {record.state for record in connected("well", secrets=["SECRET_TWO"]).records()} == {"needs-key"}


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("silent", "own.say failed: no answer within 3 s"),
        ("crashing", "own.say failed: the server has ended (cannot find the database)"),
        (
            "endless from the start",
            "own.say failed: the server sent a message of more than 2,000,000 bytes",
        ),
        ("many tools", "own.say failed: the server sent a message of more than 2,000,000 bytes"),
    ],
)
def test_a_server_that_never_shakes_hands(connected: Callable[..., Library], manner: str, said: str) -> None:
    session = connected(manner, connect_s=3 if manner == "silent" else 60).session()
    assert session.call("own.say", "hello").text == said


def awaited(session: ToolSession) -> None:
    """The server is up when its time is taken, however busy the machine is."""
    assert any("PATH" in session.call("own.environment", "x").text for _ in range(20))


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("endless", "the server sent a message of more than 2,000,000 bytes"),
        ("huge", "the server sent a message of more than 2,000,000 bytes"),
        ("flooding", "the server sent more than 2,000,000 bytes without an answer"),
        ("hanging", "no answer within 2 s"),
        ("stubborn", "no answer within 2 s"),
        ("complaining", "no answer within 2 s"),
        ("dying", "the server has ended (out of patience)"),
    ],
)
def test_a_server_that_misbehaves_in_a_call(connected: Callable[..., Library], manner: str, said: str) -> None:
    session = connected(manner, timeout_s=2 if said.startswith("no answer") else 60).session()
    awaited(session)
    first = session.call("own.say", "hello")
    assert first.text == f"own.say failed: {said}"
    awaited(session)  # it is started anew, and answers what it can


@pytest.mark.parametrize("manner", ["chatty", "nested", "scrambled", "asking", "endless list"])
def test_junk_between_the_messages_is_passed_over(connected: Callable[..., Library], manner: str) -> None:
    assert connected(manner).session().call("own.say", "hello").text == "hello"


def test_what_a_late_server_has_started_ends_too(connected: Callable[..., Library], tmp_path: Path, gone: Gone) -> None:
    session = connected("spawning", timeout_s=2).session()
    awaited(session)
    assert session.call("own.say", "hello").text == "own.say failed: no answer within 2 s"
    started = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(started) > 1
    assert all(map(gone, started))


def test_escape_sequences_act_nowhere(load: Load, tmp_path: Path) -> None:
    load(entry("escaping"))
    assert [tool.name for tool in meet(tmp_path)] == ["say"]  # the tool whose name is no name is left out
    library = load(entry("escaping"))
    (record,) = library.records()
    seen = library.session().call("own.say", "hello")
    assert "plain" in seen.text
    assert not [text for text in (record.definition, record.usage, seen.text) if ACTS.search(text)]


def test_a_description_that_has_changed_since_is_refused(connected: Callable[..., Library]) -> None:
    session = connected("turned").session()
    refused = session.call("own.say", "hello")
    assert refused.failed
    assert "describes it differently since it was connected" in refused.text


def test_what_a_server_starts_ends_with_it(connected: Callable[..., Library], tmp_path: Path, gone: Gone) -> None:
    library = connected("detached")
    assert library.session().call("own.say", "hello").text == "hello"
    started = int((tmp_path / "pid").read_text())
    library.close()
    assert gone(started)


def test_a_server_ends_when_its_person_is_killed(
    connected: Callable[..., Library], tmp_path: Path, gone: Gone, python: Callable[..., object]
) -> None:
    connected("detached")
    code = """
import sys
from pathlib import Path
from autoact.tools.pages.corpus import Corpus
from autoact.tools.library.library import Library, ToolContext, ToolSession
root = Path(sys.argv[1])
library = Library.load(root / "tools.toml", ToolContext(Corpus.of_pages(()), root=root))
print(library.session().call("own.say", "hello").text, flush=True)
sys.stdin.read()
"""
    process = python(code, tmp_path)
    assert process.stdout.readline() == "hello\n"  # type: ignore[attr-defined]
    servers = [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/cmdline")
        if SERVER in read(stat) and str(tmp_path) in read(stat)
    ]
    assert servers
    process.kill()  # type: ignore[attr-defined]
    assert all(gone(server) for server in servers)


def read(file: Path) -> str:
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("{}", "it needs settings"),
        ('{command = ["no-such-program-here"]}', "there is no program no-such-program-here here"),
        ('{command = ["sh"], url = "http://127.0.0.1"}', "it needs settings"),
    ],
)
def test_what_cannot_be_started_is_told(load: Load, settings: str, reason: str) -> None:
    (record,) = load(f'[[tool]]\nname = "own"\nkind = "mcp"\nsettings = {settings}\n').records()
    assert not record.runs
    assert reason in record.reason


def test_descriptions_that_cannot_be_read(load: Load, tmp_path: Path) -> None:
    file = descriptions_file(tmp_path, "own")
    file.parent.mkdir()
    file.write_text("[{]")
    with pytest.raises(BadProject, match="own.mcp.json"):
        load(entry("well"))
    file.write_text("[]")
    assert read_descriptions(file) == []


def test_connecting_fails_with_the_reason(load: Load, tmp_path: Path) -> None:
    load(entry("crashing"))
    with pytest.raises(BadProject, match="cannot find the database"):
        meet(tmp_path)


def test_connecting_keeps_what_the_server_says_of_its_tools(load: Load, tmp_path: Path) -> None:
    load(entry("well"))
    assert meet(tmp_path) == read_descriptions(descriptions_file(tmp_path, "own"))
    assert [record.name for record in load(entry("well")).records()] == ["own.environment", "own.say"]


def test_a_digest_covers_all_of_a_description() -> None:
    tool = ToolDescription("say", "Says.", {"a": 1, "b": 2})
    assert tool.digest() == ToolDescription("say", "Says.", {"b": 2, "a": 1}).digest()
    others = [
        ToolDescription("say", "Says!", tool.schema),
        ToolDescription("said", "Says.", tool.schema),
        ToolDescription("say", "Says.", {}),
    ]
    assert tool.digest() not in [other.digest() for other in others]


# -- over HTTP -------------------------------------------------------------------------------------------------------

HTTP = """
import gzip, json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
sys.path.insert(0, sys.argv[1])
import server
manner = sys.argv[2]

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(405)

    def do_DELETE(self):
        self.send_error(405)

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "://" in manner:
            self.send_response(307)
            self.send_header("location", manner)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        said = []
        server.write = said.append
        if "id" in request:
            server.answer(request, "well" if manner != "huge" else "huge")
        calls = request["method"] == "tools/call"
        body = json.dumps(said[0]).encode() if said else b""
        if calls and "result" in said[0]:
            said[0]["result"]["content"][0]["text"] += " " + self.headers.get("authorization", "nobody")
            body = json.dumps(said[0]).encode()
        self.send_response(200 if said else 202)
        if said:
            self.send_header("content-type", "application/json")
        if calls and manner == "packed":
            body = gzip.compress(body)
            self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told):
        pass

found = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Handler)
print("ready", flush=True)
found.serve_forever()
"""


@pytest.fixture
def over_http(
    python: Callable[..., object], load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Library]]:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))

    def give(manner: str) -> Library:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = python(HTTP, Path(SERVER).parent, manner, port)
        assert process.stdout.readline() == "ready\n"  # type: ignore[attr-defined]
        text = (
            f'[[tool]]\nname = "own"\nkind = "mcp"\nsettings = {{url = "http://127.0.0.1:{port}/mcp", connect_s = 60, '
        )
        text += 'timeout_s = 60, headers = {authorization = "Bearer $TOKEN"}, secrets = ["TOKEN"]}\n'
        describe(tmp_path)
        if manner != "not allowed":
            grants.allow("TOKEN", f"127.0.0.1:{port}")
        return load(text, {"TOKEN": "let-me-in"})

    return give  # type: ignore[return-value]


def test_a_server_over_http_with_a_secret_in_its_header(over_http: Callable[[str], Library]) -> None:
    assert over_http("well").session().call("own.say", "hello").text == "hello Bearer let-me-in"


def test_a_secret_that_may_not_be_sent_to_its_host(over_http: Callable[[str], Library], tmp_path: Path) -> None:
    (record,) = over_http("not allowed").records()
    assert record.state == "refused"
    assert "`autoact secrets allow TOKEN 127.0.0.1:" in record.reason
    with pytest.raises(BadProject, match="not asked: TOKEN may not be sent to"):
        meet(tmp_path)


def test_a_redirect_takes_no_secret_to_another_host(over_http: Callable[[str], Library], site: Site) -> None:
    assert over_http(f"{site.url}/mcp").session().call("own.say", "hello").failed
    assert "let-me-in" not in repr(site.asked)


@pytest.mark.parametrize(
    ("manner", "said"),
    [("huge", "an answer of more than 2,000,000 bytes"), ("packed", "a compressed answer, which was not asked for")],
)
def test_a_server_over_http_that_sends_too_much(over_http: Callable[[str], Library], manner: str, said: str) -> None:
    assert over_http(manner).session().call("own.say", "hello").text == f"own.say failed: the server sent {said}"
