"""The child's side of the langchain bridge, on a stand-in that has the import paths and the protocol of the packages.

What the packages themselves do is in test_langchain.py, which wants them installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoact.tools.library.library import Library

Load = Callable[..., Library]

CORE = '''
class BaseTool:
    """As langchain's: fields by keyword, parameters in `args`, called by `invoke` with a text or with a dict."""

    args = {"text": {"type": "string"}}

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def invoke(self, given):
        if isinstance(given, dict):
            return self._run(**{name: given[name] for name in given if name in self.args})
        return self._run(given)
'''
COMMUNITY = """
import os
from langchain_core.tools import BaseTool

print("noise on stdout")

class SleepTool(BaseTool):
    args = {"sleep_time": {"type": "integer"}}

    def _run(self, sleep_time):
        return f"slept {sleep_time!r}"

class RequestsGetTool(BaseTool):
    def _run(self, text):
        return {"url": text, "headers": self.requests_wrapper.headers, "k": self.k}

class Wrapper:
    def __init__(self, headers):
        self.headers = headers

class Keyed(BaseTool):
    def __init__(self, **fields):
        raise ValueError("Did not find api_key, set BRAVE_SEARCH_API_KEY")

class Broken(BaseTool):
    def _run(self, text):
        raise RuntimeError("the service is down")
"""
CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from autoact.tools.bridges import worker; worker.main()"
TOOLS = "langchain_community.tools"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with both packages."""
    for path, text in (("langchain_core/tools.py", CORE), ("langchain_community/tools.py", COMMUNITY)):
        file = tmp_path / "packages" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        (file.parent / "__init__.py").touch()
    return tmp_path / "packages"


@pytest.fixture
def child(packages: Path) -> Callable[..., list[dict[str, Any]]]:
    """Opens a class in a worker of its own and makes requests: a reply to the opening, then one to each."""

    def give(name: str, *requests: dict[str, Any], **opening: Any) -> list[dict[str, Any]]:
        opened = {"kind": "langchain", "class": name, "arguments": {}, "parameters": [], **opening}
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(packages)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            replies = []
            for line in (opened, *requests):
                process.stdin.write(json.dumps(line) + "\n")
                process.stdin.flush()
                replies.append(json.loads(process.stdout.readline()))
                if replies[-1].get("failed") and len(replies) == 1:
                    break
            process.stdin.close()
        return replies

    return give


def request(text: str, **arguments: Any) -> dict[str, Any]:
    return {"text": text, "arguments": arguments}


def test_it_is_told_without_being_imported(load: Load, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(packages)
    text = f'[[tool]]\nname = "Own"\nkind = "langchain"\nsettings = {{class = "{TOOLS}.SleepTool", '
    (record,) = load(text + 'parameters = ["sleep_time: int"]}\n').records()
    # The stand-in's source says nothing of itself.
    assert (record.state, record.definition, record.usage) == ("ready", "The langchain tool SleepTool.", "Own[1]")
    assert record.schema["required"] == ["sleep_time"]
    assert not [name for name in sys.modules if name.startswith("langchain_community")]


def test_parameters_are_given_by_name(child: Callable[..., Any]) -> None:
    opened, answer = child(f"{TOOLS}.SleepTool", request("3", sleep_time=3), parameters=["sleep_time"])
    assert not opened.get("failed")
    assert answer == {"text": "slept 3"}


def test_without_parameters_it_gets_the_text(child: Callable[..., Any]) -> None:
    answer = child(f"{TOOLS}.SleepTool", request("3"))[1]
    assert answer == {"text": "slept '3'"}


def test_arguments_of_the_class_may_be_classes_themselves(child: Callable[..., Any]) -> None:
    wrapped = {"class": f"{TOOLS}.Wrapper", "headers": {"A": "b"}}
    answer = child(f"{TOOLS}.RequestsGetTool", request("x"), arguments={"requests_wrapper": wrapped, "k": 2})[1]
    assert json.loads(answer["text"]) == {"url": "x", "headers": {"A": "b"}, "k": 2}


@pytest.mark.parametrize(
    ("name", "opening", "said"),
    [
        ("NoSuchTool", {}, "AttributeError"),
        ("Keyed", {}, "ValueError: Did not find api_key, set BRAVE_SEARCH_API_KEY"),
        ("Wrapper", {"arguments": {"headers": 1}}, f"TypeError: {TOOLS}.Wrapper is no langchain tool"),
        ("SleepTool", {"parameters": ["minutes"]}, "it has no parameter minutes; it has sleep_time"),
    ],
)
def test_what_cannot_be_built_is_told(child: Callable[..., Any], name: str, opening: Any, said: str) -> None:
    (opened,) = child(f"{TOOLS}.{name}", request("1"), **opening)
    assert opened["failed"]
    assert said in opened["text"]


def test_a_call_that_fails_is_told_and_the_next_is_answered(child: Callable[..., Any]) -> None:
    _, first, second = child(f"{TOOLS}.Broken", request("a"), request("b"))
    assert first == second == {"text": "RuntimeError: the service is down", "failed": True}
