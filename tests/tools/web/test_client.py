"""The web client is bounded in time, bytes and hops, carries no key to another host, and reads what is plain."""

from __future__ import annotations

import gzip
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

import pytest

from autoact.errors import ToolFailed
from autoact.tools.web.client import Client, HttpRequest
from autoact.tools.web.guard import Guard, Refused

from .conftest import Answer, Site


def client(site: Site, **bounds: float) -> Client:
    port = site.server.server_port
    return Client(Guard([f"127.0.0.1:{port}", f"localhost:{port}"]), **bounds)  # type: ignore[arg-type]


def typed(kind: str, body: bytes, **headers: str) -> Answer:
    return Answer(body, headers={"Content-Type": kind, **headers})


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (typed("text/plain", "für".encode()), "für"),
        (typed("text/plain; charset=latin-1", "für".encode("latin-1")), "für"),
        (typed('text/html; charset="utf-8"', b"<p>"), "<p>"),
        (typed("text/plain; charset=martian", b"ok"), "ok"),
        (typed("text/plain; charset=windows-1251", "да".encode("cp1251")), "да"),
        (typed("text/plain; charset=SHIFT_JIS", "川".encode("shift_jis")), "川"),
        (typed("text/plain; charset=punycode", b"fr-1ga"), "fr-1ga"),
        (typed("text/plain; charset=undefined", b"ok"), "ok"),
        (typed("application/problem+json", b"{}"), "{}"),
        (typed("application/json", gzip.compress(b"[1]"), **{"Content-Encoding": "gzip"}), "[1]"),
        (typed("text/plain", gzip.compress(b"a, ") + gzip.compress(b"b"), **{"Content-Encoding": "gzip"}), "a, b"),
        (Answer(b"no type", headers={}), "no type"),
        (typed("text/plain", b""), ""),
        (typed("text/plain", b"x" * 1000), "x" * 1000),
    ],
)
def test_text_is_read(site: Site, answer: Answer, text: str) -> None:
    site.answers["/"] = answer
    assert client(site, max_bytes=1000).fetch(HttpRequest(site.url)).text() == text


def test_a_request_arrives_as_described(site: Site) -> None:
    request = HttpRequest(f"{site.url}/ä b?a=1", "POST", headers={"X-Key": "k"}, body=b"body")
    assert Client(Guard([site.host]), contact="me@example.org").fetch(request).status == 404
    (asked,) = site.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/%C3%A4%20b?a=1", b"body")
    assert asked.headers["x-key"] == "k"
    assert asked.headers["host"] == site.host
    assert asked.headers["user-agent"] == "AutoActStudio/0.1.0 (contact: me@example.org)"
    client(site).fetch(HttpRequest(site.url, parameters={"q": "a&b ü"}))
    assert site.asked[1].path == "/?q=a%26b+%C3%BC"


def test_chunks_are_joined(site: Site) -> None:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")

    site.answers["/"] = Answer(send=send)
    assert client(site).fetch(HttpRequest(site.url)).text() == "onetwo"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(site: Site, status: int) -> None:
    site.answers["/start"] = Answer(status=status, headers={"Location": "next?x=1"})
    site.answers["/next"] = Answer(status=status, headers={"Location": f"{site.url}/end"})
    site.answers["/end"] = Answer(b"[]")
    reply = client(site).fetch(HttpRequest(f"{site.url}/start", headers={"X-Key": "k"}))
    assert (reply.url, reply.json()) == (f"{site.url}/end", [])
    assert site.asked[-1].headers["x-key"] == "k"


def test_a_key_does_not_travel_to_another_host(site: Site) -> None:
    site.answers["/start"] = Answer(status=302, headers={"Location": f"http://localhost:{site.server.server_port}/end"})
    client(site).fetch(HttpRequest(f"{site.url}/start", headers={"X-Key": "k", "Authorization": "Bearer k"}))
    assert {"x-key", "authorization", "cookie"}.isdisjoint(site.asked[1].headers)
    site.answers["/start"] = Answer(status=307, headers={"Location": f"http://localhost:{site.server.server_port}/end"})
    with pytest.raises(Refused, match="name that host instead"):
        client(site).fetch(HttpRequest(f"{site.url}/start", "POST", body=b"secret"))
    assert len(site.asked) == 3


def test_redirects_end(site: Site) -> None:
    site.answers["/"] = Answer(status=302, headers={"Location": "/"})
    with pytest.raises(Refused, match="more than 5 redirects"):
        client(site).fetch(HttpRequest(site.url))
    assert len(site.asked) == 6


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 10_000)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (typed("text/plain", b"x" * 1001), "more than 1,000 bytes"),
        (Answer(send=endless), "more than 1,000 bytes"),
        (typed("text/plain", gzip.compress(bytes(200_000_000)), **{"Content-Encoding": "gzip"}), "more than 1,000"),
        (typed("text/plain", gzip.compress(b"cut short")[:-9], **{"Content-Encoding": "gzip"}), "ends too early"),
        (typed("text/plain", b"plain", **{"Content-Encoding": "gzip"}), "not the gzip"),
        (typed("text/plain", b"plain", **{"Content-Encoding": "br"}), "compressed its answer as br"),
        (typed("image/png", b"\x89PNG"), "sent image/png where text was expected"),
        (typed("application/zip", b"PK"), "sent application/zip"),
    ],
)
def test_a_body_beyond_bounds_is_a_failure(site: Site, answer: Answer, message: str) -> None:
    site.answers["/"] = answer
    with pytest.raises(ToolFailed, match=message):
        client(site, max_bytes=1000).fetch(HttpRequest(site.url)).text()


def dripping(first: bytes) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(first)
        handler.connection.settimeout(0.05)
        gone = False
        while not gone:
            handler.wfile.write(b"x")
            with suppress(TimeoutError):
                gone = not handler.connection.recv(1)

    return Answer(send=send)


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"]
)
def test_a_server_that_drips_does_not_stretch_the_time(site: Site, first: bytes) -> None:
    site.answers["/"] = dripping(first)
    with pytest.raises(ToolFailed, match="did not answer within 0.3 s; try again, or raise `timeout_s`"):
        client(site, timeout_s=0.3).fetch(HttpRequest(site.url))


@pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 100_000, b"\xff", b'{"a": 1'])
def test_what_is_not_json_says_so(site: Site, body: bytes) -> None:
    site.answers["/"] = Answer(body)
    with pytest.raises(ToolFailed, match=r"127.0.0.1 sent something that is not JSON"):
        client(site).fetch(HttpRequest(site.url)).json()


def test_nobody_there(site: Site) -> None:
    with pytest.raises(ToolFailed, match="127.0.0.1 cannot be reached"):
        Client(Guard(["127.0.0.1"])).fetch(HttpRequest("http://127.0.0.1:9/"))


def test_a_header_cannot_smuggle_another_request(site: Site) -> None:
    with pytest.raises(ToolFailed):
        client(site).fetch(HttpRequest(site.url, headers={"X": "a\r\n\r\nGET /admin HTTP/1.1"}))
    assert site.asked == []
