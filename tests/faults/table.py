"""The table of faults: what was tried, how often, whether any of it failed, and what was counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

FAULT, CPU = "fault", "CPU seconds"
"""Names of what a test says of itself, in its report."""
HEADINGS = ("FAULT", "TRIED", "FAILED", "CPU s", "WALL s", "COUNTED")


@dataclass(slots=True)
class Line:
    """One fault, in all tests about it."""

    tried: int = 0
    held: bool = True
    """Each test looks at every single case, so one that passed has seen none fail."""
    cpu: float = 0.0
    """Seconds, without those of keepers and their jobs."""
    wall: float = 0.0
    counts: dict[str, Any] = field(default_factory=dict)

    def add(self, tried: int, counts: dict[str, Any]) -> None:
        """Numbers add up; of words the last stand."""
        self.tried += tried
        for name, count in counts.items():
            self.counts[name] = count + self.counts.get(name, 0) if isinstance(count, int | float) else count

    def cells(self, fault: str) -> tuple[str, ...]:
        told = ", ".join(f"{name} {_shown(count)}" for name, count in self.counts.items())
        tried = f"{self.tried:,}" if self.tried else ""
        return fault, tried, "0" if self.held else "SOME", f"{self.cpu:.1f}", f"{self.wall:.1f}", told


def print_table(reporter: pytest.TerminalReporter) -> None:
    """At the end of everything; nothing when no fault was tried."""
    lines = collected([one for outcome in ("passed", "failed") for one in reporter.stats.get(outcome, ())])
    if not lines:
        return
    rows = [HEADINGS, *(line.cells(fault) for fault, line in sorted(lines.items(), key=_by_number))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    reporter.section("faults")
    for fault, *cells, told in rows:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:-1], strict=True))
        reporter.write_line(f"{fault.ljust(widths[0])}  {numbers}  {told}".rstrip())


def collected(reports: list[pytest.TestReport]) -> dict[str, Line]:
    """A line for every fault that was told of, and for every test that failed before it could tell."""
    lines: dict[str, Line] = {}
    for report in reports:
        if FAULT not in report.keywords:
            continue
        said = dict(report.user_properties)
        name, tried, counts = said.get(FAULT) or (report.nodeid.rpartition("/")[2], 0, {})
        if not tried and report.passed:
            continue
        line = lines.setdefault(name, Line())
        line.add(tried, counts)
        line.held &= report.passed
        line.cpu += float(str(said.get(CPU, 0)))
        line.wall += report.duration
    return lines


def _by_number(entry: tuple[str, Line]) -> tuple[int, str]:
    """F2 before F10; what has no number comes last."""
    number = entry[0].partition(" ")[0].removeprefix("F")
    return (int(number), "") if number.isdigit() else (99, entry[0])


def _shown(count: object) -> str:
    if isinstance(count, float):
        return f"{count:,.1f}"
    return f"{count:,}" if isinstance(count, int) else str(count)
