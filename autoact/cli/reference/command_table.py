"""The table of all commands, read from the parser: name, help, usage and arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

EXIT_CODES = ((0, "done"), (1, "failed"), (2, "bad input"), (130, "stopped"))


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One command."""

    name: str
    """With the verb of its group, as in `tools list`."""
    aliases: tuple[str, ...]
    help: str
    """One line."""
    description: str
    """More sentences; empty where the help says all."""
    usage: str
    """One line, beginning with `autoact`."""
    arguments: tuple[tuple[str, str], ...]
    """Each argument and option, as it is written, with its help."""


def list_commands(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[CommandEntry]:
    """Yields the commands of a parser in the order of its help; those of a group in place of the group."""
    group = find_verbs(parser)
    for shown in group._choices_actions if group else ():
        verb = group.choices[shown.dest] if group else parser
        names = tuple(name for name, one in (group.choices.items() if group else ()) if one is verb)
        name = f"{prefix}{names[0]}"
        if find_verbs(verb):
            yield from list_commands(verb, f"{name} ")
        else:
            yield _entry(verb, name, names[1:], shown.help or "")


def find_verbs(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    """Returns the action that holds a parser's verbs; None when it has none."""
    return next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)


def _entry(parser: argparse.ArgumentParser, name: str, aliases: tuple[str, ...], help: str) -> CommandEntry:
    formatter = parser._get_formatter()
    arguments = tuple(
        (_written(action, formatter), formatter._expand_help(action) if action.help else "")
        for action in parser._actions
        if action.dest != "help"
    )
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ")
    return CommandEntry(name, aliases, help, parser.description or "", usage, arguments)


def _written(action: argparse.Action, formatter: argparse.HelpFormatter) -> str:
    """Returns an argument as it is written, such as `--set KEY=VALUE`."""
    if not action.option_strings:
        return formatter._format_args(action, action.dest)
    value = "" if action.nargs == 0 else f" {formatter._format_args(action, action.dest.upper())}"
    return ", ".join(action.option_strings) + value
