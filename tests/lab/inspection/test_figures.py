"""Figures and gates: of small sets that can be counted by hand, and of the sets that the authors released."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path

import pytest

from autoact.lab.inspection.figures import ReferenceFigures, entropy, measure_set
from autoact.lab.inspection.gates import pass_gates
from autoact.lab.inspection.references import REFERENCES, Reference
from autoact.trajectory import FINISH, REFLECT, Question, Step, Trajectory

SHARED = Path(os.environ.get("AUTOACT_SHARED", Path(__file__).resolve().parents[4] / "shared"))
SETS = ("13b_hotpotqa", "70b_hotpotqa", "13b_scienceqa", "70b_scienceqa")
_LINE = re.compile(r"^(Thought|Action|Observation) \d+: ?(.*)$", re.MULTILINE)
_ACTION = re.compile(r"(\w[\w ]*)\[(.*?)\]?$")


def played(unit: str, *steps: Step, text: str = "Who sings?", halt: str = "answered") -> Trajectory:
    return Trajectory(unit, Question(unit, text, "x", type="one-hop"), steps, "x", halt=halt)


READ, LAST, JUDGED = (
    Step("I read.", "Retrieve", "Elbe", "A river."),
    Step("So.", FINISH, "x"),
    Step("Yes.", REFLECT, "right"),
)
PLAIN = (READ, LAST, JUDGED)
LOST = Step("", "Retrieve", "Elb", "Could not find [Elb].", failed=True)
ODD = Step("Hm.", "retrieve it", "", 'Invalid action: no tool is named "retrieve it".', failed=True)
DEAD = Step("Hm.", "WebSearch", "Elbe", "WebSearch failed: no network", failed=True)


def test_figures_of_a_small_set() -> None:
    made = measure_set(
        [played("a", *PLAIN), played("b", *PLAIN), played("c", LOST, ODD, *PLAIN), played("d", ODD, LAST)]
    )
    assert (made.n, made.questions, made.steps, made.tools) == (4, 1, 13 / 4, 3 / 4)
    assert (made.sequences, made.top_sequence) == (3, 0.5)
    assert made.sequence_entropy == pytest.approx(1.5)
    assert (made.empty_thoughts, made.invalid_steps, made.failed_calls) == (1 / 13, 2 / 13, 3 / 6)
    assert (made.types, made.verdicts, made.opening) == ({"one-hop": 4}, (3, 0), "who sings")
    # Retrieve 4, Finish 4, Reflect 3, unknown 2
    assert made.action_entropy == pytest.approx(sum(n / 13 * math.log2(13 / n) for n in (4, 4, 3, 2)))
    assert made.clean == 0.5


def test_entropy() -> None:
    assert entropy("abcd") == 2.0
    assert entropy("aaaa") == entropy("") == 0.0


def test_gates_count_failures_and_what_is_left() -> None:
    trajectories = [
        played("a", *PLAIN), played("b", READ, halt="steps"), played("c", ODD, *PLAIN), played("d", LOST, *PLAIN),
        played("e", DEAD, *PLAIN), played("f", READ, *PLAIN), played("g", LOST, DEAD, ODD, halt="steps"),
    ]  # fmt: skip
    assert [(gate.name, gate.failed, gate.left) for gate in pass_gates(trajectories)] == [
        ("ended by itself", 2, 5), ("no invalid action", 2, 4), ("no empty thought", 2, 3),
        ("no error of a tool", 2, 2), ("no repeated action", 1, 1),
    ]  # fmt: skip


PUBLISHED = {
    "13b_hotpotqa": (5.63, 71, 4.6, 85), "70b_hotpotqa": (6.03, 100, 21.2, 67), "13b_scienceqa": (5.80, 58, 2.2, 29),
    "70b_scienceqa": (5.45, 39, 22.6, 46),
}  # fmt: skip
"""Steps, different sequences, empty thoughts in per cent, and trajectories that pass the gates, of 200."""


@pytest.mark.parametrize(("name", "reference"), list(zip(SETS, REFERENCES, strict=True)))
def test_the_released_sets_have_the_figures_shown_beside_others(name: str, reference: Reference) -> None:
    made = measure_set(read_released(name))
    counts = made.steps, made.sequences, 100 * made.empty_thoughts, made.gates[-1].left
    assert counts == pytest.approx(PUBLISHED[name], abs=0.051)
    for field in (*ReferenceFigures.__struct_fields__, "clean"):
        assert getattr(made, field) == pytest.approx(getattr(reference, field), abs=0.0006), field


def read_released(name: str) -> list[Trajectory]:
    """The 200 trajectories of one set; skips without the shared data."""
    file = SHARED / "data" / "trajectories" / f"{name}_200.jsonl"
    if not file.exists():
        pytest.skip("shared data: set AUTOACT_SHARED to their folder")
    lines = file.read_text("utf-8").rstrip("\n").split("\n")
    return [_read(number, json.loads(line)) for number, line in enumerate(lines)]


def _read(number: int, record: dict[str, object]) -> Trajectory:
    prompt = str(record["prompt"])
    question, _, played = prompt[prompt.rindex("\nQuestion: ") + 11 :].partition("\n")
    parts: dict[str, list[str]] = {"Thought": [], "Action": [], "Observation": []}
    for label, text in _LINE.findall(played):
        parts[label].append(text)
    texts = zip(parts["Thought"], parts["Action"], parts["Observation"], strict=True)
    steps = tuple(_step(*one) for one in texts)
    return Trajectory(
        f"{number}", Question(f"{number}", question), steps, halt="steps" if record["halted"] else "answered"
    )


def _step(thought: str, action: str, observation: str) -> Step:
    found = _ACTION.match(action.strip())
    name, argument = found.groups() if found else (action, "")
    failed = re.match(
        r"(?i)invalid action|could not find|no results|no more results|the last page|bing ?search error", observation
    )
    return Step(thought, name, argument, observation, failed=bool(failed))
