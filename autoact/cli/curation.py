"""`autoact tools add`, `remove`, `enable`, `disable` and `order`: editing tools.toml without losing its comments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.tools.library.tools_toml_edit import ToolsFile


def add(verbs: Any) -> None:
    """The verbs and their options."""
    parser = _verb(verbs, "add", "put a tool into the project", put)
    parser.add_argument("name", help="a tool of the library, or a name for one of your own")
    parser.add_argument(
        "--kind", default="builtin", help="what brings a tool of your own: python, langchain, mcp, http"
    )
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a setting, in TOML's notation")
    parser.add_argument("--definition", help="what agents are told that it does")
    parser.add_argument("--usage", help="an example call, as in Name[argument]")
    _verb(verbs, "remove", "take a tool out of the project", take_out).add_argument("name")
    for name, told in (("enable", "switch tools on"), ("disable", "switch tools off and keep their settings")):
        _verb(verbs, name, told, switch, enabled=name == "enable").add_argument("name", nargs="+")
    _verb(verbs, "order", "put these tools first, in this order", arrange).add_argument("name", nargs="+")


def _verb(verbs: Any, name: str, told: str, run: Any, **defaults: bool) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=told)
    parser.add_argument("project", help="the project's folder")
    parser.set_defaults(run=run, **defaults)
    return parser


def put(arguments: argparse.Namespace) -> int:
    """A new entry at the end of tools.toml."""
    from autoact.tools.library.tools_toml_edit import new_entry

    told = {key: value for key in ("definition", "usage") if (value := getattr(arguments, key))}
    settings = dict(_setting(text) for text in arguments.set)
    with edited(arguments.project) as file:
        entry = new_entry(arguments.name, arguments.kind, settings, told, file.names())
        file.add(entry)
    return _told(file, arguments.project, [entry["name"]])


def take_out(arguments: argparse.Namespace) -> int:
    """The entry goes, with the comments directly above it."""
    with edited(arguments.project) as file:
        file.remove(arguments.name)
    return _told(file, arguments.project, [])


def switch(arguments: argparse.Namespace) -> int:
    """On or off; settings and comments stay."""
    with edited(arguments.project) as file:
        for name in arguments.name:
            file.enable(name, enabled=arguments.enabled)
    return _told(file, arguments.project, arguments.name if arguments.enabled else [])


def arrange(arguments: argparse.Namespace) -> int:
    """The order in which tools are listed and offered to agents."""
    with edited(arguments.project) as file:
        file.order(arguments.name)
    return _told(file, arguments.project, [])


def opened(project: str) -> ToolsFile:
    """A project's tools.toml, ready to be edited; every tool of the library when it has none."""
    from autoact.project import Project
    from autoact.tools.library.tools_toml_edit import ToolsFile

    return ToolsFile.open(Project.open(project).root / "tools.toml")


@contextmanager
def edited(project: str) -> Iterator[ToolsFile]:
    """Gives a project's tools.toml to change and saves it at the end; no other command changes it meanwhile."""
    from autoact import disk
    from autoact.project import Project

    file = Project.open(project).root / "tools.toml"
    with disk.locked(file.resolve().parent):
        tools = opened(project)
        yield tools
        tools.save()


def _told(file: ToolsFile, project: str, touched: list[str]) -> int:
    """The tools in their order, and what keeps the touched ones from running."""
    from autoact.cli.output import printable
    from autoact.job.inputs import open_library
    from autoact.project import Project

    print(printable(" ".join(name if enabled else f"({name})" for name, enabled in file.enabled().items())))
    library, corpus = open_library(Project.open(project))
    for record in filter(None, map(library.resolve, touched)):
        if not record.runs:
            print(printable(f"{record.name} cannot run yet: {record.reason}"))
    library.close()
    corpus.close()
    return 0


def _setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE with a value in TOML's notation; what is none is a text. Raises BadInput."""
    from autoact import toml_text
    from autoact.errors import BadInput

    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise BadInput(f"expected KEY=VALUE, not `{text}`", key="--set")
    try:
        return key.strip(), toml_text.parse(f"x = {value}")["x"]
    except toml_text.TOMLDecodeError:
        return key.strip(), value
