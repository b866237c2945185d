"""Self-instruct where the environment makes the tasks."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from autoact.events import Event, QuestionAccepted, QuestionRefused
from autoact.project.config import SelfInstruct, Task
from autoact.script import Observation, Round, Use
from autoact.stages.material import SeedMaterial
from autoact.stages.practice_tasks import make_tasks
from autoact.trajectory import Example, Question

MATERIAL = SeedMaterial(Task(), (Example(Question("seed", "Game 1")),), (), (Question("held", "Game 3"),))


def game(number: int) -> Observation:
    return Observation(msgspec.json.encode(Question(f"g-{number}", f"Game {number}.\nA room.", played=True)).decode())


def play(settings: SelfInstruct, make: Callable[[int], Observation]) -> tuple[list[Event], list[Use]]:
    """The events of the stage, and its requests."""
    stage, events, uses = make_tasks("NewGame", MATERIAL, settings), list[Event](), list[Use]()
    sent = None
    while True:
        try:
            wanted = stage.send(sent)
        except StopIteration:
            return events, uses
        sent = None
        if not isinstance(wanted, Round):
            events.append(wanted)
            continue
        sent = []
        for unit in wanted.units:
            script = unit.begin()
            uses.append(next(script))
            try:
                script.send(make(int(uses[-1].argument)))
            except StopIteration as end:
                sent.append(end.value)


def test_tasks_are_made_until_the_target_without_those_that_are_known() -> None:
    events, uses = play(SelfInstruct(target=4, round=3), lambda number: game(min(number, 5)))
    accepted = [event.question.id for event in events if isinstance(event, QuestionAccepted)]
    assert accepted == ["g-0", "g-2", "g-4", "g-5"]
    refused = [(event.question, event.why) for event in events if isinstance(event, QuestionRefused)]
    assert refused == [("Game 1.\nA room.", "asked before"), ("Game 3.\nA room.", "in the held-out set")]
    assert uses == [Use("NewGame", str(number)) for number in range(6)]


def test_rounds_in_vain_end_the_stage() -> None:
    failed = Observation("NewGame failed: no", failed=True)
    events, uses = play(SelfInstruct(target=4, round=2, stall=2), lambda number: failed)
    assert [event.why for event in events if isinstance(event, QuestionRefused)] == ["NewGame failed: no"] * 4
    assert len(uses) == 4
