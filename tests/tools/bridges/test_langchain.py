"""A langchain class is told from tools.toml alone, and built where it can be killed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

import pytest

from autoact.tools.library import Library

Load = Callable[..., Library]

installed = pytest.mark.skipif(
    importlib.util.find_spec("langchain_community") is None, reason="pip install 'autoact-studio[langchain]'"
)


def entry(path: str, more: str = "", top: str = "") -> str:
    return f'[[tool]]\nname = "Own"\nkind = "langchain"\n{top}settings = {{class = "{path}", timeout_s = 60{more}}}\n'


@installed
def test_it_is_told_without_being_imported(load: Load) -> None:
    text = entry(
        "langchain_community.tools.file_management.CopyFileTool",
        ', parameters = ["source_path: str", "destination_path: str"]',
        'definition = "Copies a file."\n',
    )
    (record,) = load(text).records()
    assert (record.state, record.definition) == ("ready", "Copies a file.")
    assert record.usage == "Own[source_path, destination_path]"
    assert record.schema["required"] == ["source_path", "destination_path"]
    assert not [name for name in sys.modules if name.startswith("langchain")]


@installed
def test_a_class_with_one_text_is_called(load: Load) -> None:
    session = load(entry("langchain_community.tools.SleepTool", ', parameters = ["sleep_time: int"]')).session()
    assert "0" in session.call("Own", "0").text
    assert session.call("Own", "long").text == "Own failed: expected a whole number as `sleep_time`, not 'long'"


@installed
def test_arguments_of_the_class_may_be_classes_themselves(load: Load) -> None:
    wrapped = '{class = "langchain_community.utilities.requests.TextRequestsWrapper", headers = {}}'
    text = entry(
        "langchain_community.tools.RequestsGetTool",
        f", arguments = {{requests_wrapper = {wrapped}, allow_dangerous_requests = true}}",
    )
    seen = load(text).session().call("Own", "http://127.0.0.1:9/")
    assert seen.failed
    assert "127.0.0.1" in seen.text


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


@pytest.mark.skipif(importlib.util.find_spec("langchain_community") is not None, reason="it is installed")
def test_without_the_package_it_says_how_to_get_it(load: Load) -> None:
    (record,) = load(entry("langchain_community.tools.SleepTool")).records()
    assert (record.state, record.reason) == (
        "needs-package",
        "needs a package: pip install 'autoact-studio[langchain]'",
    )
