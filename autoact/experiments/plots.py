"""Plots as inline SVG: bars with intervals, and lines."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from autoact.security.untrusted_text import one_line

BAR, LABEL, WIDTH = 22, 260, 720
"""Height of a bar with its gap, width of the labels and of the whole plot, in pixels."""
HEIGHT, MARGIN = 300, 46
APART = 30
"""Least distance of two numbers below an axis, in pixels."""
COLOURS = ("#1b6ac9", "#c2410c", "#15803d", "#7e22ce", "#0e7490", "#a16207")


class Bar(NamedTuple):
    """A value with the ends of its interval, all in percent."""

    label: str
    value: float
    low: float
    high: float


class Line(NamedTuple):
    """A series of points; `ends` has the ends of their intervals, and is empty for none."""

    label: str
    points: Sequence[tuple[float, float]]
    ends: Sequence[tuple[float, float]] = ()


def draw_bars(bars: Sequence[Bar]) -> str:
    """Returns horizontal bars from 0 to 100 %."""
    scale = (WIDTH - LABEL - 60) / 100
    parts = []
    for number, bar in enumerate(bars):
        top, middle = number * BAR + 4, number * BAR + 4 + (BAR - 8) / 2
        end = LABEL + bar.value * scale
        parts += [
            _text(LABEL - 8, middle + 4, bar.label, "end"),
            f'<rect x="{LABEL}" y="{top}" width="{bar.value * scale:.1f}" height="{BAR - 8}" fill="{COLOURS[0]}"/>',
            _line(LABEL + bar.low * scale, middle, LABEL + bar.high * scale, middle, "#111"),
            _text(max(end, LABEL + bar.high * scale) + 6, middle + 4, f"{bar.value:.1f}"),
        ]
    return _svg(len(bars) * BAR + 8, parts)


def draw_lines(lines: Sequence[Line], across: str, up: str) -> str:
    """Returns lines over one horizontal axis; `across` and `up` name the axes."""
    points = [point for line in lines for point in line.points]
    right = max((x for x, _ in points), default=1) or 1
    top = 1.05 * max([y for _, y in points] + [end for line in lines for _, end in line.ends], default=1) or 1
    wide, high = WIDTH - 2 * MARGIN - 150, HEIGHT - 2 * MARGIN

    def place(x: float, y: float) -> tuple[float, float]:
        return MARGIN + wide * x / right, HEIGHT - MARGIN - high * y / top

    parts = [_line(*place(0, 0), *place(right, 0), "#111"), _line(*place(0, 0), *place(0, top), "#111")]
    shown = float(-APART)
    for x in sorted({x for x, _ in points}):
        if place(x, 0)[0] - shown >= APART:  # else it would cover the one before
            shown = place(x, 0)[0]
            parts.append(_text(shown, HEIGHT - MARGIN + 18, f"{x:g}", "middle"))
    digits = 0 if top >= 10 else 2
    parts += [_text(MARGIN - 6, place(0, y)[1] + 4, f"{y:.{digits}f}", "end") for y in (0, top / 2, top)]
    parts += [_text(MARGIN + wide / 2, HEIGHT - 8, across, "middle"), _text(MARGIN, MARGIN - 14, up)]
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in line.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, _), (low, end) in zip(line.points, line.ends, strict=False):
            parts.append(_line(*place(x, low), *place(x, end), colour))
        parts.append(_text(MARGIN + wide + 12, MARGIN + 18 * number, line.label, colour=colour))
    return _svg(HEIGHT, parts)


def _svg(height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} font-size="13">{"".join(parts)}</svg>'


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = "currentColor") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(one_line(words))}</text>'


def _line(left: float, top: float, right: float, bottom: float, colour: str) -> str:
    return f'<line x1="{left:.1f}" y1="{top:.1f}" x2="{right:.1f}" y2="{bottom:.1f}" stroke="{colour}"/>'
