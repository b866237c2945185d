"""The considerate visitor asks once for what it knows, waits as it is told, and says what a refusal means."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from autoact.errors import ToolFailed
from autoact.tools.web.caching_client import DAY_S, MOST_KEPT, TRIES, CachingClient
from autoact.tools.web.client import Client, HttpRequest
from autoact.tools.web.guard import Guard

from .conftest import Answer, Site


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def visitor(site: Site, tmp_path: Path, waited: list[float]) -> CachingClient:
    return CachingClient(Client(Guard([site.host])), tmp_path / "web", wait=waited.append)


def busy(**headers: str) -> Answer:
    return Answer(b"slow down", status=429, headers={"Content-Type": "text/plain", **headers})


def test_what_is_known_is_not_asked_again(site: Site, visitor: CachingClient, tmp_path: Path) -> None:
    site.answers["/"] = Answer(b"[1]")
    for _ in range(3):
        assert visitor.ask(HttpRequest(site.url, headers={"Authorization": "secret-1"})).json() == [1]
    assert len(site.asked) == 1
    visitor.ask(HttpRequest(site.url, parameters={"q": "another"}))
    visitor.ask(HttpRequest(site.url, "POST", body=b"another"))
    assert len(site.asked) == 3
    assert all(b"secret-1" not in file.read_bytes() for file in (tmp_path / "web").glob("*"))
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "web").glob("*")} == {0o600}


def test_what_is_stale_is_asked_again_and_serves_while_the_host_is_busy(site: Site, visitor: CachingClient) -> None:
    site.answers["/"] = [Answer(b"[1]"), Answer(b"[2]"), Answer(b"", status=500)]
    assert visitor.ask(HttpRequest(site.url)).json() == [1]
    aged(visitor)
    assert visitor.ask(HttpRequest(site.url)).json() == [2]
    aged(visitor)
    assert visitor.ask(HttpRequest(site.url)).json() == [2]
    assert len(site.asked) == 2 + TRIES


def aged(visitor: CachingClient) -> None:
    assert visitor.cache
    for file in visitor.cache.glob("*.reply"):
        os.utime(file, (time.time() - 8 * DAY_S,) * 2)


def test_a_damaged_cache_is_asked_past(site: Site, visitor: CachingClient, tmp_path: Path) -> None:
    site.answers["/"] = Answer(b"[1]")
    visitor.ask(HttpRequest(site.url))
    (file,) = (tmp_path / "web").glob("*.reply")
    file.write_bytes(b"torn")
    assert visitor.ask(HttpRequest(site.url)).json() == [1]
    assert len(site.asked) == 2


def test_the_cache_has_a_size(site: Site, visitor: CachingClient, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    for number in range(MOST_KEPT):
        file = tmp_path / "web" / f"{number}.reply"
        file.touch()
        os.utime(file, (number, number))
    site.answers["/"] = Answer(b"[1]")
    visitor.ask(HttpRequest(site.url))
    left = [file.stem for file in (tmp_path / "web").glob("*.reply")]
    assert len(left) == MOST_KEPT + 1 - MOST_KEPT // 4
    assert not {"0", "1", "499"} & set(left)


def test_a_cache_that_cannot_be_written_is_no_failure(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    site.answers["/"] = [busy(**{"Retry-After": "0"}), Answer(b"[1]")]
    assert CachingClient(Client(Guard([site.host])), tmp_path / "file").ask(HttpRequest(site.url)).json() == [1]


def test_pauses_grow_and_tries_end(site: Site, visitor: CachingClient, waited: list[float]) -> None:
    site.answers["/"] = busy()
    with pytest.raises(ToolFailed, match="127.0.0.1 answers 429; too many requests; try later; it says: slow down"):
        visitor.ask(HttpRequest(site.url))
    assert waited == [0.5, 1.0]
    site.answers["/"] = [Answer(status=503), Answer(b"[1]")]
    assert visitor.ask(HttpRequest(site.url)).json() == [1]


def test_a_host_that_names_its_pause_is_obeyed(site: Site, visitor: CachingClient, waited: list[float]) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    site.answers["/"] = [busy(**{"Retry-After": "2"}), busy(**{"Retry-After": date}), Answer(b"[1]")]
    assert visitor.ask(HttpRequest(site.url)).json() == [1]
    assert waited[0] == 2.0
    assert 2.0 < waited[1] <= 4.0


def test_a_host_that_wants_a_long_rest_is_left_alone_by_every_process(site: Site, visitor: CachingClient) -> None:
    site.answers["/"] = busy(**{"Retry-After": "900"})
    message = "127.0.0.1 is busy and asks for (900|899) s of rest; try later or use another source"
    for asks in (visitor, CachingClient(visitor.client, visitor.cache)):
        with pytest.raises(ToolFailed, match=message):
            asks.ask(HttpRequest(site.url))
    assert len(site.asked) == 1


@pytest.mark.parametrize("told", ["soon", "-1", "", "²", "9" * 400, "Mon, 99 Jan 2026 00:00:00 GMT"])
def test_a_pause_that_makes_no_sense(site: Site, visitor: CachingClient, told: str) -> None:
    site.answers["/"] = [busy(**{"Retry-After": told.encode().decode("latin-1")}), Answer(b"[1]")]
    try:
        assert visitor.ask(HttpRequest(site.url)).json() == [1]
    except ToolFailed as error:
        assert "asks for 3600 s of rest" in str(error)  # noqa: PT017
