"""A web server on this machine that answers as it is told and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer

import pytest

FIXTURES = Path(__file__).parent / "recorded"


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """A reply as it is sent; `send` takes over where a plain one will not do."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    send: Callable[[BaseHTTPRequestHandler], None] | None = None


class Site:
    """`site.answers[path] = Answer(...)`; what is not told is 404. A list is answered one by one."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.asked: list[Asked] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: _Handler(self, *given))
        self.server.daemon_threads = True

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def recorded(self, path: str, file: str) -> None:
        """Answer a path with a recorded reply."""
        self.answers[path] = Answer((FIXTURES / file).read_bytes())

    def answer_to(self, path: str) -> Answer:
        told = self.answers.get(path, Answer(b"{}", status=404))
        if isinstance(told, list):
            return told.pop(0) if len(told) > 1 else told[0]
        return told


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, site: Site, request: object, address: object, server: BaseServer) -> None:
        self._site = site
        super().__init__(request, address, server)  # type: ignore[arg-type]

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._site.asked.append(Asked(self.command, self.path, headers, body))
        answer = self._site.answer_to(self.path.partition("?")[0])
        try:
            if answer.send:
                answer.send(self)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has seen enough

    do_GET = do_POST = do_PUT = do_DELETE = _reply  # noqa: N815

    def log_message(self, *given: object) -> None:
        """Tests say what they want to know."""


@contextmanager
def serving() -> Iterator[Site]:
    """A site, and the thread that serves it until the end."""
    served = Site()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as served:
        yield served
