"""Settings of runs side by side: only what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def flat(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Each setting by its whole name, `synthesis.samples`."""
    for key, value in settings.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            yield from flat(value, name)
        else:
            yield name, str(value)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, the one's value, the other's; a dash where a setting is missing."""
    left, right = dict(flat(one)), dict(flat(other))
    names = dict.fromkeys((*left, *right))
    return [(n, left.get(n, "-"), right.get(n, "-")) for n in names if left.get(n) != right.get(n)]
