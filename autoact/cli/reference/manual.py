"""`autoact man`: prints the manual page, in the form that `man` reads."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from autoact import __version__
from autoact.cli.reference.command_table import EXIT_CODES, list_commands

FILES = (
    ("notify.toml in the user's config folder", "how you are told that a run ended (`autoact notify`)"),
    ("secrets.json in the user's config folder", "the secrets of tools, readable by you alone"),
    ("PROJECT/project.toml, examples.jsonl, tools.toml, corpus/, runs/", "a project, of text files"),
)
ENVIRONMENT = (
    ("AUTOACT_PROJECTS", "the folder of your projects"),
    ("AUTOACT_DEFAULTS", "the file of your settings for all projects"),
    ("AUTOACT_MODELS", "the folder of stored models"),
    ("AUTOACT_SECRETS", "the file of your secrets"),
    ("AUTOACT_NOTIFY", "the file that says how you are notified"),
    ("AUTOACT_STUDIO", "the folder of the studio's keys, themes and state"),
)


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "man", help="print the manual page",
        description="Prints the manual page: `autoact man | man -l -` shows it, `autoact man > "
        "~/.local/share/man/man1/autoact.1` installs it.",
    )  # fmt: skip
    parser.set_defaults(run=man)


def man(arguments: argparse.Namespace) -> int:
    """Prints the page."""
    print("\n".join(manual_lines(arguments.parser)))
    return 0


def manual_lines(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yields the lines of the page."""
    yield f'.TH AUTOACT 1 "" "autoact {__version__}" "User Commands"'
    yield from (".SH NAME", f"autoact \\- {_text(_lower(parser.description or '').rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B autoact", ".I VERB", "[options]", ".SH COMMANDS")
    for command in list_commands(parser):
        aliases = f" (also: {', '.join(command.aliases)})" if command.aliases else ""
        yield from (f'.SS "{_text(command.name + aliases)}"', ".nh", f".B {_text(command.usage)}", ".hy", ".PP")
        yield _text(command.description or f"{command.help[:1].upper()}{command.help[1:]}.")
        for written, help in command.arguments:
            yield from (".TP", f".B {_text(written)}", _text(help))
    for heading, rows in (
        ("EXIT STATUS", [(str(code), meaning) for code, meaning in EXIT_CODES]), ("FILES", FILES),
        ("ENVIRONMENT", ENVIRONMENT),
    ):  # fmt: skip
        yield f".SH {heading}"
        for name, meaning in rows:
            yield from (".TP", f".B {_text(name)}", _text(meaning))


def _text(text: str) -> str:
    """Returns a text in which nothing is a request or an escape of roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
