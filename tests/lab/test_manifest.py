"""What runs differ in, from their states."""

from __future__ import annotations

from typing import Any

from autoact.events import QuestionSolved
from autoact.lab.manifest import Manifest, find_unknown, find_unlike, make_manifest
from autoact.run.record.state import RunState
from autoact.trajectory import Adapter, Question, Trajectory, Verdict

LOGGED = {"corpus": "c1", "tools": "t1", "prompts": "p1", "model": "m1"}


def state(names: str = "ab", inputs: dict[str, str] = LOGGED, **settings: Any) -> RunState:
    """The state of a run that answered these questions."""
    made = RunState(engine="scripted", inputs=inputs)
    made.config = {"task": {"description": "Answer."}, "model": {"seed": 7, "lanes": 4}, **settings}
    for name in names:
        trajectory = Trajectory(f"g-{name}", Question(name, f"{name}?", "x"), (), "x", cast="group")
        made.solved.append(QuestionSolved("group", trajectory, 1.0, 1.0, True))
        made.trajectories[f"t-{name}"] = Trajectory(f"t-{name}", Question(name, "?"), ())
        made.verdicts[f"t-{name}"] = Verdict(f"t-{name}", name == "a", 1.0)
    made.selected = [("Retrieve", "facts")]
    made.adapters["plan"] = Adapter("plan", "adapters/plan", "0011", 3, 0.5)
    return made


def unlike(*manifests: Manifest) -> dict[str, bool]:
    return {one.what: one.condition for one in find_unlike(manifests)}


def test_a_manifest_has_what_scores_depend_on() -> None:
    made = make_manifest("r", state())
    assert (made.run, made.engine, made.seed, made.asked, made.kept) == ("r", "scripted", 7, 2, 1)
    assert (made.inputs, made.selected, made.adapters) == (LOGGED, ("Retrieve",), {"plan": "0011"})
    assert made.settings == {"task.description": "Answer.", "model.seed": 7, "model.lanes": 4}
    assert find_unlike([made, make_manifest("r", state())]) == []


def test_the_order_of_answers_does_not_count_but_each_question_does() -> None:
    first = make_manifest("a", state("ab"))
    assert unlike(first, make_manifest("b", state("ba"))) == {}
    assert unlike(first, make_manifest("b", state("abc"))) == {"questions": True}
    other = state("ab")
    other.solved[0] = QuestionSolved("group", Trajectory("g-a", Question("a", "a?", "y"), ()), scored=True)
    assert unlike(first, make_manifest("b", other)) == {"questions": True}  # another gold answer


def test_conditions_are_told_from_what_is_compared() -> None:
    first = make_manifest("a", state())
    second = make_manifest(
        "b",
        state(
            inputs={**LOGGED, "corpus": "c2", "model": "m2"},
            task={"description": "Guess."},
            model={"seed": 8, "lanes": 9},
        ),
    )
    found = {one.what: one for one in find_unlike([first, second])}
    assert {name: one.condition for name, one in found.items()} == {
        "corpus": True, "task.description": True, "model": False, "model.seed": False,
    }  # fmt: skip
    assert found["model.seed"].values == ("7", "8")
    assert [name for name, one in found.items() if one.cause] == ["task.description", "model.seed"]


def test_what_was_not_logged_is_unknown_not_unlike() -> None:
    old, new = make_manifest("old", state(inputs={})), make_manifest("new", state())
    assert unlike(old, new) == {}
    assert find_unknown([old, new]) == ["corpus", "tools", "prompts", "model"]
    other = make_manifest("other", state(inputs={"corpus": "c2"}))
    assert unlike(old, new, other) == {"corpus": True}
    assert find_unknown([new, new]) == []
