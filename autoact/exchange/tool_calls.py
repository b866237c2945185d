"""Converts calls with named arguments, as other programs have them, to a name and one text, and back."""

from __future__ import annotations

from typing import Any

import orjson

from autoact.exchange.transcript import make_step
from autoact.files.records import RecordPlace
from autoact.trajectory import FINISH, Step

ARGUMENT = "argument"
"""The name that exported calls give to their only argument."""


def parse_call(text: str, place: RecordPlace) -> tuple[str, str]:
    """Returns name and argument of a call written as JSON with `name` and `arguments`. Raises BadProject."""
    try:
        call = orjson.loads(text)
    except orjson.JSONDecodeError:
        call = None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        raise place.error(f'expected a call as {{"name": "...", "arguments": {{...}}}}, found {text!r:.60}')
    return call["name"], join_arguments(call.get("arguments"))


def join_arguments(arguments: Any) -> str:
    """Returns arguments, an object or its JSON, as one text: a single text as it is, others as JSON."""
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return str(arguments)
    values = list(arguments.values()) if isinstance(arguments, dict) else [arguments]
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return orjson.dumps(arguments).decode() if arguments else ""


def make_finish(text: str, reasoning: str) -> Step:
    """Returns the last step for a final message without a call: its text is the answer."""
    return make_step(reasoning, FINISH, text.strip())
