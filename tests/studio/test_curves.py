"""Loss curves: columns kept step by step, drawn in cells."""

from __future__ import annotations

import math

from autoact.events import TrainStepped
from studio.loss import COLUMNS, Losses, span
from studio.widgets.curves import drawn
from studio.widgets.stages import counted, lasted


def trained(losses: list[float], of: int = 0) -> tuple[Losses, dict[int, TrainStepped]]:
    kept, curve = Losses(), {}
    for number, loss in enumerate(losses):
        put(kept, curve, number, loss, of or len(losses))
    return kept, curve


def put(kept: Losses, curve: dict[int, TrainStepped], number: int, loss: float, of: int) -> None:
    curve[number] = TrainStepped("plan", number, of, loss, 1e-3, 1.0, 10, 1.0)
    kept.put(curve[number], curve)


def test_few_steps_spread_over_the_width() -> None:
    kept, _ = trained([4.0, 3.0, 2.0, 1.0])
    assert [column for column in kept.columns(8) if column] == [(4.0, 4.0), (3.0, 3.0), (2.0, 2.0), (1.0, 1.0)]
    assert kept.columns(4) == [(4.0, 4.0), (3.0, 3.0), (2.0, 2.0), (1.0, 1.0)]


def test_many_steps_keep_their_extremes() -> None:
    losses = [5.0 - number / 10_000 + (number == 7_777) * 90 for number in range(20_000)]
    kept, _ = trained(losses)
    columns = kept.columns(60)
    assert len(columns) == 60
    assert None not in columns
    assert span(columns) == (min(losses), max(losses))


def test_the_rest_of_the_training_is_empty() -> None:
    kept, _ = trained([2.0] * 30, of=60)
    columns = kept.columns(20)
    assert all(columns[:10])
    assert not any(columns[10:])


def test_a_step_done_again_replaces_the_first() -> None:
    kept, curve = trained([3.0, 99.0, 1.0])
    put(kept, curve, 1, 2.0, 3)
    assert span(kept.columns(40)) == (1.0, 3.0)


def test_a_loss_that_blew_up_leaves_a_gap() -> None:
    kept, _ = trained([3.0, math.nan, 1.0])
    assert [column for column in kept.columns(COLUMNS) if column] == [(3.0, 3.0), (1.0, 1.0)]


def test_a_falling_curve_in_cells() -> None:
    assert drawn([(4.0, 4.0), (1.0, 1.0)], 1.0, 4.0, 1, ascii=False) == [chr(0x2800 + 0x01 + 0x08 + 0x10 + 0x20 + 0x80)]
    assert drawn([(4.0, 4.0), None, None, (1.0, 1.0)], 1.0, 4.0, 2, ascii=True) == [":.", " :"]
    assert drawn([(2.0, 2.0)], 2.0, 2.0, 2, ascii=True) == [" ", "."]


def test_words_where_they_fit() -> None:
    assert counted((12, "kept", 1, "refused"), 20) == "12 kept 1 refused"
    assert counted((12, "kept", 1, "refused"), 10) == "+12 -1"
    assert counted((0, "kept", 0, "refused"), 20) == ""
    assert [lasted(12), lasted(185), lasted(7800)] == ["12s", "3m05", "2h10"]
