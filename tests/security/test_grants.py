"""A secret is sent to the host that a person allowed, whichever library reads the URL."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from autoact.errors import BadInput
from autoact.security import grants


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))
    grants.allow("A_KEY", "good.example")
    return tmp_path / "own" / "secrets.grants.json"


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example/v1?q={argument}", "https://GOOD.example.:443/", "https://me@good.example#x", "wss://good.example",
        "postgresql+psycopg://me@good.example:5432/data?sslmode=require&application_name=a", "mysql://good.example",
    ],
)  # fmt: skip
def test_an_allowed_host(url: str) -> None:
    assert grants.allows("A_KEY", url)
    assert not grants.allows("OTHER_KEY", url)


ATTACKS = [
    "https://evil.example/good.example", "https://good.example.evil.example/", "https://good.example@evil.example/",
    "https://good.example:443@evil.example/", "https://evil.example\\@good.example/", "https://evil.example#@good.example/",
    "https://evil.example?@good.example/", "https://evil.example%2F@good.example@evil.example/", "https://good.example:444/",
    "https://good.exampl\u0435/", "https://good\uff0eexample/", "https://good.\texample/", "https:/good.example",
    "//good.example/",
    "https://good.example:99999999/", "https://[good.example]/", "https://{argument}good.example/", "http://good.example/",
    "ws://good.example/", "good.example", "",
]  # fmt: skip
DATABASE_ATTACKS = [
    "postgresql://good.example/data?host=evil.example", "postgresql://good.example?@evil.example/data",
    "postgresql://good.example#@evil.example/data", "postgresql://good.example:80/@evil.example/data",
    "postgresql://good.example/data?hostaddr=192.0.2.1", "postgresql://good.example/?sslmode=a&service=evil",
    "mysql+pymysql://good.example/data?unix_socket=/evil", "mysql://good.example/a?read_default_file=/evil",
    "mssql+pyodbc://good.example/?odbc_connect=Server%3Devil.example",
]  # fmt: skip


@pytest.mark.parametrize("url", [*ATTACKS, *DATABASE_ATTACKS])
def test_a_host_that_only_looks_allowed(url: str) -> None:
    assert not grants.allows("A_KEY", url)
    assert "A_KEY" in grants.refusal("A_KEY", url)


@pytest.mark.parametrize(
    "url", [*ATTACKS, "https://a%40b:c@good.example/x@y", "https://[::1]:8443/", "https://a.b_c.d:1#"]
)
def test_the_client_connects_to_the_host_that_was_compared(url: str) -> None:
    try:
        compared = grants.destination(url)
    except ValueError:
        return  # nothing is sent
    read = httpx2.URL(url)
    host = f"[{read.host}]" if ":" in read.host else read.host.rstrip(".")
    assert compared == (host if read.port is None else f"{host}:{read.port}")


def test_only_this_machine_is_asked_unencrypted() -> None:
    assert [grants.is_unencrypted(f"http://{host}/") for host in ("127.0.0.1:80", "[::1]", "localhost")] == [False] * 3
    assert [
        grants.is_unencrypted(f"http://{host}/") for host in ("10.0.0.1", "localhost.example.org", "0x7f000001")
    ] == [True] * 3


def test_a_damaged_file_is_told_of_and_kept(file: Path) -> None:
    file.write_text("[")
    for act in (lambda: grants.hosts("A_KEY"), lambda: grants.allow("A_KEY", "b.example")):
        with pytest.raises(BadInput, match=r"secrets\.grants\.json"):
            act()
    assert file.read_text() == "["
