"""Alpaca rows: the question as instruction, the transcript as output. FireAct's training files have this form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoact.exchange.transcript import (
    RawTrajectory,
    find_question,
    parse_steps,
    render_question_text,
    render_steps,
    says_right,
)
from autoact.files.records import DataRecord
from autoact.trajectory import Trajectory


def matches(values: Mapping[str, Any]) -> bool:
    """Returns whether an object is such a row."""
    return "instruction" in values and "output" in values


def parse(record: DataRecord) -> RawTrajectory:
    """Returns the trajectory of a row: its question is the input, or without one the instruction. Raises BadProject."""
    values = record.values
    for key in ("instruction", "input", "output"):
        if not isinstance(values.get(key, ""), str):
            raise record.place.error(f"expected a text, found {type(values[key]).__name__}", key)
    asked, output = find_question(values.get("input") or values["instruction"]), values["output"]
    answer = values.get("answer")
    return RawTrajectory(
        asked, parse_steps(output), answer if isinstance(answer, str) else None, str(values.get("id") or ""),
        right=says_right(output),
    )  # fmt: skip


def render(trajectory: Trajectory) -> dict[str, Any]:
    """Returns the row of a trajectory, with its id and gold answer, which trainers ignore."""
    return {
        "instruction": render_question_text(trajectory.question), "input": "",
        "output": render_steps(trajectory.steps), "id": trajectory.question.id, "answer": trajectory.question.answer,
    }  # fmt: skip
