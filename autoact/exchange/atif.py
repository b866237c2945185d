"""ATIF, the Agent Trajectory Interchange Format of the Harbor project, version 1.4.

A trajectory is an object with `steps` of a system, a user or an agent; an agent's step has a message, its reasoning,
tool calls and their observations. The gold answer is in `extra`, which the format leaves to its writers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from autoact.exchange.tool_calls import ARGUMENT, join_arguments, make_finish
from autoact.exchange.transcript import RawTrajectory, find_question, make_step, render_question_text
from autoact.files.records import DataRecord, RecordPlace
from autoact.trajectory import Step, Trajectory

VERSION = "ATIF-v1.4"
SOURCES = ("system", "user", "agent")


def matches(values: Mapping[str, Any]) -> bool:
    """Returns whether an object is such a trajectory, of any version."""
    return str(values.get("schema_version", "")).startswith("ATIF") and isinstance(values.get("steps"), list)


def parse(record: DataRecord) -> RawTrajectory:
    """Returns the trajectory of an object; its question is the last message of the user before the agent's first step.

    Raises BadProject.
    """
    turns = [_check(turn, record.place) for turn in record.values["steps"]]
    first = next((at for at, turn in enumerate(turns) if turn["source"] == "agent"), len(turns))
    asked = next((str(turn["message"]) for turn in reversed(turns[:first]) if turn["source"] == "user"), "")
    extra = record.values.get("extra")
    answer = extra.get("answer") if isinstance(extra, dict) else None
    return RawTrajectory(
        find_question(asked), tuple(_read_turns(turns[first:])), answer if isinstance(answer, str) else None,
        str(record.values.get("session_id") or ""),
    )  # fmt: skip


def render(trajectory: Trajectory) -> dict[str, Any]:
    """Returns the object of a trajectory; its steps have no times, models or metrics."""
    turns: list[dict[str, Any]] = [{"source": "user", "message": render_question_text(trajectory.question)}]
    for number, step in enumerate(trajectory.steps, 1):
        name = f"call_{number}"
        call = {"tool_call_id": name, "function_name": step.action, "arguments": {ARGUMENT: step.argument}}
        result = {"source_call_id": name, "content": step.observation}
        turns.append({
            "source": "agent", "message": "", "reasoning_content": step.thought, "tool_calls": [call],
            "observation": {"results": [result]},
        })  # fmt: skip
    return {
        "schema_version": VERSION, "session_id": trajectory.unit,
        "agent": {"name": "autoact", "version": version("autoact-studio")},
        "steps": [{"step_id": number, **turn} for number, turn in enumerate(turns, 1)],
        "extra": {"answer": trajectory.question.answer},
    }  # fmt: skip


def _check(turn: Any, place: RecordPlace) -> dict[str, Any]:
    if not isinstance(turn, dict) or turn.get("source") not in SOURCES:
        raise place.error(f"every step needs a `source`, one of {', '.join(SOURCES)}", "steps")
    if not isinstance(turn.get("message"), str):
        raise place.error("every step needs a `message`, which may be an empty text", "steps")
    calls = turn.get("tool_calls") or []
    named = (isinstance(call, dict) and isinstance(call.get("function_name"), str) for call in calls)
    if not isinstance(calls, list) or not all(named):
        raise place.error("every tool call needs a `function_name`", "steps")
    return turn


def _read_turns(turns: list[dict[str, Any]]) -> Iterator[Step]:
    for turn in turns:
        calls = turn.get("tool_calls") or []
        if turn["source"] != "agent":
            continue
        thought = str(turn.get("reasoning_content") or turn["message"])
        results = list(_results(turn))
        for number, call in enumerate(calls):
            observed = " ".join(text for name, text in results if name in (call.get("tool_call_id"), None))
            argument = join_arguments(call.get("arguments"))
            yield make_step("" if number else thought, call["function_name"], argument, observed)
        if not calls and turn is turns[-1]:
            yield make_finish(turn["message"], str(turn.get("reasoning_content") or ""))


def _results(turn: dict[str, Any]) -> Iterator[tuple[str | None, str]]:
    observation = turn.get("observation")
    results = observation.get("results") if isinstance(observation, dict) else None
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict):
            yield result.get("source_call_id"), str(result.get("content") or "")
