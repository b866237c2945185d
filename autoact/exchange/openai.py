"""OpenAI chat messages: a thought is the content of an assistant's message, the call its tool call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

import orjson

from autoact.exchange.tool_calls import ARGUMENT, join_arguments, make_finish
from autoact.exchange.transcript import (
    RawTrajectory,
    find_question,
    make_step,
    parse_steps,
    render_question_text,
    says_right,
)
from autoact.files.records import DataRecord, RecordPlace
from autoact.trajectory import Step, Trajectory


def matches(values: Mapping[str, Any]) -> bool:
    """Returns whether an object has messages."""
    return isinstance(values.get("messages"), list)


def parse(record: DataRecord) -> RawTrajectory:
    """Returns the trajectory of a list of messages. Raises BadProject.

    Its question is the last message of the user before the first tool call. A last message without a call is the
    answer. Where no message has a call, the assistant's texts are read as transcripts.
    """
    messages = [_check(message, record.place) for message in record.values["messages"]]
    first = next((at for at, message in enumerate(messages) if _is_played(message)), len(messages))
    asked = next((_text(one) for one in reversed(messages[:first]) if one["role"] == "user"), "")
    text = "\n".join(map(_text, messages[first:]))
    called = any(message.get("tool_calls") for message in messages)
    steps = tuple(_read_calls(messages[first:])) if called else parse_steps(text)
    answer = record.values.get("answer")
    return RawTrajectory(
        find_question(asked), steps, answer if isinstance(answer, str) else None, str(record.values.get("id") or ""),
        right=says_right(text),
    )  # fmt: skip


def render(trajectory: Trajectory) -> dict[str, Any]:
    """Returns the messages of a trajectory, with its id and gold answer."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": render_question_text(trajectory.question)}]
    for number, step in enumerate(trajectory.steps, 1):
        function = {"name": step.action, "arguments": orjson.dumps({ARGUMENT: step.argument}).decode()}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        messages += [
            {"role": "assistant", "content": step.thought, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": step.observation},
        ]
    return {"id": trajectory.question.id, "messages": messages, "answer": trajectory.question.answer}


def _check(message: Any, place: RecordPlace) -> dict[str, Any]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise place.error("every message needs a `role`", "messages")
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or any(not isinstance(_function(call).get("name"), str) for call in calls):
        raise place.error("every tool call needs `function` with a `name`", "tool_calls")
    return message


def _read_calls(messages: list[dict[str, Any]]) -> Iterator[Step]:
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        calls = message.get("tool_calls") or []
        replies = list(takewhile(lambda one: one["role"] == "tool", messages[at + 1 :]))
        for number, call in enumerate(calls):
            function, thought = _function(call), "" if number else _text(message)
            argument = join_arguments(function.get("arguments"))
            yield make_step(thought, function["name"], argument, _find_reply(replies, call.get("id"), number))
        if not calls and message is messages[-1]:
            yield make_finish(_text(message), str(message.get("reasoning_content") or ""))


def _find_reply(replies: Sequence[dict[str, Any]], call: Any, number: int) -> str:
    """Returns the reply to a call by its id, among the replies to one message; by its place where ids are missing."""
    named = [one for one in replies if call is not None and one.get("tool_call_id") == call]
    return _text(named[0]) if named else _text(replies[number]) if number < len(replies) else ""


def _is_played(message: dict[str, Any]) -> bool:
    return message["role"] == "assistant" and bool(message.get("tool_calls") or "Action" in _text(message))


def _function(call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    return function if isinstance(function, dict) else {}


def _text(message: dict[str, Any]) -> str:
    """Returns the content of a message: a text, or the texts of its parts."""
    content = message.get("content") or ""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content)
