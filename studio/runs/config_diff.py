"""Compares the settings of two runs, and reads single settings from a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoact.lab.manifest import flatten_settings


def number_setting(settings: Mapping[str, Any], section: str, name: str) -> float:
    """Returns a numeric setting; 0 where it is missing or no number, since a log may hold anything."""
    found = settings.get(section)
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, int | float) else 0


def text_setting(settings: Mapping[str, Any], section: str, name: str) -> str:
    """Returns a setting that is a text; an empty one where it is missing or no text."""
    found = settings.get(section)
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else ""


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns the settings that differ: name, value in `one`, value in `other`; `-` where it is missing."""
    left, right = ({name: str(value) for name, value in flatten_settings(settings)} for settings in (one, other))
    names = dict.fromkeys((*left, *right))
    return [(n, left.get(n, "-"), right.get(n, "-")) for n in names if left.get(n) != right.get(n)]
