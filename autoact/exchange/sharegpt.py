"""ShareGPT conversations: a person asks, the model thinks and acts, and the observations come as a person's messages.

LLaMA-Factory's turns `function_call` and `observation` are read too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoact.exchange.tool_calls import make_finish, parse_call
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

_ASKS, _ACTS = {"human", "user"}, {"gpt", "assistant"}


def matches(values: Mapping[str, Any]) -> bool:
    """Returns whether an object is a conversation."""
    return isinstance(values.get("conversations"), list)


def parse(record: DataRecord) -> RawTrajectory:
    """Returns the trajectory of a conversation. Raises BadProject.

    Its question is the last message of a person before the model's first message with an action.
    """
    asked, played, last = "", list[str](), ""
    turns = record.values["conversations"]
    called = any(isinstance(turn, dict) and turn.get("from") == "function_call" for turn in turns)
    for number, turn in enumerate(turns, 1):
        if not isinstance(turn, dict) or not all(isinstance(turn.get(key), str) for key in ("from", "value")):
            raise record.place.error("every message needs the texts `from` and `value`", "conversations")
        speaker, words = turn["from"], turn["value"]
        if speaker in _ASKS and not played:
            asked = words
        elif called and speaker in _ACTS and number == len(turns) and "Action" not in words:
            last = words  # after calls, the answer is a plain message
        elif speaker in _ACTS and (played or "Action" in words):
            played.append(words)
        elif speaker == "function_call":
            name, argument = parse_call(words, record.place)
            played.append(f"Action: {name}[{argument}]")
        elif played:
            played.append(words if words.lstrip().startswith("Observation") else f"Observation: {words}")
    answer, text = record.values.get("answer"), "\n".join(played)
    steps = (*parse_steps(text), make_finish(last, "")) if last else parse_steps(text)
    return RawTrajectory(
        find_question(asked), steps, answer if isinstance(answer, str) else None,
        str(record.values.get("id") or ""), right=says_right(text),
    )  # fmt: skip


def render(trajectory: Trajectory) -> dict[str, Any]:
    """Returns the conversation of a trajectory, with its id and gold answer, which trainers ignore."""
    turns = [{"from": "human", "value": render_question_text(trajectory.question)}]
    for step in trajectory.steps:
        acted, _, observed = render_steps([step]).partition("\nObservation:")
        turns.append({"from": "gpt", "value": acted})
        turns += [{"from": "human", "value": f"Observation:{observed}"}] if observed else []
    return {"id": trajectory.question.id, "conversations": turns, "answer": trajectory.question.answer}
