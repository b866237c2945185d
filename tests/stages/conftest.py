"""A way to play a stage by itself: units one after the other, asks answered by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autoact.events import Event
from autoact.script import Answer, Ask, Observation, Round, StageScript, Train, Use

Drive = Callable[..., list[Event]]


def drive(
    stage: StageScript,
    answer: Callable[[Ask], str | None] = lambda ask: "",
    train: Callable[[Train], Any] = lambda wish: None,
) -> list[Event]:
    """Every event of a stage. A unit whose ask is answered with None fails."""

    def ended(script: Any) -> Any:
        sent: Any = None
        while True:
            try:
                wish = script.send(sent)
            except StopIteration as end:
                return end.value
            if isinstance(wish, Ask):
                text = answer(wish)
                if text is None:
                    return None
                sent = Answer(text)
            else:
                sent = Observation("A page.") if isinstance(wish, Use) else train(wish)

    events: list[Event] = []
    sent: Any = None
    while True:
        try:
            wanted = stage.send(sent)
        except StopIteration:
            return events
        sent = None
        if isinstance(wanted, Round):
            sent = [ended(unit.begin()) for unit in wanted.units]
            if wanted.commits:
                events += [wanted.commits(result, 1.5, 9) for result in sent]
        else:
            events.append(wanted)


@pytest.fixture(name="drive")
def give_drive() -> Drive:
    return drive
