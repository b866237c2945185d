"""A tool set travels without secrets, and what it could do waits for consent."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.cli import main
from autoact.project.project import Project, create
from autoact.security import grants

CANARY = "canary-4b1d-77ee"
TOOLS = f"""
[[tool]]
name = "Retrieve"
definition = "Opens pages. Written for us."
[[tool]]
name = "Database"
settings = {{ url = "postgresql://reader:{CANARY}@localhost/db", rows = 7 }}
[[tool]]
name = "KnowledgeGraph"
settings = {{ endpoint = "https://example.org/{CANARY}/sparql" }}
[[tool]]
name = "Mine"
kind = "python"
definition = "Doubles a number."
usage = "Mine[2]"
[tool.settings]
function = "mine:double"
secrets = ["MINE_KEY"]
[[tool]]
name = "TableVerbalizer"
[[tool]]
name = "Calculator"
enabled = false
"""


@pytest.fixture
def shared_set(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (project.root / "tools.toml").write_text(TOOLS)
    monkeypatch.setenv("SOME_API_KEY", CANARY)
    assert main(["tools", "export", str(project.root), str(tmp_path / "set.toml")]) == 0
    return tmp_path / "set.toml"


@pytest.fixture
def other(tmp_path: Path) -> Project:
    made = create(tmp_path / "other", "blank")
    (made.root / "tools.toml").write_text('# Mine alone.\n[[tool]]\nname = "Retrieve"\n')
    return made


def test_an_export_holds_no_secret(project: Project, shared_set: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shared_set.read_text()
    assert CANARY not in text
    assert all(kept in text for kept in ("rows = 7", 'function = "mine:double"', '"MINE_KEY"', "Written for us."))
    assert "Calculator" not in text
    capsys.readouterr()
    assert main(["tools", "export", str(project.root), str(shared_set.with_name("again.toml"))]) == 0
    told = capsys.readouterr().out
    assert "Database.url" in told
    assert "KnowledgeGraph.endpoint" in told
    assert CANARY not in told


def test_an_export_replaces_no_file(project: Project, shared_set: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "export", str(project.root), str(shared_set)]) == 2
    assert "already exists" in capsys.readouterr().err
    only = shared_set.with_name("one.toml")
    assert main(["tools", "export", str(project.root), str(only), "--only", "calculator"]) == 0
    assert only.read_text().count("[[tool]]") == 1


def test_what_could_do_harm_arrives_switched_off(
    shared_set: Path, other: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tools", "import", str(other.root), str(shared_set)]) == 0
    told = capsys.readouterr().out
    assert 'off Mine  (python, may use network, code, files): function = "mine:double"' in told
    assert "kept Retrieve  exists already" in told
    text = (other.root / "tools.toml").read_text()
    assert text.startswith('# Mine alone.\n[[tool]]\nname = "Retrieve"\n')
    assert text.count("enabled = false") == 3
    assert main(["tools", "list", str(other.root)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["NAME", "Retrieve", "TableVerbalizer"]


def test_consent_switches_on_what_it_names(
    shared_set: Path, other: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tools", "import", str(other.root), str(shared_set), "--allow", "database", "--replace"]) == 0
    told = capsys.readouterr().out
    assert "on  Database" in told
    assert "off Mine" in told
    assert "on  TableVerbalizer  (builtin, harmless)" in told
    assert "Written for us." in (other.root / "tools.toml").read_text()


HTTP = (
    '[[tool]]\nname = "Mine"\nkind = "http"\nsettings = {{ url = "{url}?q={{argument}}", '
    'allow = ["10.0.0.1", "a.example"], headers = {{ X-Key = "{{secret:MY_KEY}}" }} }}\n'
)
DATABASE = '[[tool]]\nname = "Database"\nsettings = {{ url = "{url}", read_only_role = true }}\n'


@pytest.mark.parametrize(
    ("text", "allowed", "on"),
    [
        (DATABASE.format(url="SQLITE:////etc/private.db"), "database", False),
        (DATABASE.format(url="sqlite+pysqlite:////etc/private.db"), "database", False),
        (DATABASE.format(url="file:/etc/private.db"), "database", False),
        (DATABASE.format(url="sqlite:///%2e%2e/private.db"), "database", False),
        (DATABASE.format(url="sqlite:///private.db"), "database", True),
        (DATABASE.format(url="postgresql://b.example/data"), "database", False),
        (DATABASE.format(url="postgresql://b.example/data"), "database network", False),
        (DATABASE.format(url="postgresql://b.example/data"), "all secret:AUTOACT_DATABASE_PASSWORD@b.example", True),
        (HTTP.format(url="https://a.example/"), "network", False),
        (HTTP.format(url="https://a.example/"), "all", False),
        (HTTP.format(url="https://a.example/"), "all secret:MY_KEY", False),
        (HTTP.format(url="https://a.example/"), "all secret:MY_KEY@b.example", False),
        (HTTP.format(url="https://a.example:444/"), "all secret:MY_KEY@a.example", False),
        (HTTP.format(url="http://a.example/"), "all secret:MY_KEY@a.example", False),
        (HTTP.format(url="https://a.example/"), "network secret:MY_KEY@a.example", True),
        (HTTP.format(url="https://known.example/"), "network", True),
    ],
)
def test_each_power_and_each_secret_with_its_host_has_a_consent_of_its_own(
    other: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, allowed: str, on: bool
) -> None:
    grants.allow("MY_KEY", "known.example")
    (tmp_path / "set.toml").write_text(text)
    words = [f"--allow={word}" for word in allowed.split()]
    assert main(["tools", "import", str(other.root), str(tmp_path / "set.toml"), *words]) == 0
    assert ("\non  " in f"\n{capsys.readouterr().out}") == on
    taken = (other.root / "tools.toml").read_text()
    assert ("enabled = false" in taken) != on
    assert "allow =" not in taken
    assert "read_only_role" not in taken
    assert grants.hosts("MY_KEY") == (
        ["a.example", "known.example"] if on and "MY_KEY@" in allowed else ["known.example"]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[tool]]\nname = "Retrieve"\ndefinition = "a\u202eb"\n', "set.toml:3: control or hidden characters"),
        ('[[tool]]\nname = "Retrieve\x1b]0;x"\n', "control or hidden characters"),
        ('[[tool]]\nname = "Nonsense"\n', "set.toml:2, key `tool[1].name`: unknown tool"),
        ('[[tool]]\nname = "Mine"\nkind = "shell"\n', "set.toml:3, key `tool[1].kind`: unknown"),
        ('[run]\nsandbox = "off"\n', "key `run`: unknown"),
        ("x" * 1_000_001, "expected at most 1,000,000 bytes"),
        ('[[tool]]\nname = "Mine"\nkind = "python"\n[tool.settings]\nfunktion = "os:system"\n', "set.toml:5, key"),
    ],
)
def test_a_bad_set_changes_nothing(
    tmp_path: Path, other: Project, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    (tmp_path / "set.toml").write_text(text)
    before = (other.root / "tools.toml").read_text()
    assert main(["tools", "import", str(other.root), str(tmp_path / "set.toml"), "--allow", "all"]) == 2
    assert told in capsys.readouterr().err
    assert (other.root / "tools.toml").read_text() == before
