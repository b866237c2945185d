"""Settings of runs: one of them, and only what differs between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def number_setting(settings: Mapping[str, Any], section: str, name: str) -> float:
    """A setting that a log may hold in any form; 0 where it is no number."""
    found = settings.get(section)
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, int | float) else 0


def flatten(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Each setting by its whole name, `synthesis.samples`."""
    for key, value in settings.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            yield from flatten(value, name)
        else:
            yield name, str(value)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, the one's value, the other's; a dash where a setting is missing."""
    left, right = dict(flatten(one)), dict(flatten(other))
    names = dict.fromkeys((*left, *right))
    return [(n, left.get(n, "-"), right.get(n, "-")) for n in names if left.get(n) != right.get(n)]
