"""The facts of an episode beside its text: question, verdicts, tools, sampling; lines for a narrow column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from textual.content import Content

from autoact.registry.stages import SYNTHESIS
from autoact.run.record.origins import WITHOUT_MODEL
from autoact.run.record.state import RunState
from autoact.trajectory import Question, Trajectory
from studio.runs.config_diff import number_setting, text_setting
from studio.terminal import untrusted_text

Fact = tuple[str, str]
"""A label and a text, which may be untrusted."""


def episode_facts(state: RunState, unit: str) -> Content:
    """Returns a line for each fact about a unit of a run."""
    trajectory = state.trajectories.get(unit) or next(
        (solved.trajectory for solved in reversed(state.solved) if solved.trajectory.unit == unit), None
    )
    question = trajectory.question if trajectory else state.begun.get(unit)
    failed = state.unit_failures.get(unit)
    facts = [("unit", unit), *_of_question(question)]
    facts += [("failed", failed)] if failed else [*_of_trajectory(trajectory), *_of_verdict(state, unit)]
    in_synthesis = unit in state.trajectories or (trajectory is None and state.stage == SYNTHESIS)
    composed = trajectory is not None and trajectory.made in WITHOUT_MODEL
    sampling = () if composed else _of_sampling(state, in_group=not in_synthesis)
    lines = [
        Content.assemble((f"{label}  ", "$quiet"), untrusted_text.content(text))
        for label, text in [*facts, *sampling]
        if text
    ]
    return Content("\n").join(lines)


def _of_question(question: Question | None) -> Iterator[Fact]:
    if question is not None:
        yield "question", question.text
        yield "gold answer", question.answer or ""
        yield "type", question.type
        yield "level", question.level


def _of_trajectory(one: Trajectory | None) -> Iterator[Fact]:
    if one is None:
        yield "state", "not finished"
        return
    yield "answer", one.answer or "none"
    yield "reward", f"{one.reward:.2f}"
    yield "reflection", one.verdict or ""
    yield "ended", one.halt
    yield "answered by", "" if one.made in WITHOUT_MODEL else one.cast
    yield "made", one.made
    called = Counter(step.action for step in one.steps)
    yield "steps", str(len(one.steps))
    yield "tools", ", ".join(f"{name} {count}" for name, count in called.most_common())


def _of_verdict(state: RunState, unit: str) -> Iterator[Fact]:
    if (verdict := state.verdicts.get(unit)) is not None:
        yield "kept" if verdict.kept else "dropped", f"by {verdict.by}{f': {verdict.why}' if verdict.why else ''}"


def _of_sampling(state: RunState, *, in_group: bool) -> Iterator[Fact]:
    section = "group_planning" if in_group else "synthesis"
    for name in ("temperature", "top_p"):
        yield name, f"{number_setting(state.config, section, name):g}"
    yield "model", state.engine or text_setting(state.config, "model", "id")
