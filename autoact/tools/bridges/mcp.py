"""An MCP server as tools named `server.tool`, with the descriptions it gave when a person connected it."""

from __future__ import annotations

import hashlib
import re
import shutil
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from autoact.errors import BadProject
from autoact.files import disk
from autoact.script import Observation
from autoact.security import grants
from autoact.tools.bridges.arguments import example_call, parse_arguments
from autoact.tools.bridges.child import Child, child_environment
from autoact.tools.bridges.child_tool import INVISIBLE, missing_key_group, one_line, unusable_group
from autoact.tools.bridges.protocol import ChildFailed
from autoact.tools.library.tool import Bridge, Call, Group, ToolContext, ToolRecord, require_package

_NAME = re.compile(r"[\w./-]{1,64}", re.ASCII)


class ToolDescription(Struct, frozen=True):
    """A tool as its server describes it."""

    name: str
    description: str
    schema: dict[str, Any]

    def digest(self) -> str:
        """Returns a digest that changes whenever the description does."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def group(context: ToolContext, record: ToolRecord) -> Group:
    """Makes the group of the tools of the server that `command` starts or `url` names. The first call starts the
    server."""
    settings = record.settings
    if bool(settings["command"]) == bool(settings["url"]):
        return unusable_group(
            record, 'it needs settings = {command = ["PROGRAM", "ARGUMENT"]} or settings = {url = "..."}'
        )
    if (told := require_package(record, "mcp", "mcp")) != record:
        return unusable_group(record, told.reason, told.state)
    if settings["command"] and shutil.which(settings["command"][0]) is None:
        return unusable_group(record, f"there is no program {settings['command'][0]} here", "needs-package")
    if context.root is None or not descriptions_file(context.root, record.name).exists():
        return unusable_group(
            record, f"its tools are not known yet; `autoact tools connect PROJECT {record.name}` reads them"
        )
    tools = read_descriptions(descriptions_file(context.root, record.name))
    unknown = [name for name in settings["only"] if name not in {tool.name for tool in tools}]
    if unknown:
        return unusable_group(record, f"it has no tool {unknown[0]}; it has {', '.join(tool.name for tool in tools)}")
    if without := missing_key_group(context, record):
        return without
    if refusal := _refusal(context, record):
        return unusable_group(record, refusal, "refused")
    wanted = [tool for tool in tools if not settings["only"] or tool.name in settings["only"]]
    return _server_group(context, record, wanted)


def _refusal(context: ToolContext, record: ToolRecord) -> str:
    """Says which secret may not be sent to the server's host; empty when all may."""
    url = record.settings["url"]
    withheld = [name for name in record.settings["secrets"] if url and not context.granted(name, url)]
    return grants.refusal(withheld[0], url) if withheld else ""


BRIDGE = Bridge(
    {"command": [], "url": "", "headers": {}, "environment": {}, "secrets": [], "only": [], "connect_s": 30.0},
    ("network", "code", "files"),
    group,
)


def _server_group(context: ToolContext, server: ToolRecord, tools: list[ToolDescription]) -> Group:
    child = _child(context, server)
    context.closing.callback(child.close)
    records = {tool.name: as_record(server, tool) for tool in tools}

    def open_calls(context: ToolContext, known: Mapping[str, ToolRecord]) -> dict[str, Call]:
        return {record.name: _call(child, tool, known[record.name])
                for tool in tools for record in [records[tool.name]]}  # fmt: skip

    return Group(tuple(records.values()), open_calls)


def _call(child: Child, tool: ToolDescription, record: ToolRecord) -> Call:
    def call(argument: str) -> Observation:
        arguments = parse_arguments(argument, tool.schema)
        child.start()
        offered = {one.name: one.digest() for one in _decode(child.greeting)}
        if offered.get(tool.name) != tool.digest():
            server = record.name.partition(".")[0]
            raise ChildFailed(
                f"the server describes it differently since it was connected; look at it again with "
                f"`autoact tools connect PROJECT {server}`"
            )
        seen = child.ask({"tool": tool.name, "arguments": arguments}, record.limits.timeout_s)
        return msgspec.structs.replace(seen, text=seen.text.translate(INVISIBLE))

    return call


def as_record(server: ToolRecord, tool: ToolDescription) -> ToolRecord:
    """Makes a record of a server's description, which is foreign text: one line, without control characters."""
    name = f"{server.name}.{tool.name}"
    definition = one_line(tool.description) or f"The tool {tool.name} of the server {server.name}."
    return msgspec.structs.replace(
        server, name=name, definition=definition,
        usage=example_call(name, tool.schema).translate(INVISIBLE), schema=tool.schema,
    )  # fmt: skip


def _child(context: ToolContext, record: ToolRecord) -> Child:
    settings = record.settings
    values = {name: context.secret_for(name, settings["url"]) or "" for name in settings["secrets"]}
    headers = {name: string.Template(value).safe_substitute(values) for name, value in settings["headers"].items()}
    opening = {"kind": "mcp", "command": settings["command"], "url": settings["url"], "headers": headers}
    told = child_environment(context, settings["secrets"] if settings["command"] else [], settings["environment"])
    return Child(opening, told, context.root, settings["connect_s"])


# -- connecting ------------------------------------------------------------------------------------------------------


def connect(context: ToolContext, record: ToolRecord) -> list[ToolDescription]:
    """Starts the server, asks for its tools, and stores their descriptions in the project. Raises BadProject."""
    if context.root is None:
        raise BadProject("a server's tools are kept in a project folder, and there is none")
    if refusal := _refusal(context, record):
        raise BadProject(f"the server `{record.name}` is not asked: {refusal}")
    child = _child(context, record)
    try:
        child.start()
        tools = _decode(child.greeting)
    except ChildFailed as error:
        raise BadProject(f"the server `{record.name}` cannot be used: {error}") from error
    finally:
        child.close()
    file = descriptions_file(context.root, record.name)
    file.parent.mkdir(exist_ok=True)
    disk.replace(file, msgspec.json.format(msgspec.json.encode(tools), indent=2) + b"\n")
    return tools


def descriptions_file(root: Path, server: str) -> Path:
    """Returns the file in a project with a server's tool descriptions. People read it and keep it in git."""
    return root / "tools" / f"{server}.mcp.json"


def read_descriptions(file: Path) -> list[ToolDescription]:
    """Reads the descriptions of a server's tools. Raises BadProject."""
    try:
        return _decode(file.read_bytes())
    except (OSError, ChildFailed) as error:
        raise BadProject(str(error), file=file) from error


def _decode(text: str | bytes) -> list[ToolDescription]:
    """Decodes descriptions and sorts them by name, without those whose name is invalid. Raises ChildFailed."""
    try:
        tools = msgspec.json.decode(text, type=list[ToolDescription])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ChildFailed(f"its list of tools cannot be read: {error}") from error
    return sorted((tool for tool in tools if _NAME.fullmatch(tool.name)), key=lambda tool: tool.name)
