"""A plot of curves over steps, in braille: smoothing, logarithmic scale, a cursor, and earlier runs beneath."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from string import ascii_lowercase

from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from studio.actions import action_table
from studio.runs.loss_series import Column, RunCurve, Series, span
from studio.terminal import theme, untrusted_text
from studio.terminal.glyphs import app_glyphs
from studio.widgets.charts.braille import Grid, dot_text, draw_dots
from studio.widgets.charts.ticks import round_powers, round_values, step_labels, tick_rows

ROLES = ("meta", "plan", "tool", "reflect", "world")
OTHERS = tuple(f"other-{number}" for number in range(theme.OTHERS))
"""Styles of other runs' curves, in turn; a letter tells them apart without colours."""
SMOOTHING = (0.0, 0.6, 0.9, 0.99)
"""Weights of the running average; the smoothing key steps through them."""
AXIS = 8
"""Cells left of the plot, for the values at its upper and lower edge."""
LEAST_ROWS = 6
"""Rows from which the names of other runs have a line of their own."""
_BOLD = Style(bold=True)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of the plot."""

    name: str
    role: str
    """Decides its colour and sign."""
    series: Series
    of: int = 0
    """Steps expected; 0 when unknown."""
    earlier: Sequence[RunCurve] = field(default_factory=tuple)
    """The same curve in other runs."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """One curve drawn as dots, and the name of its style."""

    dots: Grid
    style: str
    letter: str = ""
    """The letter of another run, which is put at the end of its curve."""
    end: tuple[int, int] | None = None
    """Row and column of the cell for the letter: the last one with a dot."""


class Plot(Widget, can_focus=True):
    """A legend line with values, the plot, and an axis line with steps. `draw` updates it from the curves."""

    COMPONENT_CLASSES = {f"plot--{name}" for name in (*ROLES, *OTHERS, "text", "quiet", "cursor")}
    DEFAULT_CSS = (
        "Plot { background: $background; color: $foreground; height: 1fr; }\n"
        + "".join(f"Plot > .plot--{role} {{ color: $role-{role}; }}\n" for role in ROLES)
        + "".join(f"Plot > .plot--{other} {{ color: ${other}; }}\n" for other in OTHERS)
        + """
    Plot > .plot--text { color: $foreground; }
    Plot > .plot--quiet { color: $quiet; }
    Plot > .plot--cursor { color: $accent; background: $panel; text-style: bold; }
    """
    )
    CONTEXTS: tuple[action_table.Context, ...] = ("plot",)
    BINDINGS = action_table.bindings("plot")

    def __init__(self, curves: Sequence[Curve] = (), *, id: str | None = None):
        super().__init__(id=id)
        self.curves = curves
        self.beside: Sequence[Plot] = ()
        """Plots with the same axis."""
        self.smooth = 0.0
        """Weight of the running average; 0 for no smoothing."""
        self.logarithmic = False
        self.earlier = True
        """Whether earlier runs are shown."""
        self.cursor: int | None = None
        """Step under the cursor, from 0; None for the newest."""
        self._strips: list[Strip] = []

    def draw(self) -> None:
        """Draws the current values, and repaints only the rows that changed."""
        if not self.is_attached or self.size.width < AXIS + 2 or self.size.height < 1:
            return
        before, self._strips = self._strips, self._lines(*self.size)
        if len(before) != len(self._strips):
            self.refresh()
            return
        rows = [y for y, (old, new) in enumerate(zip(before, self._strips, strict=True)) if old != new]
        if rows:
            self.refresh(Region(0, rows[0], self.size.width, rows[-1] + 1 - rows[0]))

    @property
    def steps(self) -> int:
        """The length of the axis in steps: that of the longest curve here and in the plots with the same axis, earlier
        runs included while they are shown."""
        curves = [curve for plot in (self, *self.beside) for curve in plot.curves]
        others = [len(other.series) for curve in curves for other in curve.earlier] if self.earlier else []
        return max([*others, *(max(len(curve.series), curve.of) for curve in curves)], default=0)

    # -- keys ------------------------------------------------------------------------------------------------------

    def action_logarithm(self) -> None:
        self.logarithmic = not self.logarithmic
        self.draw()

    def action_smooth(self) -> None:
        at = SMOOTHING.index(self.smooth) if self.smooth in SMOOTHING else 0
        self.smooth = SMOOTHING[(at + 1) % len(SMOOTHING)]
        self.draw()

    def action_overlay(self) -> None:
        self.earlier = not self.earlier
        self.draw()

    def action_earlier(self) -> None:
        known = max((len(curve.series) for curve in self.curves), default=0)
        self.cursor = max(0, (known if self.cursor is None else self.cursor) - self._steps_per_cell())
        self.draw()

    def action_later(self) -> None:
        known = max((len(curve.series) for curve in self.curves), default=0)
        step = None if self.cursor is None else self.cursor + self._steps_per_cell()
        self.cursor = step if step is not None and step < known else None
        self.draw()

    def on_click(self, event: Click) -> None:
        if event.x >= AXIS and self.steps:
            self.cursor = round((event.x - AXIS) * (self.steps - 1) / max(1, self.size.width - AXIS - 1))
            self.draw()

    def on_resize(self, event: Resize) -> None:
        self.draw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.call_later(self.draw)  # the styles of the curves are set after those of the widget

    def get_line_filters(self) -> Sequence[LineFilter]:
        return theme.without_terminal_colours(super().get_line_filters())

    def render_line(self, y: int) -> Strip:
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    # -- drawing ---------------------------------------------------------------------------------------------------

    def _lines(self, width: int, height: int) -> list[Strip]:
        legends = [self._legend()]
        if height > LEAST_ROWS and (others := self._others()):
            legends.append(self._other_legend(others))
        across, rows = width - AXIS, max(1, height - 1 - len(legends))
        layers, low, high = self._layers(across, rows)
        labels = tick_rows(self._ticks(low, high, rows), low, high, rows, self._label) if layers else {}
        strips = legends
        for y in range(rows if height > 1 else 0):
            label = labels.get(y, "")
            strips.append(Strip([self._text(f"{label:>{AXIS - 1}} ", "quiet"), *self._row(layers, y, across)], width))
        if height > 2:
            strips.append(self._axis(across))
        style = self.rich_style
        return [strip.adjust_cell_length(width, style) for strip in strips]

    def _ticks(self, low: float, high: float, rows: int) -> list[float]:
        """Returns round values between the edges, in the scale of the plot."""
        if self.logarithmic:
            return [math.log10(value) for value in round_powers(10.0**low, 10.0**high)]
        return round_values(low, high, rows // 4)

    def _label(self, value: float) -> str:
        return figure_text(self._from_scale(value))

    def _others(self) -> list[RunCurve]:
        """Returns the curves of other runs that are shown."""
        return [other for curve in self.curves for other in curve.earlier] if self.earlier else []

    def _layers(self, across: int, rows: int) -> tuple[list[_Layer], float, float]:
        """Returns the curves as dots, other runs first so that they lie below, and the lowest and highest value."""
        found: list[tuple[list[Column | None], str, str]] = []
        steps = self.steps
        for series, style, letter in self._all_series():
            columns = series.columns(across * 2, steps, smooth=self.smooth)
            found.append(([self._to_scale(column) for column in columns], style, letter))
        low, high = span([column for columns, *_ in found for column in columns])
        layers: list[_Layer] = []
        for columns, style, letter in found:
            if any(columns):
                dots = draw_dots(columns, low, high, rows)
                layers.append(_Layer(dots, style, letter, _end(dots) if letter else None))
        return layers, low, high

    def _all_series(self) -> list[tuple[Series, str, str]]:
        """Returns each series with the style and the letter of its curve."""
        others = [
            (other.series, OTHERS[number % len(OTHERS)], ascii_lowercase[number])
            for number, other in enumerate(self._others()[: len(ascii_lowercase)])
        ]
        return [*others, *((curve.series, curve.role if curve.role in ROLES else "text", "") for curve in self.curves)]

    def _row(self, layers: Sequence[_Layer], y: int, across: int) -> list[Segment]:
        """Returns one row of cells: the dots of all layers, in the colour of the uppermost."""
        ascii, marked = app_glyphs(self.app).ascii, self._cursor_cell(across)
        inked = [(layer.dots[y], layer.style) for layer in layers if any(layer.dots[y])]
        ends = {end[1]: layer for layer in layers if (end := layer.end) and end[0] == y}
        if marked is None and len(inked) < 2 and not ends:  # most rows: no cell-by-cell merge needed
            dots, style = inked[0] if inked else ([0] * across, "quiet")
            return [self._text(dot_text(dots, ascii=ascii), style)]
        bits, styles = [0] * across, ["quiet"] * across
        for dots, style in inked:
            for x, more in enumerate(dots):
                if more:
                    bits[x] |= more
                    styles[x] = style
        letters = list(dot_text(bits, ascii=ascii))
        for x, layer in ends.items():
            letters[x], styles[x] = layer.letter, layer.style
        if marked is not None:
            styles[marked] = "cursor"
            letters[marked] = letters[marked] if bits[marked] else "|" if ascii else "│"
        runs = groupby(range(across), key=styles.__getitem__)
        return [self._text("".join(letters[x] for x in cells), style) for style, cells in runs]

    def _legend(self) -> Strip:
        """Returns each curve's sign, name and value, then the scale and smoothing."""
        pieces = []
        for curve in self.curves:
            value = curve.series.last if self.cursor is None else curve.series.at(self.cursor)
            style = curve.role if curve.role in ROLES else "text"
            label = f" {app_glyphs(self.app).role(curve.role)} {untrusted_text.line(curve.name, 24)}"
            pieces += [self._text(label, style, bold=True), self._text(f" {figure_text(value)} ", "text")]
        hidden = not self.earlier and any(curve.earlier for curve in self.curves)
        modes = ["log scale"] * self.logarithmic + [f"smooth {self.smooth:g}"] * bool(self.smooth)
        modes += ["other runs hidden"] * hidden
        return Strip([*pieces, self._text("  ".join(["", *modes]), "quiet")])

    def _other_legend(self, others: Sequence[RunCurve]) -> Strip:
        """Returns letter, name and value of the other runs' curves."""
        pieces = []
        for (series, style, letter), other in zip(self._all_series(), others, strict=False):
            value = series.last if self.cursor is None else series.at(self.cursor)
            pieces.append(self._text(f" {letter} {untrusted_text.line(other.run[-4:])}", style, bold=True))
            pieces.append(self._text(f" {figure_text(value)}", "quiet"))
        return Strip(pieces)

    def _axis(self, across: int) -> Strip:
        """Returns the axis line: round steps and the last one, or the step of the cursor."""
        if not self.steps:
            text = "no steps yet"
        elif self.cursor is not None:
            left = f"step {self.cursor + 1}"
            text = left + str(self.steps).rjust(max(0, across - len(left)))
        else:
            text = step_labels(self.steps, across)
        return Strip([self._text(" " * AXIS + text, "quiet")])

    def _text(self, text: str, style: str, *, bold: bool = False) -> Segment:
        found = self.get_component_rich_style(f"plot--{style}")
        return Segment(text, found + _BOLD if bold else found)

    def _steps_per_cell(self) -> int:
        """Returns the steps that one cell stands for, at least 1."""
        return max(1, self.steps // max(1, self.size.width - AXIS))

    def _cursor_cell(self, across: int) -> int | None:
        """Returns the cell column of the cursor; None when it is on the newest step."""
        dot = (self.cursor or 0) * (across * 2 - 1) // max(1, self.steps - 1)
        return None if self.cursor is None else min(across - 1, dot // 2)

    def _to_scale(self, column: Column | None) -> Column | None:
        """Returns the column in the scale of the plot; None for values at or below 0 on a logarithmic scale."""
        if column is None or not self.logarithmic:
            return column
        return (math.log10(column[0]), math.log10(column[1])) if column[0] > 0 else None

    def _from_scale(self, value: float) -> float:
        return 10.0**value if self.logarithmic else value


def _end(dots: Grid) -> tuple[int, int] | None:
    """Returns row and column of the last cell with a dot."""
    for x in range(len(dots[0]) - 1, -1, -1):
        for y, row in enumerate(dots):
            if row[x]:
                return y, x
    return None


def figure_text(value: float) -> str:
    """Returns a value in at most seven characters; `-` for NaN and infinity."""
    if not math.isfinite(value):
        return "-"
    size = abs(value)
    tiny_or_huge = size and (size < 0.001 or size >= 100_000)
    first = 3 if tiny_or_huge else 0 if size < 10 else 1 if size < 10_000 else 2
    texts = (f"{value:{form}}" for form in (".3f", ".1f", ".0f", ".1e", ".0e")[first:])
    return next(text for text in texts if len(text) < AXIS)
