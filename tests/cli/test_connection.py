"""Looking at an MCP server's tools, and being told what is new."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
import pytest

from autoact.cli import main
from autoact.project.project import Project

SERVER = Path(__file__).parents[1] / "tools" / "bridges" / "server.py"


def listed(project: Project, manner: str) -> None:
    (project.root / "tools.toml").write_text(
        f'[[tool]]\nname = "own"\nkind = "mcp"\n'
        f'settings = {{command = ["{sys.executable}", "{SERVER}", "{manner}"], connect_s = 120}}\n'
    )


def test_a_server_is_looked_at_and_its_news_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mcp")
    seen = []
    for manner in ("well", "well", "turned"):
        listed(project, manner)
        assert main(["tools", "connect", str(project.root), "own", "--json"]) == 0
        seen.append({row["tool"]: row["news"] for row in orjson.loads(capsys.readouterr().out)})
    assert seen == [
        {"own.say": "new", "own.environment": "new"},
        {"own.say": "", "own.environment": ""},
        {"own.say": "changed", "own.environment": "gone"},
    ]


def test_a_server_that_is_not_listed(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    listed(project, "well")
    assert main(["tools", "connect", str(project.root), "other"]) == 2
    assert "tools.toml lists no MCP server named `other`" in capsys.readouterr().err
