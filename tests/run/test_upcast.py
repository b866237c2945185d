"""Older lines in today's terms."""

from __future__ import annotations

from autoact.events import RunPaused, RunResumed
from autoact.run.record.log import seal, unseal
from autoact.run.record.log_versions import STEPS, VERSION, Fields, upcast

LINE = {"v": 1, "seq": 3, "t": 1.5, "type": "run.halted", "reason": "tea", "minutes": None}


def named(fields: Fields) -> Fields:
    """From a version 1 that had another name for a pause."""
    if fields["type"] != "run.halted":
        return fields
    return {**fields, "type": "run.paused", "why": fields["reason"]}


def shouted(fields: Fields) -> Fields:
    return {**fields, "why": fields["why"].upper()} if fields["type"] == "run.paused" else fields


def test_every_step_from_a_lines_version_on_is_taken() -> None:
    assert upcast(LINE, ()) == LINE
    assert upcast(LINE, (named, shouted))["why"] == "TEA"
    assert upcast({**LINE, "v": 2, "type": "run.paused", "why": "tea"}, (named, shouted))["why"] == "TEA"
    assert upcast({**LINE, "v": 3, "type": "run.paused", "why": "tea"}, (named, shouted))["why"] == "tea"
    assert LINE["type"] == "run.halted"


def test_the_version_is_the_newest_or_newer() -> None:
    assert [upcast({**LINE, "v": v}, (named, lambda fields: fields))["v"] for v in (1, 2, 3, 9)] == [3, 3, 3, 9]
    assert 1 + len(STEPS) == VERSION


def test_a_line_of_an_older_version_is_an_event_of_today() -> None:
    record = unseal(seal(LINE), (named, shouted))
    assert (record.event, record.type, record.v) == (RunPaused("TEA"), "run.paused", 1)
    assert unseal(seal({**LINE, "type": "run.resumed"}), (named, shouted)).event == RunResumed()
    assert unseal(seal({**LINE, "type": "moon.landed"}), (named, shouted)).event is None
    assert unseal(seal(LINE)).event is None


def test_a_line_of_a_newer_version_is_read_as_far_as_it_can_be() -> None:
    record = unseal(seal({**LINE, "v": 2, "type": "run.paused", "why": "tea"}))
    assert (record.event, record.v) == (RunPaused("tea"), 2)
