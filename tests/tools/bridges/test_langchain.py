"""A langchain class is described from its source, and built where it can be killed: here the real package's classes."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.tools.bridges.class_source import read_tool
from autoact.tools.library.library import Library

from ..web.conftest import Answer, Site, site

__all__ = ["site"]

Load = Callable[..., Library]

installed = pytest.mark.skipif(
    importlib.util.find_spec("langchain_community") is None, reason="langchain_community is not installed"
)
WRAPPER = '{class = "langchain_community.utilities.requests.TextRequestsWrapper", headers = {X-Key = "k"}}'
ALLOWED = f", arguments = {{requests_wrapper = {WRAPPER}, allow_dangerous_requests = true}}"


def entry(path: str, more: str = "", top: str = "") -> str:
    return f'[[tool]]\nname = "Own"\nkind = "langchain"\n{top}settings = {{class = "{path}", timeout_s = 60{more}}}\n'


@installed
def test_it_is_described_without_being_imported(load: Load) -> None:
    (record,) = load(entry("langchain_community.tools.CopyFileTool")).records()
    assert (record.state, record.definition) == ("ready", "Create a copy of a file in a specified location")
    assert record.usage == "Own[source_path, destination_path]"
    assert record.schema["required"] == ["source_path", "destination_path"]
    assert record.schema["properties"]["source_path"] == {"type": "string", "description": "Path of the file to copy"}
    assert not [name for name in sys.modules if name.startswith("langchain")]


@installed
def test_a_person_describes_it_better(load: Load) -> None:
    text = entry(
        "langchain_community.tools.CopyFileTool", ', parameters = ["source_path: str"]', 'definition = "Copies."\n'
    )
    (record,) = load(text).records()
    assert (record.definition, list(record.schema["properties"])) == ("Copies.", ["source_path"])


@installed
@pytest.mark.parametrize(
    ("name", "definition", "required", "optional"),
    [
        ("SleepTool", "Make agent sleep for a specified number of seconds.", ["sleep_time"], []),
        ("RequestsGetTool", "A portal to the internet. Use this when", ["url"], []),  # of the method, with no schema
        ("QuerySQLDataBaseTool", "Execute a SQL query against the database", ["query"], []),  # by an older name
        ("SearxSearchResults", "A meta search engine.", ["query"], []),
        ("FileSearchTool", "Recursively search for files", ["pattern"], ["dir_path"]),
        ("MoveFileTool", "Move or rename a file", ["source_path", "destination_path"], []),
        ("BraveSearch", "a search engine. useful for when you need to answer questions", ["query"], []),
        ("WikipediaQueryRun", "A wrapper around Wikipedia.", ["query"], []),
    ],
)
def test_classes_of_the_package_are_read(name: str, definition: str, required: list[str], optional: list[str]) -> None:
    told = read_tool(f"langchain_community.tools.{name}")
    assert told is not None
    assert told.definition.startswith(definition)
    assert told.schema["required"] == required
    assert set(told.schema["properties"]) == {*required, *optional}


@pytest.mark.parametrize(
    "source",
    ["x = (", "from own_tools import Own", "from . import own_tools", "Own = 3", "class Other: pass", "\0"],
)
def test_a_class_that_cannot_be_read_is_not_guessed(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_tools.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert read_tool("own_tools.Own") is None


PARTS = '''
from enum import Enum
from langchain_core.tools import BaseTool, tool
from .models import Model

SAID = "Finds " + "rivers."

class Base(BaseTool):
    description: str = SAID
    args_schema = Model

class Tool(Base):
    name: str = "rivers"

@tool
def made(a: int, b: str = "x") -> str:
    """Makes one."""
'''
MODELS = """
from pydantic import BaseModel, Field

class First(BaseModel):
    a: int = Field(description="how " "many")

class Model(First):
    b: list[str] = Field(default_factory=list)
    c: str | None = "no"
    d: float
"""


def test_classes_are_read_as_python_means_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text("from .parts import Tool as Own, made\n")
    (package / "parts.py").write_text(PARTS)
    (package / "models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(tmp_path)
    own, made = read_tool("own_package.Own"), read_tool("own_package.made")
    assert own is not None
    assert own.definition == "Finds rivers."
    assert own.schema["properties"] == {
        "a": {"type": "integer", "description": "how many"}, "b": {"type": "array", "items": {"type": "string"}},
        "c": {"type": "string", "default": "no"}, "d": {"type": "number"},
    }  # fmt: skip
    assert own.schema["required"] == ["a", "d"]
    assert made is not None
    assert (made.definition, made.schema["required"]) == ("Makes one.", ["a"])


@installed
def test_a_class_that_fetches(load: Load, site: Site) -> None:
    site.answers["/rivers"] = Answer(b"The Nile is long.", headers={"Content-Type": "text/plain"})
    session = load(entry("langchain_community.tools.RequestsGetTool", ALLOWED)).session()
    seen = session.call("Own", f"{site.url}/rivers")
    assert (seen.text, seen.failed) == ("The Nile is long.", False)
    assert site.asked[0].headers["x-key"] == "k"


@installed
def test_a_class_whose_text_is_json(load: Load, site: Site) -> None:
    site.answers["/rivers"] = Answer(b"taken in", headers={"Content-Type": "text/plain"})
    session = load(entry("langchain_community.tools.RequestsPostTool", ALLOWED)).session()
    argument = json.dumps({"url": f"{site.url}/rivers", "data": {"name": "Nile"}})
    assert session.call("Own", argument).text == "taken in"
    assert json.loads(site.asked[0].body) == {"name": "Nile"}


@installed
def test_a_class_that_searches(load: Load, site: Site) -> None:
    found = {"results": [{"content": "The Nile is 6,650 km long."}], "answers": [], "infoboxes": []}
    site.answers["/"] = Answer(json.dumps(found).encode())
    wrapper = f'{{class = "langchain_community.utilities.SearxSearchWrapper", searx_host = "{site.url}"}}'
    session = load(
        entry("langchain_community.tools.SearxSearchRun", f", arguments = {{wrapper = {wrapper}}}")
    ).session()
    assert session.call("Own", "How long is the Nile?").text == "The Nile is 6,650 km long."
    assert "q=How+long+is+the+Nile" in site.asked[0].path


@installed
def test_a_class_with_a_number_is_called(load: Load) -> None:
    session = load(entry("langchain_community.tools.SleepTool")).session()
    assert session.call("Own", "0").text == "Agent slept for 0 seconds."
    assert session.call("Own", "long").text == "Own failed: expected a whole number as `sleep_time`, not 'long'"


@installed
@pytest.mark.parametrize(
    ("path", "more", "said"),
    [
        ("langchain_community.tools.NoSuchTool", "", "AttributeError"),
        ("langchain_community.tools.BraveSearch", "", "BRAVE_SEARCH_API_KEY"),
        ("langchain_community.utilities.requests.TextRequestsWrapper", "", "is no langchain tool"),
        ("langchain_community.tools.SleepTool", ', parameters = ["minutes: int"]', "it has no parameter minutes"),
    ],
)
def test_what_cannot_be_built_is_told_at_the_first_call(load: Load, path: str, more: str, said: str) -> None:
    seen = load(entry(path, more)).session().call("Own", "1")
    assert seen.failed
    assert said in seen.text


@pytest.mark.parametrize(
    ("path", "more", "state", "reason"),
    [
        ("SleepTool", "", "needs-setting", "it needs settings"),
        ("no_such_package.Tool", "", "needs-package", "what brings no_such_package"),
        ("os.path.Tool", ', parameters = ["not python!"]', "needs-setting", "its parameters are not written"),
    ],
)
def test_what_cannot_be_found_is_told(load: Load, path: str, more: str, state: str, reason: str) -> None:
    (record,) = load(entry(path, more)).records()
    assert record.state == state
    assert reason in record.reason


def test_without_the_package_it_says_how_to_get_it(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_community", None)
    (record,) = load(entry("langchain_community.tools.SleepTool")).records()
    assert (record.state, record.reason) == (
        "needs-package",
        "needs a package: pip install 'autoact-studio[langchain]'",
    )
