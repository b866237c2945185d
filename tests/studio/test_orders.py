"""Commands from the studio: what comes back when no job takes them."""

from __future__ import annotations

from pathlib import Path

from stories import finished, write

from studio.orders import carry, order


def test_a_run_without_a_job_takes_nothing_and_says_so(opera: Path) -> None:
    run = write(opera, finished())
    assert f"run {run.name} takes no commands" in carry(run, order("pause"))


def test_orders_are_signed_and_never_the_same() -> None:
    one, other = order("edit", "q-1", 3, "Klimt"), order("edit", "q-1", 3, "Klimt")
    assert one.id != other.id
    assert (one.do, one.unit, one.n, one.text) == ("edit", "q-1", 3, "Klimt")
    assert one.by
