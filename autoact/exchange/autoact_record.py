"""The records that the published AutoAct code logs: the question, its gold answer, and the whole prompt at the end."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import msgspec

from autoact.exchange.transcript import RawTrajectory, parse_steps, render_question_text, render_steps
from autoact.files.records import DataRecord
from autoact.scratchpad import REFLECT_NOW, TRY_AGAIN
from autoact.trajectory import Step, Trajectory

_PUBLISHED = {
    REFLECT_NOW: "Please reflect your answer.",
    TRY_AGAIN: "The answer maybe wrong, please try to solve the question again.",
}


def matches(values: Mapping[str, Any]) -> bool:
    """Returns whether an object is such a record."""
    return isinstance(values.get("prompt"), str) and "question" in values and "halted" in values


def parse(record: DataRecord) -> RawTrajectory:
    """Returns the trajectory of a record. Raises BadProject."""
    values = record.values
    if not isinstance(values["question"], str) or not isinstance(values.get("answer"), str):
        raise record.place.error("expected a text", "answer" if isinstance(values["question"], str) else "question")
    played = values["prompt"].partition("\nQuestion:")[2]
    start = played.find("\nThought")
    if start < 0:
        raise record.place.error("expected `Question:` and then lines with `Thought 1:`, `Action 1:`", "prompt")
    steps = tuple(map(_decode_entities, parse_steps(played[start:])))
    return RawTrajectory(
        values["question"], steps, values["answer"].strip(), str(values.get("id") or ""), ended=not values["halted"]
    )


def render(trajectory: Trajectory) -> dict[str, Any]:
    """Returns the record of a trajectory; its prompt has no instructions."""
    question = render_question_text(trajectory.question)
    steps = (
        msgspec.structs.replace(step, observation=_PUBLISHED.get(step.observation, step.observation))
        for step in trajectory.steps
    )
    played = render_steps(steps, numbered=True)
    return {
        "id": trajectory.question.id, "question": question, "answer": trajectory.question.answer or "",
        "correct": trajectory.reward == 1, "reward": trajectory.reward, "halted": trajectory.halt != "answered",
        "error": False, "prompt": f"\nQuestion: {question}\n\n{played}\n",
    }  # fmt: skip


def _decode_entities(step: Step) -> Step:
    """Returns a step whose observation has characters in place of HTML entities, which search results have."""
    return msgspec.structs.replace(step, observation=html.unescape(step.observation))
