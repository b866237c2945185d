"""The live side file: coalesced, cut, deleted, never in the run's way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import autoact.run.record.live as live
from autoact.events import TokenSpoken
from autoact.run.record.folder import RunFolder
from autoact.run.record.live import LiveTail, LiveWriter
from autoact.run.record.log import LogTail


class Clock:
    """Seconds as the test says."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writer(folder: RunFolder, clock: Clock) -> Iterator[LiveWriter]:
    made = LiveWriter(folder, clock)
    yield made
    made.close()


def spoken(folder: RunFolder) -> list[TokenSpoken]:
    tail = LogTail(folder.live, numbered=False)
    events = [record.event for record in tail.poll()]
    tail.close()
    assert tail.damaged == []
    return [event for event in events if isinstance(event, TokenSpoken)]


def test_a_line_tells_what_is_new(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    for text in ("I", "I should", "I should look"):
        writer.publish("t-1", 0, "thought", text)
        clock.now += 0.06
    writer.publish("t-1", 1, "action", "Retrieve")
    writer.close()
    assert spoken(folder) == [
        TokenSpoken("t-1", 0, "thought", "I"), TokenSpoken("t-1", 0, "thought", " should", 1),
        TokenSpoken("t-1", 0, "thought", " look", 8), TokenSpoken("t-1", 1, "action", "Retrieve"),
    ]  # fmt: skip


def test_at_most_twenty_lines_a_second_and_unit(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    text = ""
    for number in range(1000):
        clock.now = 100 + number / 1000
        text += "x"
        writer.publish("t-1", 0, "thought", text)
        writer.publish("t-2", 0, "thought", text)
    said = spoken(folder)
    assert 2 * 18 <= len(said) <= 2 * 20
    assert {unit: "".join(one.text for one in said if one.unit == unit) for unit in ("t-1", "t-2")}.keys() == {
        "t-1", "t-2",
    }  # fmt: skip
    assert all(one.start == 0 or one.text for one in said)
    first = [one for one in said if one.unit == "t-1"]
    assert [one.start for one in first] == [sum(len(one.text) for one in first[:place]) for place in range(len(first))]


def test_half_a_character_is_held_back(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    writer.publish("t-1", 0, "thought", "caf\ufffd")
    clock.now += 1
    writer.publish("t-1", 0, "thought", "café")
    assert [one.text for one in spoken(folder)] == ["caf", "é"]


def test_an_answer_begun_anew_voids_what_was_said(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    tail = LiveTail(folder)
    writer.publish("t-1", 0, "thought", "I should look")
    assert tail.read()
    clock.now += 1
    writer.publish("t-1", 0, "thought", "We")
    assert tail.read()
    assert tail.partial_answers["t-1"] == TokenSpoken("t-1", 0, "thought", "We")
    tail.close()


def test_a_viewer_joins_the_pieces(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    tail = LiveTail(folder)
    assert not tail.read()
    for text in ("I", "I should", "I should look"):
        writer.publish("t-1", 0, "thought", text)
        clock.now += 1
        assert tail.read()
        assert tail.partial_answers["t-1"].text == text
    tail.forget("t-1", 0)
    assert tail.partial_answers == {}
    tail.close()


def test_a_viewer_that_missed_the_beginning_says_so(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    writer.publish("t-1", 0, "thought", "I should")
    folder.live.unlink()
    clock.now += 1
    writer.publish("t-1", 0, "thought", "I should look")
    clock.now += 1
    writer.publish("t-1", 0, "thought", "I should look up")
    tail = LiveTail(folder)
    tail.read()
    assert tail.partial_answers["t-1"] == TokenSpoken("t-1", 0, "thought", " look up", 8)
    tail.close()


def test_a_viewer_outlives_the_files_deletion(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    tail = LiveTail(folder)
    writer.publish("t-1", 0, "thought", "one")
    tail.read()
    folder.live.unlink()
    writer.publish("t-2", 0, "thought", "two")
    tail.read()
    tail.read()
    assert tail.partial_answers["t-2"].text == "two"
    tail.close()


def test_the_file_starts_anew_when_it_is_long(
    folder: RunFolder, writer: LiveWriter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST", 1000)
    tail = LiveTail(folder)
    for number in range(50):
        clock.now += 1
        writer.publish(f"t-{number}", 0, "thought", "x" * 100)
        assert folder.live.stat().st_size <= 1000
        tail.read()
    assert len(tail.partial_answers) == 50
    tail.close()


def test_what_a_dead_job_said_is_gone(folder: RunFolder, writer: LiveWriter) -> None:
    writer.publish("t-1", 0, "thought", "one")
    next_job = LiveWriter(folder)
    next_job.publish("t-2", 0, "thought", "two")
    next_job.close()
    assert [one.unit for one in spoken(folder)] == ["t-2"]


def test_trouble_is_kept_from_the_run(folder: RunFolder, writer: LiveWriter, clock: Clock) -> None:
    folder.live.mkdir()
    writer.publish("t-1", 0, "thought", "one")
    folder.live.rmdir()
    writer.publish("t-1", 0, "thought", "\ud800")
    clock.now += 1
    writer.publish("t-1", 0, "thought", "one two")
    assert [one.text for one in spoken(folder)] == ["one two"]
