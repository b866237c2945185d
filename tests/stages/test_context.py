"""The cards of agents: the tools that they may call, and the examples that they are shown."""

from __future__ import annotations

from pathlib import Path

from autoact.project.config import Config
from autoact.run.record.state import RunState
from autoact.stages.context import Inputs, StageContext
from autoact.trajectory import Example, Question, Step, Tool

RETRIEVE = Tool("Retrieve", "Opens a page.", "Retrieve[Peru]")


def example(name: str, *steps: Step) -> Example:
    return Example(Question(name, "What is the capital of Peru?", "Lima"), steps)


def test_examples_without_steps_with_other_tools_or_with_failed_calls_are_not_shown(tmp_path: Path) -> None:
    answer = Step("It is Lima.", "Finish", "Lima")
    good = example("good", Step("I look.", "Retrieve", "Peru", "The capital is Lima."), answer)
    others = (
        example("bare"),
        example("unknown", Step("I search.", "WebSearch", "Peru", "1. Peru"), answer),
        example("failed", Step("I look.", "Retrieve", "Puru", "Could not find Puru.", failed=True), answer),
    )
    context = StageContext(Config(), Inputs((*others, good), (), (RETRIEVE,), {}), RunState(), tmp_path, lambda _: None)
    assert context.meta_card().demonstrations == (good,)
    assert context.meta_card().tools == (RETRIEVE,)
