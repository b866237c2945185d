"""`autoact tools try` and `tools test`: makes one call, or the calls by which each tool checks itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.project.project import Project
    from autoact.tools.library.check import CheckResult


def add(verbs: Any) -> None:
    """Adds the verbs and their options."""
    parser = verbs.add_parser("try", help="call a tool and print its observation")
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("name", help="the tool's name")
    parser.add_argument("argument", help='the argument of the call, such as "Marie Curie"')
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=try_tool)
    parser = verbs.add_parser(
        "test", help="run each tool's own checks",
        description="Makes the calls by which each tool checks itself, and prints what tools that cannot run need.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("name", nargs="*", help="only these tools")
    parser.add_argument("--all", action="store_true", help="also the tools that the project does not list")
    parser.add_argument("--online", action="store_true", help="also checks that need a network or a secret")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=test_tools)


def try_tool(arguments: argparse.Namespace) -> int:
    """Makes one call in its own session. Exit code 1 when the call failed, 2 for an unknown tool."""
    from autoact.cli.output import print_json
    from autoact.errors import BadInput
    from autoact.job.inputs import open_library
    from autoact.project.project import Project

    library, corpus = open_library(Project.open(arguments.project))
    record = library.resolve(arguments.name)
    if record is None:
        known = ", ".join(record.name for record in library.records())
        raise BadInput(f"no tool `{arguments.name}` in this project; expected one of {known}", key="NAME")
    seen = library.session().call(record.name, arguments.argument)
    library.close()
    corpus.close()
    if arguments.json:
        call = {"tool": record.name, "argument": arguments.argument, "text": seen.text, "failed": seen.failed}
        print_json({**call, "ms": seen.ms})
    else:
        print(seen.text)
    return int(seen.failed)


def test_tools(arguments: argparse.Namespace) -> int:
    """Prints a line for every check. Exit code 1 when one fails, 2 for an unknown tool."""
    from autoact.cli.output import print_json
    from autoact.errors import BadInput
    from autoact.project.project import Project
    from autoact.tools.library.tools_toml import tool_key

    wanted = {tool_key(name): name for name in arguments.name}
    results, known = [], dict[str, str]()
    for result in _results(Project.open(arguments.project), everything=arguments.all, online=arguments.online):
        known[tool_key(result.tool)] = result.tool
        if not wanted or tool_key(result.tool) in wanted:
            results.append(result)
            if not arguments.json:
                print(_line(result), flush=True)
    if unknown := [name for key, name in wanted.items() if key not in known]:
        there = ", ".join(known.values()) or "none"
        raise BadInput(f"no tool `{unknown[0]}` in this project; expected one of {there}", key="NAME")
    if arguments.json:
        print_json(results)
    else:
        print(_summary(results))
    return int(any(result.outcome == "failed" for result in results))


def _results(project: Project, *, everything: bool, online: bool) -> Iterator[CheckResult]:
    """Yields checks of the project's tools; with `everything`, of all other tools with default settings too."""
    from autoact.job.inputs import open_library, tool_context
    from autoact.tools.library.check import check_back_ends, check_on_samples, check_tools

    library, corpus = open_library(project)
    with closing(corpus), closing(library):
        listed = {record.name for record in library.records()}
        yield from check_tools(library, online=online)
    if everything:
        library, corpus = open_library(project, curated=False)
        with closing(corpus), closing(library):
            found = [result for result in check_tools(library, online=online) if result.tool not in listed]
            yield from check_on_samples(found)
            yield from check_back_ends(tool_context(project, corpus), online=online)


def _line(result: CheckResult) -> str:
    from autoact.cli.output import printable

    elapsed = f"{result.ms:8.0f} ms" if result.ms else " " * 11
    return printable(f"{result.outcome:10}  {result.tool:16}  {elapsed}  {result.detail}")


def _summary(results: Iterable[CheckResult]) -> str:
    from collections import Counter

    counts = Counter(result.outcome for result in results)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no tools"
