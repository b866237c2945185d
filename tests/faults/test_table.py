"""The table of faults adds up what its tests tell, and shows those that failed."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from table import CPU, FAULT, Line, collected


def told(outcome: Literal["passed", "failed"], fault: tuple[str, int, dict[str, Any]] | None) -> pytest.TestReport:
    properties: list[tuple[str, object]] = [(CPU, 0.5), *([(FAULT, fault)] if fault else [])]
    place = ("tests/faults/test_x.py", 1, "test_x")
    return pytest.TestReport(
        "tests/faults/test_x.py::test_x", place, {FAULT: 1}, outcome, None, "call", duration=2.0,
        user_properties=properties,
    )  # fmt: skip


def test_parts_of_a_fault_add_up() -> None:
    parts = [told("passed", ("F1 a kill", 500, {"lost": 0, "runs": n, "rate": f"{n}/s"})) for n in (3, 4)]
    assert collected(parts) == {"F1 a kill": Line(1000, True, 1.0, 4.0, {"lost": 0, "runs": 7, "rate": "4/s"})}


def test_a_fault_of_which_a_part_failed_has_failed() -> None:
    lines = collected([told("passed", ("F1 a kill", 5, {})), told("failed", ("F1 a kill", 5, {}))])
    assert lines["F1 a kill"].cells("F1 a kill") == ("F1 a kill", "10", "SOME", "1.0", "4.0", "")


def test_what_failed_before_it_could_tell_is_there_and_what_tells_nothing_is_not() -> None:
    assert list(collected([told("failed", None), told("passed", None)])) == ["test_x.py::test_x"]
