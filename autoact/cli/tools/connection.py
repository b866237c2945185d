"""`autoact tools connect`: asks an MCP server for its tools and stores their descriptions in the project."""

from __future__ import annotations

import argparse
from typing import Any

from autoact.cli.project.trust import add_trust


def add(verbs: Any) -> None:
    """Adds the verb and its options."""
    parser = verbs.add_parser(
        "connect", help="ask an MCP server for its tools and store their descriptions in the project",
        description="Starts the servers in tools.toml (all, or the one named). A tool whose description changes later "
        "is refused until this command has stored the new one.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("name", nargs="?", default="", help="the server's name in tools.toml")
    parser.add_argument("--json", action="store_true")
    add_trust(parser)
    parser.set_defaults(run=connect)


def connect(arguments: argparse.Namespace) -> int:
    """Prints each server's tools, and which are new, changed or gone."""
    from autoact.cli.output import print_columns, print_json
    from autoact.cli.project.trust import open_trusted_project
    from autoact.errors import BadInput
    from autoact.tools.library.catalogue import BRIDGES, GROUPS
    from autoact.tools.library.tools_toml import read_enabled_tools

    project = open_trusted_project(arguments)
    known = [record for group in GROUPS for record in group.records]
    listed = read_enabled_tools(project.tools_toml, known, BRIDGES) if project.tools_toml else []
    servers = [record for record in listed if record.kind == "mcp" and arguments.name in ("", record.name)]
    if not servers:
        named = f" named `{arguments.name}`" if arguments.name else ""
        raise BadInput(f"tools.toml lists no MCP server{named}", file=project.tools_toml)
    found = [row for record in servers for row in _connect_server(project, record)]
    if arguments.json:
        print_json([{"tool": tool, "news": news, "definition": definition} for tool, news, definition in found])
    else:
        print_columns([("TOOL", "NEWS", "DEFINITION"), *found])
    return 0


def _connect_server(project: Any, server: Any) -> list[tuple[str, str, str]]:
    from autoact.job.inputs import tool_context
    from autoact.tools.bridges import mcp
    from autoact.tools.pages.corpus import Corpus

    file = mcp.descriptions_file(project.root, server.name)
    before = {tool.name: tool.digest() for tool in mcp.read_descriptions(file)} if file.exists() else {}
    tools = mcp.connect(tool_context(project, Corpus.of_pages(())), server)
    rows = []
    for tool in tools:
        news = "new" if tool.name not in before else "" if before.pop(tool.name) == tool.digest() else "changed"
        record = mcp.as_record(server, tool)
        rows.append((record.name, news, record.definition))
    return rows + [(f"{server.name}.{name}", "gone", "") for name in before]
