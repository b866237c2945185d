"""From an answer to the training rows behind it."""

from __future__ import annotations

import pytest

from autoact.errors import BadInput
from autoact.lab.lineage import find_related, resolve_rows, training_rows
from autoact.run.record.state import RunState
from autoact.trajectory import Question, Step, Trajectory, Verdict

ELBE = Question("s-1", "Where does the Elbe end?", "the sea", "instructed", gold=("Elbe",))
LECH = Question("s-2", "Where does the Lech end?", "the Danube", "instructed", gold=("Lech", "Danube"))


def played(unit: str, question: Question, *steps: Step) -> Trajectory:
    return Trajectory(unit, question, steps, question.answer)


READ = Step("I read.", "Retrieve", "Lech", "A river.")
LOST = Step("I read.", "Retrieve", "Inn", "Could not find [Inn].", failed=True)
STATE = RunState(
    questions=[ELBE, LECH],
    trajectories={
        "t-1": played("t-1", ELBE, LOST), "t-2": played("t-2", LECH, READ), "t-3": played("t-3", LECH, LOST, READ),
    },
    verdicts={"t-2": Verdict("t-2", True, 1.0), "t-3": Verdict("t-3", False, 0.0, "wrong answer")},
)  # fmt: skip


def related(question: Question, *steps: Step) -> list[tuple[str, list[tuple[str, str]]]]:
    found = find_related(STATE, played("group-1", question, *steps))
    return [(one.question.id, [(each.unit, each.judgement) for each in one.tries]) for one in found]


def test_practice_questions_about_the_same_pages() -> None:
    assert related(Question("h-1", "?", gold=("Danube", "Inn"))) == [
        ("s-2", [("t-2", "kept"), ("t-3", "wrong answer")])
    ]  # fmt: skip
    assert related(Question("h-1", "?", gold=("Elbe",))) == [("s-1", [("t-1", "not judged")])]
    assert related(Question("h-1", "?", gold=("Rhine",)), READ) == []


def test_without_known_pages_the_same_calls_count() -> None:
    assert [name for name, _ in related(Question("h-1", "?"), Step("So.", "Retrieve", "the LECH", "A river."))] == [
        "s-2"
    ]
    assert related(Question("h-1", "?"), LOST) == []  # a call that failed opened no page
    assert training_rows(find_related(STATE, played("group-1", Question("h-1", "?"), READ))) == ["t-2"]


def test_rows_are_named_by_trajectory_or_by_question() -> None:
    assert resolve_rows(STATE, ["s-2", "t-1", "t-2"]) == ("t-2", "t-3", "t-1")
    with pytest.raises(BadInput, match="no trajectory or practice question `t-4`; did you mean `t-"):
        resolve_rows(STATE, ["t-1", "t-4"])
    with pytest.raises(BadInput, match="`autoact lineage` lists them"):
        resolve_rows(STATE, ["zzzzzzzz"])
