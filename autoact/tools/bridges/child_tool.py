"""Groups of one tool whose calls a child process answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from autoact.english.sentences import shorten
from autoact.script import Observation
from autoact.tools.bridges.arguments import example_call, parse_arguments
from autoact.tools.bridges.child import Child, child_environment
from autoact.tools.bridges.protocol import ChildFailed
from autoact.tools.library.tool import Call, Group, State, ToolContext, ToolRecord, with_state

START_S = 30.0
"""Seconds that the child may take to import what it needs."""
LONGEST_DEFINITION = 300
INVISIBLE = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0))}
"""Replaces control characters, which a terminal would obey, by spaces."""


def child_group(context: ToolContext, record: ToolRecord, opening: Mapping[str, Any]) -> Group:
    """Makes the group of one tool; its first call starts the child and opens the tool there as `opening` says.

    The model's argument is parsed by the record's schema.
    """
    if without := missing_key_group(context, record):
        return without
    record = msgspec.structs.replace(record, usage=record.usage or example_call(record.name, record.schema))
    child = Child(opening, child_environment(context, record.settings["secrets"]), context.root, START_S)
    context.closing.callback(child.close)

    def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
        limits = records[record.name].limits

        def call(argument: str) -> Observation:
            arguments = parse_arguments(argument, record.schema)
            seen = child.ask({"arguments": arguments, "text": argument}, limits.timeout_s)
            if seen.failed:
                raise ChildFailed(seen.text)
            return seen

        return {record.name: call}

    return Group((record,), open_calls)


def one_line(description: str) -> str:
    """Shortens a description that others wrote to one line without control characters."""
    return shorten(description.translate(INVISIBLE), LONGEST_DEFINITION)


def unusable_group(record: ToolRecord, reason: str, state: State = "needs-setting") -> Group:
    """Makes a group of one tool that cannot run, with the reason."""
    return Group((with_state(record, state, reason),), lambda context, records: {})


def missing_key_group(context: ToolContext, record: ToolRecord) -> Group | None:
    """Makes a group of one tool that cannot run when a secret it names is missing; None when none is."""
    missing = [name for name in record.settings["secrets"] if context.secret(name) is None]
    return unusable_group(record, f"needs a key: autoact secrets set {missing[0]}", "needs-key") if missing else None
