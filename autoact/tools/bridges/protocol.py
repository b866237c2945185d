"""The messages between the library and the child process of a bridge, shared by both sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct


class ChildFailed(Exception):
    """The child gave no answer; the message says why."""


class ChildReply(Struct, frozen=True, omit_defaults=True):
    """One reply of a child, a line of JSON."""

    text: str
    failed: bool = False
    ended: bool = False
    """Whether the child can serve no more calls and is to be killed."""


RequestHandler = Callable[[dict[str, Any]], ChildReply]
"""Answers one request within the child: `arguments` by name, and `text` as the model wrote it."""


def value_text(value: object) -> str:
    """Returns what a tool returned as text: a string as it is, containers and truth values as JSON."""
    if value is None:
        return "(nothing)"
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | tuple | bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
