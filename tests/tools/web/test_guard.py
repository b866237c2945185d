"""Forty ways to talk a tool into this machine or its network fail, and what should pass does."""

from __future__ import annotations

import socket

import httpcore2
import httpx2
import pytest

from autoact.errors import ToolFailed
from autoact.tools.web.client import Client, HttpRequest
from autoact.tools.web.guard import Guard, Refused, is_public

from .conftest import Answer, Site

PUBLIC = "93.184.215.14"
# PORT becomes that of a live server on loopback, which must hear of none of them.
ATTACKS = [
    "http://127.0.0.1:PORT/", "http://localhost:PORT/", "HTTP://LOCALHOST:PORT/", "http://localhost.:PORT/",
    "http://127.0.0.1.:PORT/", "http://127.1:PORT/", "http://127.127.127.127:PORT/", "http://0.0.0.0:PORT/",
    "http://0:PORT/", "http://2130706433:PORT/", "http://0x7f000001:PORT/", "http://0x7f.0.0.1:PORT/",
    "http://0177.0.0.1:PORT/", "http://017700000001:PORT/", "http://[::1]:PORT/", "http://[::]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/", "http://[64:ff9b::7f00:1]:PORT/", "http://[2002:7f00:1::]:PORT/",
    "http://[fe80::1%25lo]:PORT/", "http://[::1%25lo]:PORT/", "http://①②⑦.⓪.⓪.①:PORT/", "http://127。0。0。1:PORT/",
    "http://user:pw@127.0.0.1:PORT/", "http://example.org@127.0.0.1:PORT/", "http://127.0.0.1:PORT\\@example.org/",
    "http://127.0.0.1%00.example.org:PORT/", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/",
    "http://100.100.100.200/", "http://168.63.129.16/machine", "http://10.0.0.1/", "http://192.168.1.1/",
    "http://172.16.0.1/", "http://100.64.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
    "http://[ff02::1]/", "http://[fec0::1]/", "http://192.0.0.192/opc/v2/", "http://198.18.0.1/",
    "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:PORT/_x", "unix:///var/run/docker.sock",
    "data:text/plain,hello", "http:///etc/passwd", "//127.0.0.1:PORT/", "127.0.0.1:PORT", "", "http://\r\nHost: x/",
    f"http://{PUBLIC}:22/", f"http://{PUBLIC}:25/", f"https://{PUBLIC}:6/",
]  # fmt: skip


@pytest.mark.parametrize("url", ATTACKS)
def test_an_attack_reaches_nothing(url: str, site: Site) -> None:
    site.answers["/"] = Answer(b"a secret of this machine")
    with pytest.raises(ToolFailed):
        Client(timeout_s=5).fetch(HttpRequest(url.replace("PORT", str(site.server.server_port))))
    assert site.asked == []


@pytest.mark.parametrize("url", ATTACKS[:26])
def test_a_redirect_reaches_no_more(url: str, site: Site) -> None:
    location = url.replace("PORT", str(site.server.server_port)).encode().decode("latin-1")
    site.answers["/start"] = Answer(status=302, headers={"Location": location})
    with pytest.raises(ToolFailed):
        Client(Guard(["start.test"], resolve), timeout_s=5).fetch(
            HttpRequest(f"http://start.test:{site.server.server_port}/start")
        )
    assert [asked.path for asked in site.asked] == ["/start"]


def resolve(host: str, port: int) -> list[str]:
    """The system's answer, and a name for this machine that only the first request uses."""
    found = socket.getaddrinfo("127.0.0.1" if host == "start.test" else host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)", "unix:/run/x"])
def test_a_redirect_stays_on_the_web(scheme: str, site: Site) -> None:
    site.answers["/start"] = Answer(status=301, headers={"Location": scheme})
    with pytest.raises(ToolFailed):
        Client(Guard([site.host])).fetch(HttpRequest(f"{site.url}/start"))


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [[PUBLIC], ["127.0.0.1"]]
    connected: list[str] = []

    def connect(self: object, host: str, *others: object, **named: object) -> httpcore2.NetworkStream:
        connected.append(host)
        raise httpcore2.ConnectError("nobody there")

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)
    with pytest.raises(ToolFailed, match="cannot be reached"):
        Client(Guard(resolve=lambda host, port: answers.pop(0))).fetch(HttpRequest("http://flips.example.org/"))
    assert (connected, answers) == ([PUBLIC], [["127.0.0.1"]])


def test_one_private_address_among_public_ones_is_one_too_many() -> None:
    with pytest.raises(Refused, match="leads to 10.0.0.7, which is not public"):
        Guard(resolve=lambda host, port: [PUBLIC, "10.0.0.7"]).addresses("mixed.example.org", 443)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::", "2001:0:1::", "fc00::1", "::8.8.8.8",
     "0.0.0.0", "240.0.0.1", "192.0.2.1", "2001:db8::1", "100::1", "168.63.129.16", "fe80::1%eth0", "name", ""],
)  # fmt: skip
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "1.1.1.1", "208.80.154.224", "2606:2800:21f::1", "2620::1"])
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["https://en.wikipedia.org/w/api.php?a=b", "http://example.org", "http://example.org:8080/x", "https://bücher.de/",
     f"http://{PUBLIC}/", "https://[2606:2800:21f::1]/", "http://127.example.org/", "https://1e100.net/",
     "http://0xcafe.example.org/", "https://example.org:443/#part", "https://face.cafe/", "http://7.org/"],
)  # fmt: skip
def test_what_may_pass(url: str) -> None:
    guard = Guard(resolve=lambda host, port: [PUBLIC])
    parsed = httpx2.URL(url)
    guard.check(parsed)
    assert guard.addresses(parsed.host, parsed.port or 80) == [PUBLIC]


def test_a_named_host_is_open_and_only_that_one(site: Site) -> None:
    site.answers["/"] = Answer(b"hello", headers={"Content-Type": "text/plain"})
    port = site.server.server_port
    for names in ([site.host], ["127.0.0.1"], ["localhost"], [f"LOCALHOST:{port}"]):
        host = "localhost" if "local" in names[0].casefold() else "127.0.0.1"
        assert Client(Guard(names)).fetch(HttpRequest(f"http://{host}:{port}/")).text() == "hello"
    for names in (["127.0.0.1:1"], ["127.0.0.2"], ["localhost"], ["0.0.1"], [""]):
        with pytest.raises(Refused, match=f'add "{site.host}" to the tool\'s setting `allow`'):
            Client(Guard(names)).fetch(HttpRequest(site.url))
    assert len(site.asked) == 4


def test_a_name_without_an_address_says_what_to_check() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(ToolFailed, match="no address for nowhere.example.org; check the name and the network"):
        Client(Guard(resolve=nowhere)).fetch(HttpRequest("https://nowhere.example.org/"))
