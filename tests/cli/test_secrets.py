"""Keeping, listing and forgetting keys by command, with no value on the screen or in the arguments."""

from __future__ import annotations

import io
from pathlib import Path

import orjson
import pytest

from autoact.cli import main
from autoact.project.project import create
from autoact.security import grants, trust


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))
    return tmp_path / "own" / "secrets.json"


def test_set_list_remove(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("very-secret-value\n"))
    assert main(["secrets", "set", "EXA_API_KEY"]) == 0
    assert b"very-secret-value" in file.read_bytes()
    monkeypatch.setenv("BRAVE_API_KEY", "another-secret-value")
    assert main(["secrets", "list"]) == 0
    assert main(["secrets", "list", "--json"]) == 0
    printed = capsys.readouterr().out
    assert "-secret-value" not in printed
    rows = {row["name"]: row["from"] for row in orjson.loads(printed[printed.index("[") :])}
    assert (rows["EXA_API_KEY"], rows["BRAVE_API_KEY"]) == ("file", "environment")
    assert main(["secrets", "remove", "EXA_API_KEY"]) == 0
    assert main(["secrets", "remove", "EXA_API_KEY"]) == 1
    assert "very-secret-value" not in file.read_text()


def test_a_secret_may_be_sent_to_the_hosts_that_are_allowed(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("very-secret-value\n"))
    assert main(["secrets", "set", "EXA_API_KEY"]) == 0
    assert main(["secrets", "allow", "EXA_API_KEY", "API.example.org."]) == 0
    assert main(["secrets", "allow", "EXA_API_KEY", "https://proxy.example.org:8443/v1"]) == 0
    assert file.with_name("secrets.grants.json").stat().st_mode & 0o777 == 0o600
    capsys.readouterr()
    assert main(["secrets", "list", "--json"]) == 0
    printed = capsys.readouterr().out
    hosts = {row["name"]: row["hosts"] for row in orjson.loads(printed)}
    assert hosts["EXA_API_KEY"] == ["api.example.org", "proxy.example.org:8443"]
    assert main(["secrets", "deny", "EXA_API_KEY", "api.example.org"]) == 0
    assert main(["secrets", "deny", "EXA_API_KEY", "api.example.org"]) == 1
    assert grants.hosts("EXA_API_KEY") == ["proxy.example.org:8443"]
    assert main(["secrets", "remove", "EXA_API_KEY"]) == 0
    assert grants.hosts("EXA_API_KEY") == []


@pytest.mark.parametrize(("name", "host"), [("lower", "a.org"), ("A_KEY", ""), ("A_KEY", "b c.org"), ("A_KEY", "ß.de")])
def test_what_cannot_be_allowed(name: str, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secrets", "allow", name, host]) == 2
    assert "expected a " in capsys.readouterr().err


def test_trust_shows_where_secrets_would_be_sent_and_allows_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = create(tmp_path / "project", "blank").root
    (root / "tools.toml").write_text(
        '[[tool]]\nname = "Rivers"\nkind = "http"\ndefinition = "Tells."\nsettings = {url = '
        '"https://rivers.example/{argument}", headers = {X-Key = "{secret:RIVER_KEY}"}}\n'
    )
    trust.revoke(root)
    assert main(["trust", str(root), "--yes"]) == 0
    told = capsys.readouterr().out
    assert "secret RIVER_KEY: Rivers sends it to https://rivers.example/{argument}, after `autoact secrets all" in told
    assert trust.is_trusted(root)
    assert not grants.allows("RIVER_KEY", "https://rivers.example/")


def test_a_value_among_the_arguments_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as told:
        main(["secrets", "set", "EXA_API_KEY", "very-secret-value"])
    assert told.value.code == 2


def test_bad_names_and_open_files_are_bad_input(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("very-secret-value"))
    assert main(["secrets", "set", "lower"]) == 2
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o644)
    assert main(["secrets", "list"]) == 2
    assert "chmod 600" in capsys.readouterr().err
