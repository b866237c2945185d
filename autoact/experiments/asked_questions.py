"""The part of a run's report about a session: what a person asked, who answered, in which steps, and the forks."""

from __future__ import annotations

from collections.abc import Iterator

from autoact.events import QuestionInjected, QuestionSolved
from autoact.experiments.report import Block, describe_answer
from autoact.run.record.state import RunState
from autoact.script import root_of


def list_asked(state: RunState) -> Iterator[Block]:
    """Yields each question that a person asked, with its answers, each fork after the unit that it was made from."""
    if not state.injected:
        return
    yield Block("heading", "Questions that a person asked")
    solved = {one.trajectory.unit: one for one in state.solved}
    for root, asked in state.injected.items():
        forks = [unit for unit in state.lanes.forks if root_of(unit) == root]
        yield Block("text", f"{asked.question.text} ({_count(len(forks))})")
        for unit in (root, *forks):
            yield Block("text", f"{_name(state, unit, asked)}: {_outcome(state, unit, solved)}")
            if one := solved.get(unit):
                yield Block("code", describe_answer(one))


def _count(forks: int) -> str:
    return f"{forks} fork{'' if forks == 1 else 's'}"


def _name(state: RunState, unit: str, asked: QuestionInjected) -> str:
    """Returns a unit with the method that answers, or with the parent of a fork and the turn at which they part."""
    fork = state.lanes.forks.get(unit)
    return f"{unit}, by {asked.cast}" if fork is None else f"{unit}, fork of {fork.of} at answer {fork.at}"


def _outcome(state: RunState, unit: str, solved: dict[str, QuestionSolved]) -> str:
    if unit in solved:
        return f"answered {solved[unit].trajectory.answer or 'nothing'}"
    return f"failed: {state.unit_failures[unit]}" if unit in state.unit_failures else "not answered"
