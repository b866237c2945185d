"""What older lines of a log mean today: one pure step for every version there was. Steps are never removed.

A new type or a new field with a default needs no version: readers pass over what they do not know. A line's version
rises only when something it says is meant otherwise; the step of that version then tells it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]
"""A line as it was written, `v`, `seq`, `t`, `type` and `crc` among its fields."""
Step = Callable[[Fields], Fields]

STEPS: tuple[Step, ...] = ()
"""The first makes version 2 of version 1, and so on."""
VERSION = 1 + len(STEPS)
"""The version of lines that are written now."""


def upcast(fields: Fields, steps: Sequence[Step] = STEPS) -> Fields:
    """The fields as the newest version would have written them; those of a version yet unknown stay as they are."""
    version = fields.get("v", 1)
    for step in steps[max(0, version - 1) :]:
        fields = step(fields)
    return {**fields, "v": max(version, 1 + len(steps))}
