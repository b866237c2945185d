"""`autoact tools list` and `tools show`: prints a project's tools, their state and their use in runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from autoact.cli.tools import check, connection, edit, selection, sharing

if TYPE_CHECKING:
    from autoact.project.project import Project
    from autoact.tools.library.tool import ToolRecord
    from autoact.tools.library.usage import ToolUsage


def add(subparsers: Any) -> None:
    """Adds all verbs of `autoact tools` and their options."""
    group = subparsers.add_parser("tools", help="list, try, test, edit and share a project's tools")
    verbs = group.add_subparsers(title="verbs", metavar="VERB", required=True)
    parser = verbs.add_parser("list", help="list tools with their state and the reason")
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("--all", action="store_true", help="also tools that are switched off or not listed")
    parser.add_argument(
        "--stats", action="store_true", help="calls, failures and times of each tool in the project's runs"
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=show_all)
    parser = verbs.add_parser("show", help="print everything about one tool, with its calls in the project's runs")
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("name", help="the tool's name")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=show)
    for more in (check, edit, sharing, selection, connection):
        more.add(verbs)


def show_all(arguments: argparse.Namespace) -> int:
    """Prints a line for every tool: name, kind, state and reason, or its statistics."""
    from autoact.cli.output import print_columns, print_json
    from autoact.project.project import Project
    from autoact.tools.library.secret_use import missing_grants
    from autoact.tools.library.tools_toml import tool_key

    project = Project.open(arguments.project)
    rows = [(record, standing) for record, standing in _records(project) if standing == "on" or arguments.all]
    figures = usage_by_tool(project) if arguments.stats else {}
    if arguments.json:
        print_json(
            [
                {
                    **_describe(record),
                    "settings": _settings(record),
                    "schema": record.schema,
                    "listed": standing,
                    "missing_grants": missing_grants(record),
                    "stats": figures.get(tool_key(record.name)),
                }
                for record, standing in rows
            ]
        )
    elif arguments.stats:
        print_columns(
            [_FIGURES, *(_figures(record.name, figures.get(tool_key(record.name))) for record, _ in rows)], "lrrrrrrr"
        )
    else:
        shown = [(record.name, record.kind, _state(record, standing), record.reason) for record, standing in rows]
        print_columns([("NAME", "KIND", "STATE", "REASON"), *shown])
    return 0


def _records(project: Project) -> list[tuple[ToolRecord, str]]:
    """Returns every tool with `on`, `off` or `known` (to the library, not listed by the project)."""
    from autoact.job.inputs import open_library
    from autoact.tools.library.tools_toml_edit import ToolsFile

    library, corpus = open_library(project)
    everything, _ = open_library(project, curated=False)
    on = {record.name: record for record in library.records()}
    listed = ToolsFile.open(project.root / "tools.toml").names()
    others = [record for record in everything.records() if record.name not in on]
    library.close()
    corpus.close()
    return [(record, "on") for record in on.values()] + [
        (record, "off" if record.name in listed else "known") for record in others
    ]


def _state(record: ToolRecord, standing: str) -> str:
    return {"on": record.state, "off": "switched off", "known": "not listed"}[standing]


def _describe(record: ToolRecord) -> dict[str, Any]:
    return {
        "name": record.name, "aliases": record.aliases, "kind": record.kind, "state": record.state,
        "reason": record.reason, "definition": record.definition, "usage": record.usage, "powers": record.powers,
    }  # fmt: skip


def _settings(record: ToolRecord) -> dict[str, Any]:
    return {"timeout_s": record.limits.timeout_s, "max_chars": record.limits.max_chars, **record.settings}


def show(arguments: argparse.Namespace) -> int:
    """Prints one tool. Exit code 2 when there is none of that name."""
    from autoact.cli.output import print_json
    from autoact.errors import BadInput
    from autoact.project.project import Project
    from autoact.tools.library.tools_toml import tool_key, unknown_tool_message
    from autoact.tools.library.tools_toml_edit import known_tools

    project = Project.open(arguments.project)
    rows = {tool_key(name): (record, on) for record, on in _records(project) for name in (record.name, *record.aliases)}
    if tool_key(arguments.name) not in rows:
        raise BadInput(unknown_tool_message(arguments.name, known_tools()), key="NAME")
    record, standing = rows[tool_key(arguments.name)]
    figures = usage_by_tool(project).get(tool_key(record.name))
    described = {**_describe(record), "listed": standing, "settings": _settings(record), "schema": record.schema}
    if arguments.json:
        print_json({**described, "stats": figures})
    else:
        _print(described, figures)
    return 0


def _print(described: dict[str, Any], figures: ToolUsage | None) -> None:
    from autoact.cli.output import print_columns

    lines = [(key, _as_text(value)) for key, value in described.items() if value and key != "settings"]
    print_columns([*lines, *((f"  {key}", _as_text(value)) for key, value in described["settings"].items())])
    print()
    print_columns([_FIGURES, _figures(described["name"], figures)], "lrrrrrrr")


def _as_text(value: Any) -> str:
    from msgspec import json

    return value if isinstance(value, str) and value else json.encode(value).decode()


_FIGURES = ("NAME", "CALLS", "FAILED", "FOUND NOTHING", "P50 MS", "P95 MS", "USED BY", "RIGHT")


def _figures(name: str, fortune: ToolUsage | None) -> tuple[str, ...]:
    if fortune is None:
        return (name, "0", "", "", "", "", "", "")
    right = "" if fortune.right_rate is None else f"{fortune.right_rate:.0%}"
    return (
        name, str(fortune.calls), str(fortune.failed), str(fortune.empty), f"{fortune.p50_ms:.1f}",
        f"{fortune.p95_ms:.1f}", str(fortune.trajectories), right,
    )  # fmt: skip


def usage_by_tool(project: Project) -> dict[str, ToolUsage]:
    """Returns the use of each tool in all runs of a project, by tool key. Reads logs only."""
    from autoact.run.record.folder import list_runs
    from autoact.run.record.log import read
    from autoact.tools.library.tools_toml import tool_key
    from autoact.tools.library.tools_toml_edit import known_tools
    from autoact.tools.library.usage import UsageCounter

    counted = UsageCounter({key: tool_key(record.name) for key, record in known_tools().items()})
    for folder in list_runs(project.root):
        counted.count(record.event for record in read(folder.events))
    return counted.by_tool()
