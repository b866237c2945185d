"""What a resumed job remembers."""

from __future__ import annotations

from autoact.events import AnswerEdited, Event, ModelAnswered, ToolObserved, UnitRestarted
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from autoact.run.record.replay import Memory, identity
from autoact.script import Answer, Observation


def said(n: int, text: str, unit: str = "t") -> ModelAnswered:
    return ModelAnswered(unit, n, f"ask{n}", "meta", "thought", text, (1, 2), 9, 5, 1.5)


def remembered(folder: RunFolder, *events: Event) -> Memory:
    with LogWriter(folder) as log:
        for event in events:
            log.append(event)
    return Memory.of(folder.events)


def test_no_log_is_no_memory(folder: RunFolder) -> None:
    memory = Memory.of(folder.events)
    assert (memory.answers.units, memory.seen) == ({}, set())


def test_answers_are_recalled_for_the_same_wish_only(folder: RunFolder) -> None:
    observed = ToolObserved("t", 1, "ask1", "Look", "x", "nothing", failed=True, ms=2.0)
    memory = remembered(folder, said(0, "hm"), observed)
    assert memory.recall("t", 0, "ask0") == Answer("hm", (1, 2), 9, 5, 1.5)
    assert memory.recall("t", 1, "ask1") == Observation("nothing", failed=True, ms=2.0)
    assert memory.recall("t", 0, "other") is None
    assert memory.recall("t", 2, "ask2") is None
    assert memory.recall("u", 0, "ask0") is None


def test_the_last_edit_stands_and_has_no_tokens(folder: RunFolder) -> None:
    observed = ToolObserved("t", 1, "ask1", "Look", "x", "nothing", failed=True)
    edits = [AnswerEdited("t", 0, "one"), AnswerEdited("t", 0, "two"), AnswerEdited("t", 1, "found")]
    memory = remembered(folder, said(0, "hm"), observed, *edits, AnswerEdited("t", 7, "to nothing"))
    assert memory.recall("t", 0, "ask0") == Answer("two", (), 9, 5, 1.5)
    assert memory.recall("t", 1, "ask1") == Observation("found")
    assert not memory.has_answer("t", 7)


def test_a_restart_voids_earlier_answers_from_there_on(folder: RunFolder) -> None:
    again = [AnswerEdited("t", 1, "edit"), UnitRestarted("t", 1, "prompt changed"), said(1, "new")]
    memory = remembered(folder, said(0, "a"), said(1, "b"), said(2, "c"), said(1, "other", "u"), *again)
    assert {unit: [turn.text for turn in memory.answers.turns(unit)] for unit in "tu"} == {
        "t": ["a", "new"],
        "u": ["other"],
    }


def test_a_restart_reaches_over_holes_and_past_the_end() -> None:
    memory = Memory()
    for n in (0, 1, 4):
        memory.remember(said(n, str(n)))
    memory.remember(UnitRestarted("t", 9, "again"))
    assert list(memory.answers.units["t"]) == [0, 1, 4]
    memory.remember(UnitRestarted("t", 1, "again"))
    assert list(memory.answers.units["t"]) == [0]
    memory.remember(UnitRestarted("unheard", 0, "again"))
    assert "unheard" not in memory.answers.units


def test_what_has_happened_is_known_by_its_identity(folder: RunFolder, every_event: list[Event]) -> None:
    once = {
        ("question.accepted", "q-1"),
        ("question.refused", "s-1"),
        ("tool.selected", "Retrieve"),
        ("tool.passed_over", "Image2Text"),
        ("episode.begun", "t-1"),
        ("trajectory.committed", "t-1"),
        ("trajectory.judged", "t-1"),
        ("examples.built", "plan"),
        ("question.validated", "t-1"),
        ("verdict.calibrated", ""),
        ("question.solved", "t-1"),
        ("stage.started", "synthesis"),
        ("stage.finished", "synthesis"),
        ("unit.failed", "t-2"),
    }
    assert remembered(folder, *every_event).seen == once
    assert sum(identity(event) is not None for event in every_event) == len(once)
    restarted = Memory.of(folder.events)
    restarted.remember(UnitRestarted("t-1", 0, "again"))
    assert once - restarted.seen == {
        (what, "t-1") for what in ("trajectory.committed", "trajectory.judged", "question.validated", "question.solved")
    }
