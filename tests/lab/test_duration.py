"""Durations in words and in columns, at the borders between units."""

from __future__ import annotations

from autoact.lab.duration import format_duration, short_duration


def test_units_change_at_the_rounded_minute_and_hour() -> None:
    seconds = (0, 45, 59.6, 61, 3599.7, 7800)
    assert [format_duration(one) for one in seconds] == [
        "0 s", "45 s", "1 min 00 s", "1 min 01 s", "1 h 00 min", "2 h 10 min",
    ]  # fmt: skip
    assert [short_duration(one) for one in seconds] == ["0s", "45s", "1m00", "1m01", "1h00", "2h10"]
