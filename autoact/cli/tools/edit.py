"""`autoact tools add`, `edit`, `use`, `remove`, `enable`, `disable`, `order`: edits tools.toml, keeps its comments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.tools.library.tools_toml_edit import ToolsFile


def add(verbs: Any) -> None:
    """Adds the verbs and their options."""
    parser = _verb(verbs, "add", "add a tool to the project", add_tool)
    parser.add_argument("name", help="a tool of the library, or a name for your own tool")
    parser.add_argument("--kind", default="builtin", help="the kind of your own tool: python, langchain, mcp, http")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a setting in TOML")
    parser.add_argument("--definition", help="the description that agents read")
    parser.add_argument("--usage", help="an example call, such as Name[argument]")
    parser = _verb(verbs, "edit", "change a tool's texts and settings; the others stay", edit_tool)
    parser.add_argument("name", help="a tool of the project")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a setting in TOML")
    parser.add_argument("--definition", help="the description that agents read; empty for the tool's own")
    parser.add_argument("--usage", help="an example call; empty for the tool's own")
    use = _verb(verbs, "use", "switch exactly these tools on, in this order, and the others off", use_tools)
    use.add_argument("name", nargs="+")
    _verb(verbs, "remove", "remove a tool from the project", remove_tool).add_argument("name")
    for name, text in (("enable", "switch tools on"), ("disable", "switch tools off and keep their settings")):
        _verb(verbs, name, text, switch_tools, enabled=name == "enable").add_argument("name", nargs="+")
    _verb(verbs, "order", "put these tools first, in this order", order_tools).add_argument("name", nargs="+")


def _verb(verbs: Any, name: str, text: str, run: Any, **defaults: bool) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text)
    parser.add_argument("project", help="the project's folder or name")
    parser.set_defaults(run=run, **defaults)
    return parser


def add_tool(arguments: argparse.Namespace) -> int:
    """Adds an entry at the end of tools.toml."""
    from autoact.tools.library.tools_toml_edit import new_entry

    texts = {key: value for key in ("definition", "usage") if (value := getattr(arguments, key))}
    settings = dict(_setting(text) for text in arguments.set)
    with edit_tools_file(arguments.project) as file:
        entry = new_entry(arguments.name, arguments.kind, settings, texts, file.names())
        file.add(entry)
    return _print_tools(file, arguments.project, [entry["name"]])


def edit_tool(arguments: argparse.Namespace) -> int:
    """Changes the texts and settings of an entry; what is not named stays."""
    texts = {key: value for key in ("definition", "usage") if (value := getattr(arguments, key)) is not None}
    with edit_tools_file(arguments.project) as file:
        file.describe(arguments.name, texts)
        if arguments.set:
            file.configure(arguments.name, dict(_setting(text) for text in arguments.set))
    return _print_tools(file, arguments.project, [arguments.name])


def use_tools(arguments: argparse.Namespace) -> int:
    """Enables exactly the named tools, in their order."""
    with edit_tools_file(arguments.project) as file:
        file.use(arguments.name)
    return _print_tools(file, arguments.project, arguments.name)


def remove_tool(arguments: argparse.Namespace) -> int:
    """Removes an entry and the comments directly above it."""
    with edit_tools_file(arguments.project) as file:
        file.remove(arguments.name)
    return _print_tools(file, arguments.project, [])


def switch_tools(arguments: argparse.Namespace) -> int:
    """Switches tools on or off; settings and comments stay."""
    with edit_tools_file(arguments.project) as file:
        for name in arguments.name:
            file.enable(name, enabled=arguments.enabled)
    return _print_tools(file, arguments.project, arguments.name if arguments.enabled else [])


def order_tools(arguments: argparse.Namespace) -> int:
    """Sets the order in which tools are listed and offered to agents."""
    with edit_tools_file(arguments.project) as file:
        file.order(arguments.name)
    return _print_tools(file, arguments.project, [])


def open_tools_file(project: str) -> ToolsFile:
    """Opens a project's tools.toml for editing, with every tool of the library if the file is absent."""
    from autoact.project.project import Project
    from autoact.tools.library.tools_toml_edit import ToolsFile

    return ToolsFile.open(Project.open(project).root / "tools.toml")


@contextmanager
def edit_tools_file(project: str) -> Iterator[ToolsFile]:
    """Yields a project's tools.toml under its folder's lock and saves it at the end."""
    from autoact.files import disk
    from autoact.project.project import Project

    file = Project.open(project).root / "tools.toml"
    with disk.lock_folder(file.resolve().parent):
        tools = open_tools_file(project)
        yield tools
        tools.save()


def _print_tools(file: ToolsFile, project: str, changed: list[str]) -> int:
    """Prints the tools in their order, and the reason for each changed one that cannot run."""
    from autoact.cli.output import printable
    from autoact.job.inputs import open_library
    from autoact.project.project import Project

    print(printable(" ".join(name if enabled else f"({name})" for name, enabled in file.enabled().items())))
    library, corpus = open_library(Project.open(project))
    for record in filter(None, map(library.resolve, changed)):
        if not record.runs:
            print(printable(f"{record.name} cannot run yet: {record.reason}"))
    library.close()
    corpus.close()
    return 0


def _setting(text: str) -> tuple[str, Any]:
    """Parses KEY=VALUE; a value that is not TOML is text. Raises BadInput."""
    from autoact.errors import BadInput
    from autoact.files import toml_text

    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise BadInput(f"expected KEY=VALUE, not `{text}`", key="--set")
    return key.strip(), toml_text.parse_value(value)
