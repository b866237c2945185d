"""Versions of the log's lines. Each old version has a pure function that converts its lines to the next one.

A new event type or a new field with a default needs no new version: readers ignore unknown ones. The version rises
only when the meaning of an existing field changes. Conversion functions are never removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]
"""The decoded fields of a line, among them `v`, `seq`, `t`, `type` and `crc`."""
Step = Callable[[Fields], Fields]
"""A function that converts the fields of one version to the next."""

STEPS: tuple[Step, ...] = ()
"""The first step converts version 1 to version 2, and so on."""
VERSION = 1 + len(STEPS)
"""The version of lines that are written now."""


def upcast(fields: Fields, steps: Sequence[Step] = STEPS) -> Fields:
    """Returns the fields converted to the newest version; fields of an unknown, newer version are unchanged."""
    version = fields.get("v", 1)
    for step in steps[max(0, version - 1) :]:
        fields = step(fields)
    return {**fields, "v": max(version, 1 + len(steps))}
