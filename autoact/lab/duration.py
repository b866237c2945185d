"""Formats durations for people."""

from __future__ import annotations


def format_duration(seconds: float) -> str:
    """Returns seconds in two units at most: `45 s`, `7 min 09 s`, `2 h 10 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def short_duration(seconds: float) -> str:
    """Returns seconds for a column of a table: `45s`, `7m09`, `2h10`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60}h{minutes % 60:02d}"
    return f"{minutes}m{rest:02d}" if minutes else f"{rest}s"
