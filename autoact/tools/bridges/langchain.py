"""A langchain tool class by its import path: described from its source, built and called in a child process."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import msgspec

from autoact.tools.bridges.child_tool import child_group, one_line, unusable_group
from autoact.tools.bridges.class_source import read_tool
from autoact.tools.bridges.protocol import ChildReply, RequestHandler, value_text
from autoact.tools.bridges.signature import NoSuchFunction, Signature, read_signature
from autoact.tools.library.tool import Bridge, Group, ToolContext, ToolRecord

EXPECTED = "a class of langchain_community.tools, such as langchain_community.tools.SleepTool"
ONE_TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


def group(context: ToolContext, record: ToolRecord) -> Group:
    """Makes the group of the class that the setting `class` names; the child builds it with `arguments`.

    Its description and parameters are those of its source, unless tools.toml gives a `definition` or `parameters`,
    written as in Python: `["query: str", "count: int = 3"]`. A tool without known parameters takes one text.
    """
    settings = record.settings
    module, _, name = settings["class"].rpartition(".")
    if not module or not name.isidentifier():
        return unusable_group(record, f'it needs settings = {{class = "PACKAGE.NAME"}} with {EXPECTED}')
    top = module.partition(".")[0]
    try:
        schema = read_signature(f"def tool({', '.join(settings['parameters'])}): ...", "tool").schema
        installed = importlib.util.find_spec(top) is not None
    except (NoSuchFunction, ValueError):
        return unusable_group(record, 'its parameters are not written as in ["query: str", "count: int = 3"]')
    if not installed:
        package = "'autoact-studio[langchain]'" if top == "langchain_community" else f"what brings {top}"
        return unusable_group(record, f"needs a package: pip install {package}", "needs-package")
    own = read_tool(settings["class"]) or Signature("", {})
    if not settings["parameters"]:
        schema = own.schema
    description = msgspec.structs.replace(
        record,
        definition=record.definition or one_line(own.definition) or f"The langchain tool {name}.",
        schema=schema if schema.get("properties") else ONE_TEXT,
    )
    opening = {"kind": "langchain", "class": settings["class"], "arguments": settings["arguments"],
               "parameters": list(schema.get("properties", {}))}  # fmt: skip
    return child_group(context, description, opening)


BRIDGE = Bridge({"class": "", "arguments": {}, "parameters": [], "secrets": []}, ("network", "code", "files"), group)


# -- in the child ----------------------------------------------------------------------------------------------------


def open_in_child(opening: dict[str, Any]) -> RequestHandler:
    """Builds the tool. Raises TypeError when it is not a langchain tool, ValueError for parameters it does not have."""
    from langchain_core.tools import BaseTool

    tool = _build({"class": opening["class"], **opening["arguments"]})
    if not isinstance(tool, BaseTool):
        raise TypeError(f"{opening['class']} is no langchain tool; expected {EXPECTED}")
    parameters = opening["parameters"]
    # langchain silently drops arguments that it does not know.
    if unknown := [name for name in parameters if name not in tool.args]:
        raise ValueError(f"it has no parameter {', '.join(unknown)}; it has {', '.join(tool.args)}")
    return lambda request: ChildReply(value_text(tool.invoke(request["arguments"] if parameters else request["text"])))


def _build(description: dict[str, Any]) -> Any:
    """Builds an object from `class` and its arguments, after those arguments that name a class themselves."""
    module, _, name = description["class"].rpartition(".")
    found = getattr(importlib.import_module(module), name)
    arguments = {
        key: _build(value) if isinstance(value, dict) and "class" in value else value
        for key, value in description.items()
        if key != "class"
    }
    return found(**arguments) if isinstance(found, type) else found
