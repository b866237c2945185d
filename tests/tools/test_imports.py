"""Listing the tools of a project loads nothing that only a call of one of them needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autoact.project.project import create

HEAVY = (
    "PIL", "ddgs", "httpcore2", "httpx", "httpx2", "langchain_core", "mcp", "numpy", "onnxruntime", "pydantic_monty",
    "rapidocr", "rdflib", "sqlalchemy", "torch", "transformers", "zstandard",
)  # fmt: skip
LIBRARY = "import autoact.tools.library.library"
LISTED = "from autoact.cli import main; assert main(['tools', 'list', '--all', sys.argv[1]]) == 0"
CONTROL = "import autoact.tools.web.client"


def loaded(code: str, *arguments: str) -> set[str]:
    """The heavy packages that a fresh process has loaded after these lines."""
    told = f"import sys; {code}; print('', *sorted({{name.partition('.')[0] for name in sys.modules}}))"
    seen = subprocess.run([sys.executable, "-c", told, *arguments], capture_output=True, text=True, check=True)
    return set(seen.stdout.splitlines()[-1].split()) & set(HEAVY)


def test_the_library_loads_nothing_heavy() -> None:
    assert loaded(LIBRARY) == set()


def test_nor_does_the_list_of_a_projects_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = create(tmp_path / "project", "starter")
    assert loaded(LISTED, str(project.root)) == set()
    with (project.root / "tools.toml").open("a") as file:
        file.write(
            '\n[[tool]]\nname = "KnowledgeGraph"\nsettings = { endpoint = "https://example.org/sparql" }\n'
            '[[tool]]\nname = "Database"\n[[tool]]\nname = "CodeInterpreter"\n'
            '[[tool]]\nname = "Own"\nkind = "mcp"\nsettings = { command = ["no-such-program"] }\n'
            '[[tool]]\nname = "Now"\nkind = "http"\nsettings = { url = "https://example.org/{argument}" }\n'
            '[[tool]]\nname = "Lc"\nkind = "langchain"\nsettings = { class = "langchain_community.tools.SleepTool" }\n'
        )
    assert loaded(LISTED, str(project.root)) == set()


def test_what_is_loaded_is_seen() -> None:
    assert "httpx2" in loaded(CONTROL)
