"""Curves: bins kept step by step, drawn in cells, with a scale, a smoothing and a cursor."""

from __future__ import annotations

import math
import random

import pytest
from hosts import Host
from stories import screen_text

from studio.runs.loss_series import BINS, RunCurve, Series, span
from studio.widgets.charts.braille import dot_text, draw_dots
from studio.widgets.charts.plot import Curve, Plot, figure_text
from studio.widgets.charts.ticks import round_powers, round_values, step_labels


def text_of(
    columns: list[tuple[float, float] | None], low: float, high: float, height: int, *, ascii: bool
) -> list[str]:
    return [dot_text(row, ascii=ascii) for row in draw_dots(columns, low, high, height)]


def test_few_steps_spread_over_the_width() -> None:
    series = Series([4.0, 3.0, 2.0, 1.0])
    assert [column for column in series.columns(8) if column] == [(4.0, 4.0), (3.0, 3.0), (2.0, 2.0), (1.0, 1.0)]
    assert series.columns(4) == [(4.0, 4.0), (3.0, 3.0), (2.0, 2.0), (1.0, 1.0)]


def test_many_steps_keep_their_extremes() -> None:
    values = [5.0 - number / 10_000 + (number == 7_777) * 90 for number in range(20_000)]
    columns = Series(values).columns(60)
    assert len(columns) == 60
    assert None not in columns
    assert span(columns) == (min(values), max(values))


def test_step_by_step_is_as_all_at_once() -> None:
    source = random.Random(5)
    values = [source.random() for _ in range(5 * BINS + 3)]
    grown = Series()
    for step, value in enumerate(values):
        grown.put(step, value)
        if step % 97 == 0:  # drawn in between
            grown.columns(50, smooth=0.9)
    whole = Series(values)
    assert grown.columns(100) == whole.columns(100)
    assert [round(low, 9) for low, _ in grown.columns(50, smooth=0.9)] == [
        round(low, 9) for low, _ in whole.columns(50, smooth=0.9)
    ]


@pytest.mark.parametrize("steps", [2, 3, 4, 60, 1_000, BINS + 1, 5 * BINS + 3])
def test_a_finished_curve_reaches_both_edges(steps: int) -> None:
    columns = Series([float(step) for step in range(steps)]).columns(50)
    assert columns[0] is not None
    assert columns[0][0] == 0
    assert columns[-1] is not None
    assert columns[-1][1] == steps - 1


def test_the_rest_of_the_training_is_empty() -> None:
    columns = Series([2.0] * 30).columns(20, 60)
    assert all(columns[:10])
    assert not any(columns[10:])


def test_a_step_done_again_replaces_the_first() -> None:
    series = Series([3.0, 99.0, 1.0])
    series.put(1, 2.0)
    assert span(series.columns(40)) == (1.0, 3.0)
    long = Series([1.0] * 10_000)
    long.put(5_000, 7.0)
    long.put(5_000, 2.0)
    assert span(long.columns(40)) == (1.0, 2.0)


def test_what_is_not_a_number_leaves_a_gap() -> None:
    series = Series([3.0, math.nan, 1.0])
    assert [column for column in series.columns(BINS) if column] == [(3.0, 3.0), (1.0, 1.0)]
    series.put(9, 2.0)
    assert math.isnan(series.at(5))
    assert series.last == 2.0
    begun_late = Series([math.nan, 5.0, math.inf, 7.0])
    assert begun_late.columns(1) == [(5.0, 7.0)]
    assert begun_late.columns(4, smooth=0.5) == [None, (5.0, 5.0), None, (6.0, 6.0)]
    assert begun_late.columns(1, smooth=0.5) == [(5.0, 6.0)]


def test_smoothing_is_a_running_average() -> None:
    average, expected = 4.0, []
    values = [4.0, 2.0, 8.0, 1.0]
    for value in values:
        average = value + (average - value) * 0.5
        expected.append(average)
    assert [low for low, _ in Series(values).columns(4, smooth=0.5)] == expected


def test_a_falling_curve_in_cells() -> None:
    columns: list[tuple[float, float] | None] = [(4.0, 4.0), (1.0, 1.0)]
    assert text_of(columns, 1.0, 4.0, 1, ascii=False) == [chr(0x2800 + 0x01 + 0x08 + 0x10 + 0x20 + 0x80)]
    assert text_of([(4.0, 4.0), None, None, (1.0, 1.0)], 1.0, 4.0, 2, ascii=True) == [":.", " :"]
    assert text_of([(2.0, 2.0)], 2.0, 2.0, 2, ascii=True) == [" ", "."]


def test_figures_are_short() -> None:
    values = (0.0, 1e-5, 0.12345, 12.3456, 1234.5, 9_999.96, 99_999.0, 1e9, 5e-324, 1.7e308, math.nan, math.inf)
    assert all(len(figure_text(sign * value)) <= 7 for value in values for sign in (1, -1))
    assert [figure_text(value) for value in values[2:5]] == ["0.123", "12.3", "1234.5"]


@pytest.mark.does("plot.logarithm", "plot.smooth", "plot.overlay", "plot.earlier", "plot.later")
async def test_scale_smoothing_cursor_and_earlier_runs() -> None:
    loss = Series([3.0 / (1 + step / 20) for step in range(200)])
    plot = Plot([Curve("plan [b]", "plan", loss, 400, (RunCurve("2026-11-22T1430-quick-fe3c", Series([9.0] * 100)),))])
    app = Host(plot)
    async with app.run_test(size=(80, 16)) as pilot:
        await pilot.pause()
        rows = screen_text(app).splitlines()
        assert "P› plan [b] 0.274" in rows[0]
        assert rows[1].split()[:3] == ["a", "fe3c", "9.000"]
        assert rows[2].startswith("  9.000 ")
        assert rows[2].rstrip().endswith("a"), "the letter is at the end of the curve"
        assert rows[14].startswith("  0.274 ")
        assert rows[15].split() == ["1", "100", "200", "300", "400"]
        assert rows[15].index("200") == 8 + 35
        await pilot.press("v", "l", "m")
        await pilot.pause()
        rows = screen_text(app).splitlines()
        assert rows[1].startswith("  3.000 ")
        assert "log scale  smooth 0.6  other runs hidden" in rows[0]
        await pilot.press("left")
        await pilot.pause()
        rows = screen_text(app).splitlines()
        assert "step 196" in rows[15]
        assert f"plan [b] {figure_text(loss.at(195))}" in rows[0]
        assert "│" in rows[2]
        await pilot.press("right", "right")
        await pilot.pause()
        assert plot.cursor is None
        loss.put(200, 50.0)
        plot.draw()
        await pilot.pause()
        assert "50.0" in screen_text(app)


@pytest.mark.parametrize(
    ("low", "high", "most", "values"),
    [
        (0, 400, 6, [0, 100, 200, 300, 400]), (0, 60, 2, [0, 50]), (0.07, 0.93, 4, [0.5]), (3, 3, 4, []),
        (-1.0, 1.0, 5, [-1.0, -0.5, 0.0, 0.5, 1.0]), (0, math.inf, 3, []), (1e9, 5e9, 5, [1e9, 2e9, 3e9, 4e9, 5e9]),
    ],
)  # fmt: skip
def test_ticks_are_round(low: float, high: float, most: int, values: list[float]) -> None:
    assert round_values(low, high, most) == pytest.approx(values)


def test_ticks_of_a_log_scale() -> None:
    assert round_powers(0.03, 4.0) == pytest.approx([0.05, 0.1, 0.2, 0.5, 1, 2])
    assert round_powers(0.0, 1.0) == []
    assert round_powers(1e-300, 1.7e308)[-1] == 1e308


def test_the_labels_of_steps() -> None:
    assert [step_labels(steps, 30).split() for steps in (1, 2, 4, 60)] == [
        ["1"],
        ["1", "2"],
        ["1", "2", "4"],
        ["1", "50", "60"],
    ]
    assert step_labels(1, 30).startswith("1"), "the only step is at the left edge"


async def test_axis_and_cursor_count_steps_from_one() -> None:
    plot = Plot([Curve("loss", "plan", Series([4.0, 3.0, 2.0, 1.0]), 4)])
    app = Host(plot)
    async with app.run_test(size=(48, 12)) as pilot:
        await pilot.pause()
        assert screen_text(app).splitlines()[11].split() == ["1", "2", "3", "4"]
        found = []
        for _ in range(4):
            await pilot.press("left")
            await pilot.pause()
            rows = screen_text(app).splitlines()
            found.append((rows[11].split()[1], rows[0].split()[-1], rows[1].ljust(48).find("│")))
        steps, values, cells = zip(*found, strict=True)
        assert (steps, values) == (("4", "3", "2", "1"), ("1.000", "2.000", "3.000", "4.000"))
        assert [plot._cursor_cell(40) for plot.cursor in (3, 0)] == [39, 0]
        await pilot.click(plot, offset=(47, 5))
        assert plot.cursor == 3
    assert cells == tuple(sorted(cells, reverse=True))


async def test_several_runs_lie_on_one_axis_each_with_its_letter() -> None:
    others = [RunCurve(f"run-{name}", Series([level] * 50)) for name, level in (("aaaa", 5.0), ("bbbb", 7.0))]
    plot = Plot([Curve("loss", "plan", Series([3.0] * 100), 100, others)])
    app = Host(plot)
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        rows = screen_text(app).splitlines()
        assert rows[1].split() == ["a", "aaaa", "5.000", "b", "bbbb", "7.000"]
        assert [row.rstrip()[-1] for row in rows if row.rstrip().endswith(("a", "b"))] == ["b", "a"]
        assert any(row.startswith("  6.000") for row in rows), "ticks between the edges"
        await pilot.press("left")
        await pilot.pause()
        assert "aaaa -" in screen_text(app), "its curve has ended before this step"


async def test_an_empty_plot_and_a_tiny_one() -> None:
    plot = Plot()
    app = Host(plot)
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.press("left", "right", "l", "m", "v")
        plot.curves = [Curve("a", "plan", Series([1.0])), Curve("b", "x", Series([-1.0]))]
        plot.draw()
        await pilot.press("l")
        for size in ((5, 3), (20, 1), (40, 2), (200, 60)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert "-1.000" in screen_text(app)
