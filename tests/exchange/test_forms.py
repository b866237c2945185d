"""Trajectories survive every form, and files of other programs are read as those programs write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autoact.errors import BadProject
from autoact.exchange.reading import TrajectoryReader
from autoact.exchange.writing import write_trajectories
from autoact.registry.forms import FORMS
from autoact.scratchpad import REFLECT_NOW
from autoact.trajectory import Step, Trajectory

from .conftest import NAMES, TRAJECTORIES


def read(file: Path, *rows: Any, right: bool = False, **names: str) -> list[Trajectory]:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return TrajectoryReader(NAMES | names, right=right).read(file)


@pytest.mark.parametrize("form", FORMS.names())
def test_trajectories_survive_every_form(form: str, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    assert write_trajectories(TRAJECTORIES, FORMS.get(form), file) == len(TRAJECTORIES)
    reader = TrajectoryReader(NAMES)
    found = reader.read(file)
    assert reader.form == FORMS.get(form)
    assert [one.steps for one in found] == [one.steps for one in TRAJECTORIES]
    assert [one.answer for one in found] == [one.answer for one in TRAJECTORIES]
    assert [(one.reward, one.verdict, one.halt) for one in found] == [(1.0, "right", "answered")] * 3
    questions = [(one.question.text, one.question.answer, one.question.choices) for one in found]
    assert questions == [(one.question.text, one.question.answer, one.question.choices) for one in TRAJECTORIES]
    if form != "atif":  # where a session has a name, and the question has none
        assert found == TRAJECTORIES


def test_fireact(tmp_path: Path) -> None:
    output = (
        "Thought: I need to search.\nAction: search[capital of Peru]\nObservation: Lima is the capital.\n"
        "Thought: I have it.\nAction: finish[Lima]\nObservation: Episode finished, reward = True\n"
    )
    row = {"instruction": "What is the capital of Peru?", "input": "", "output": output}
    (one,) = read(tmp_path / "a.json", row, search="WebSearch")
    assert one.steps == (
        Step("I need to search.", "WebSearch", "capital of Peru", "Lima is the capital."),
        Step("I have it.", "Finish", "Lima"),
    )
    assert (one.question.answer, one.reward) == ("Lima", 1.0)
    messages = [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": output}]
    (same,) = read(tmp_path / "b.json", {"messages": messages}, search="WebSearch")
    assert (same.question.text, same.steps, same.reward) == (one.question.text, one.steps, one.reward)
    (one,) = read(tmp_path / "b.json", row | {"output": output.replace("True", "False")})
    assert (one.question.answer, one.reward) == (None, 0.0)


def test_sharegpt_of_a_trainer_with_function_calls(tmp_path: Path) -> None:
    turns = [
        ("system", "Use tools."), ("human", "What is the capital of Peru?"),
        ("function_call", '{"name": "retrieve", "arguments": {"title": "Peru"}}'),
        ("observation", "Its capital is Lima."), ("gpt", "Thought: It is Lima.\nAction: Finish[Lima]"),
    ]  # fmt: skip
    (one,) = read(tmp_path / "a.json", {"conversations": [{"from": who, "value": what} for who, what in turns]})
    assert one.question.text == "What is the capital of Peru?"
    assert one.steps == (
        Step("", "Retrieve", "Peru", "Its capital is Lima."),
        Step("It is Lima.", "Finish", "Lima"),
    )


def test_sharegpt_whose_answer_after_function_calls_is_a_plain_message(tmp_path: Path) -> None:
    turns = [
        ("human", "What is the capital of Peru?"), ("function_call", '{"name": "Retrieve", "arguments": "Peru"}'),
        ("observation", "Its capital is Lima."), ("gpt", "Lima"),
    ]  # fmt: skip
    (one,) = read(tmp_path / "a.json", {"conversations": [{"from": who, "value": what} for who, what in turns]})
    assert one.steps == (Step("", "Retrieve", "Peru", "Its capital is Lima."), Step("", "Finish", "Lima"))
    assert one.answer == "Lima"


def test_sharegpt_with_instructions_that_the_model_acknowledges(tmp_path: Path) -> None:
    turns = [
        ("human", "Interleave Thought, Action."), ("gpt", "OK"), ("human", "Question: Who?"),
        ("gpt", "Thought: Hm.\nAction: Retrieve[Who]"), ("human", "Observation: A band."),
        ("gpt", "Thought: Yes.\nAction: Finish[a band]"),
    ]  # fmt: skip
    (one,) = read(tmp_path / "a.json", {"conversations": [{"from": who, "value": what} for who, what in turns]})
    assert (one.question.text, len(one.steps), one.answer) == ("Who?", 2, "a band")


@pytest.mark.parametrize("ids", [("call_0", "call_0"), (None, None)], ids=["repeated", "missing"])
def test_openai_messages_whose_calls_have_no_ids_of_their_own(tmp_path: Path, ids: tuple[str | None, ...]) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "What is the capital of Peru?"}]
    for name, (title, seen) in zip(ids, (("Peru", "Its capital is Lima."), ("Lima", "A city.")), strict=True):
        call = {"type": "function", "function": {"name": "Retrieve", "arguments": title}}
        reply = {"role": "tool", "content": seen}
        if name is not None:
            call["id"] = reply["tool_call_id"] = name
        messages += [{"role": "assistant", "content": "", "tool_calls": [call]}, reply]
    messages.append({"role": "assistant", "content": "Lima"})
    (one,) = read(tmp_path / "a.json", {"messages": messages})
    assert [step.observation for step in one.steps] == ["Its capital is Lima.", "A city.", ""]


def test_openai_messages_as_a_server_logs_them(tmp_path: Path) -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "Retrieve", "arguments": '{"title": "Peru"}'}},
        {"id": "c2", "type": "function", "function": {"name": "area", "arguments": '{"of": "Peru", "unit": "km"}'}},
    ]
    messages = [
        {"role": "system", "content": "Help."},
        {"role": "user", "content": [{"type": "text", "text": "What is the capital of Peru?"}]},
        {"role": "assistant", "content": "I look.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c2", "content": "1,285,216"},
        {"role": "tool", "tool_call_id": "c1", "content": "Its capital is Lima."},
        {"role": "assistant", "content": "Lima"},
    ]
    (one,) = read(tmp_path / "a.json", {"messages": messages}, right=True)
    assert one.steps == (
        Step("I look.", "Retrieve", "Peru", "Its capital is Lima."),
        Step("", "area", '{"of":"Peru","unit":"km"}', "1,285,216"),
        Step("", "Finish", "Lima"),
    )
    assert (one.question.text, one.question.answer, one.reward) == ("What is the capital of Peru?", "Lima", 1.0)


def test_atif_with_several_calls_and_a_final_message(tmp_path: Path) -> None:
    calls = [
        {"tool_call_id": "a", "function_name": "Retrieve", "arguments": {"title": "Peru"}},
        {"tool_call_id": "b", "function_name": "Retrieve", "arguments": {"title": "Lima"}},
    ]
    results = [{"source_call_id": "b", "content": "A city."}, {"source_call_id": "a", "content": "A country."}]
    steps = [
        {"step_id": 1, "source": "user", "message": "Capital of Peru?"},
        {"step_id": 2, "source": "agent", "message": "I look.", "tool_calls": calls,
         "observation": {"results": results}},
        {"step_id": 3, "source": "agent", "message": "Lima", "reasoning_content": "Clear."},
    ]  # fmt: skip
    agent = {"name": "x", "version": "1"}
    whole = {"schema_version": "ATIF-v1.6", "session_id": "s", "agent": agent, "steps": steps}
    (tmp_path / "trajectory.json").write_text(json.dumps(whole, indent=2))  # as programs write them: one a file
    (one,) = TrajectoryReader(NAMES).read(tmp_path / "trajectory.json")
    assert one.steps == (
        Step("I look.", "Retrieve", "Peru", "A country."),
        Step("", "Retrieve", "Lima", "A city."),
        Step("Clear.", "Finish", "Lima"),
    )


def test_nothing_in_an_observation_tells_the_gold_answer(shared: Path) -> None:
    found = TrajectoryReader(NAMES).read(shared / "data" / "trajectories" / "70b_hotpotqa_200.jsonl")
    last = {step.observation for one in found for step in one.steps if step.action == "Reflect" and not step.failed}
    assert "" in last
    assert not [text for text in last if "CORRECT" in text]
    assert {step.observation for one in found for step in one.steps if step.action == "Finish"} == {REFLECT_NOW, ""}


GOOD = {"instruction": "Who?", "input": "", "output": "Thought: I.\nAction: Finish[I]"}


@pytest.mark.parametrize(
    ("rows", "place", "told"),
    [
        ([GOOD, {"messages": []}], 2, "expected the form `alpaca`, found openai"),
        ([GOOD, {"question": "Who?", "answer": "I"}], 2, "expected the form `alpaca`, found none that is known"),
        ([{"question": "Who?", "answer": "I"}], 1, "no form of trajectories that is known"),
        ([GOOD, {**GOOD, "output": ""}], 2, "found no steps"),
        ([{**GOOD, "instruction": ""}], 1, "found no question"),
        ([{**GOOD, "output": 3}], 1, "expected a text, found int"),
        ([{**GOOD, "id": "a"}, {**GOOD, "instruction": "What?", "id": "a"}], 2, "`a` is already used in line 1"),
        ([{"conversations": [{"from": "human"}]}], 1, "every message needs the texts `from` and `value`"),
        ([{"messages": [{"content": "x"}]}], 1, "every message needs a `role`"),
        ([{"schema_version": "ATIF-v1.4", "steps": [{"source": "me"}]}], 1, "every step needs a `source`"),
        ([{"question": "Who?", "answer": "I", "halted": False, "prompt": "hello"}], 1, "expected `Question:`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, rows: list[Any], place: int, told: str) -> None:
    file = tmp_path / "a.jsonl"
    with pytest.raises(BadProject) as error:
        read(file, *rows)
    assert str(error.value).startswith(f"{file}:{place}")
    assert told in str(error.value)


def test_half_a_file_and_a_page_of_a_browser(tmp_path: Path) -> None:
    text = json.dumps([GOOD, GOOD], indent=1)
    (tmp_path / "a.json").write_text(text[: len(text) * 2 // 3])
    with pytest.raises(BadProject, match="record 2: not valid JSON"):
        TrajectoryReader(NAMES).read(tmp_path / "a.json")
    (tmp_path / "b.json").write_text("<!DOCTYPE html>\n<html><body>404</body></html>\n")
    with pytest.raises(BadProject, match="b.json:1: .*HTML"):
        TrajectoryReader(NAMES).read(tmp_path / "b.json")


def test_a_file_without_trajectories(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n")
    with pytest.raises(BadProject, match="holds no trajectories"):
        TrajectoryReader(NAMES).read(tmp_path / "a.jsonl")
