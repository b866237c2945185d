"""Each signature of failure: found in a run that has it, not in one that has not, unknown where there is too little."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autoact.events import QuestionSolved
from autoact.lab.inspection.signatures import DETECTORS, FailureSignature, find_signatures
from autoact.lab.tally import LogTotals, count_figures
from autoact.run.record.state import RunState
from autoact.trajectory import FINISH, REFLECT, RIGHT, WRONG, Question, Step, Trajectory, Verdict

TOPICS = ("Elbe", "Peru", "Bach", "Mars", "Iron", "Kafka", "Lima", "Nile", "Zinc", "Rome", "Oslo", "Goethe")


def play(*actions: str, end: str = RIGHT, answer: str = "x", failed: str = "") -> tuple[Step, ...]:
    """The steps of an episode; the observation `failed` is that of each call."""
    calls = tuple(
        Step("I look.", name, f"{name} {at}", failed or f"It says {answer}.", bool(failed))
        for at, name in enumerate(actions)
    )
    return (*calls, Step("It is x.", FINISH, answer), Step("So it is.", REFLECT, end))


def run(
    kept: Sequence[tuple[Step, ...]] = (), *, failed: Sequence[tuple[Step, ...]] = (), wrong_share: float = 0.0,
    questions: Sequence[Question] = (), solved: Sequence[QuestionSolved] = (), gold: tuple[str, ...] = (),
    tools: Sequence[str] = ("Retrieve",),
) -> list[FailureSignature]:  # fmt: skip
    """The signatures of a run with these trajectories, practice questions and answers."""
    state = RunState(questions=list(questions), solved=list(solved), selected=[(name, "") for name in tools])
    state.config = {"differentiation": {"wrong_share": wrong_share}}
    for at, steps in enumerate([*kept, *failed]):
        question = Question(f"q-{at}", f"{TOPICS[at % 12]}?", "x", gold=gold)
        answer = next(step.argument for step in steps if step.action == FINISH)
        state.trajectories[f"t-{at}"] = Trajectory(f"t-{at}", question, steps, answer, reward=float(answer == "x"))
        state.verdicts[f"t-{at}"] = Verdict(f"t-{at}", at < len(kept), 1.0)
    totals = LogTotals(state)
    return find_signatures(state, count_figures(totals))


def answered(cast: str, n: int, f1: float, tokens: int, steps: tuple[Step, ...] = (), kind: str = "") -> QuestionSolved:
    trajectory = Trajectory(f"{cast}-{n}", Question(f"h-{n}", f"{n}?", "x", type=kind), steps, "y", cast=cast)
    return QuestionSolved(cast, trajectory, float(f1 == 1), f1, True, 1.0, tokens)


def measure(signatures: Sequence[FailureSignature], words: str) -> FailureSignature:
    """The only signature whose measure begins so."""
    (one,) = (one for one in signatures if one.measure.startswith(words))
    return one


def test_a_new_run_has_no_signs() -> None:
    signatures = run()
    assert {one.value for one in signatures} == {None}
    assert not any(one.found or one.message for one in signatures)
    assert all(one.remedy for one in signatures)
    assert len(DETECTORS) <= len(signatures)


def test_tools_that_are_never_called_or_mostly_fail() -> None:
    signatures = run([play("Retrieve")] * 12, tools=("Retrieve", "Lookup", "WebSearch"))
    unused = measure(signatures, "selected tools")
    assert (unused.found, unused.value, unused.message) == (True, 2.0, "no kept trajectory calls Lookup, WebSearch")
    assert not measure(signatures, "largest share").found
    failing = [play("Retrieve", failed="Could not find [x]."), play("Retrieve")] * 6
    assert measure(run(failing), "largest share").message == "6 of 12 calls of Retrieve fail or find nothing"
    assert not measure(run(failing[1:]), "selected tools").found


def test_trajectories_of_one_shape() -> None:
    same = measure(run([play("Retrieve")] * 12), "share of the most frequent")
    assert (same.found, same.message) == (True, "12 of 12 kept trajectories are Retrieve, Finish, Reflect")
    varied = [play("Retrieve"), play("Retrieve", "Lookup")] * 6
    assert not measure(run(varied), "share of the most frequent").found
    assert measure(run([play("Retrieve")] * 9), "share of the most frequent").value is None


def test_questions_that_repeat_each_other() -> None:
    varied = [Question(name, f"{name} {name} {name}?") for name in TOPICS]
    assert not measure(run(questions=varied), "share of practice questions that nearly").found
    copied = [*varied, *(Question("c", f"{one.text[:-1]}s?") for one in varied[:2])]
    found = measure(run(questions=copied), "share of practice questions that nearly")
    assert (found.found, found.message) == (True, "2 of 14 practice questions nearly repeat an earlier one")


@pytest.mark.parametrize(("f1", "tokens", "found"), [(0.5, 250, True), (1.0, 250, False), (0.5, 140, False)])
def test_a_group_that_costs_more_and_gains_nothing(f1: float, tokens: int, found: bool) -> None:
    alone = [answered("meta", n, 0.5, 100) for n in range(20)]
    signature = measure(run(solved=[*alone, *(answered("group", n, f1, tokens) for n in range(20))]), "tokens of group")
    assert signature.found is found
    if found:
        assert signature.message.startswith("group takes 2.5 times the tokens of the meta-agent alone; its gain in F1")


def test_trajectories_that_read_too_few_pages() -> None:
    pages = ("Elbe", "Peru")
    shallow = [play("Retrieve")] * 4 + [play("Retrieve", "Retrieve")] * 8
    found = measure(run(shallow, gold=pages), "share of kept trajectories with fewer")
    assert (found.found, found.value) == (True, 4 / 12)
    assert not measure(run(shallow[2:], gold=pages), "share of kept trajectories with fewer").found
    assert measure(run(shallow, gold=pages[:1]), "share of kept trajectories with fewer").value is None


def test_wrong_answers_because_of_a_tool() -> None:
    broken = play("WebSearch", failed="WebSearch failed: no network")
    wrong = [answered("meta", n, 0.0, 1, broken if n < 1 else play("Retrieve")) for n in range(12)]
    found = measure(run(solved=wrong), "share of wrong answers in whose episode")
    assert (found.found, found.message) == (True, "in 1 of 12 wrong answers WebSearch could not work")
    lost = [answered("meta", n, 0.0, 1, play("Retrieve", failed="Could not find [x].")) for n in range(12)]
    assert measure(run(solved=lost), "share of wrong answers in whose episode").value == 0.0


def test_types_that_practice_lacks() -> None:
    solved = [answered("meta", n, 1.0, 1, kind="two-hop" if n % 2 else "one-hop") for n in range(20)]
    practice = [Question(name, f"{name}?", type="one-hop") for name in TOPICS]
    found = measure(run(questions=practice, solved=solved), "least share of a type")
    assert (found.found, found.below, found.value) == (True, True, 0.0)
    assert found.message == "0 of 12 practice questions are two-hop, 10 of 20 answered ones"
    mixed = [*practice[:6], *(Question(one.id, one.text, type="two-hop") for one in practice[6:])]
    assert not measure(run(questions=mixed, solved=solved), "least share of a type").found
    untyped = [Question(name, f"What is the {name}?") for name in TOPICS]
    signatures = run(questions=untyped, solved=solved)
    assert measure(signatures, "least share of a type").value is None
    assert "begin with `what is the`" in measure(signatures, "share of practice questions with the same").message


def test_answers_to_questions_that_were_practised_on() -> None:
    solved = [answered("meta", n, 1.0, 1) for n in range(3)]
    practice = [Question(name, f"{name}?") for name in TOPICS]
    assert measure(run(questions=practice, solved=solved), "answered questions that equal").value == 0.0
    found = measure(run(questions=[*practice, Question("s", "2")], solved=solved), "answered questions that equal")
    assert (found.found, found.value) == (True, 1.0)
    assert found.message.startswith("1 of 3 answered questions were practised on, 1 of them in the same words")


def test_a_reflect_agent_that_never_says_wrong() -> None:
    kept, wrong = [play("Retrieve")] * 12, [play("Retrieve", answer="y")] * 6
    found = measure(run(kept, failed=wrong, wrong_share=0.1), "share of wrong answers among those it learns")
    assert (found.found, found.message) == (True, "of 13 answers that the reflect-agent learns from, 1 are wrong")
    assert not measure(run(kept, failed=wrong, wrong_share=0.3), "share of wrong answers among").found
    blind = [answered("group", n, 0.0, 1, play("Retrieve", answer="y")) for n in range(12)]
    found = measure(run(solved=blind), "share of the wrong answers of group")
    assert (found.found, found.message) == (True, "group: finds 0 of 12 wrong answers, 0 called wrong")
    sees = [
        answered("group", n, 0.0, 1, play("Retrieve", answer="y", end=WRONG if n < 2 else RIGHT)) for n in range(12)
    ]
    assert not measure(run(solved=sees), "share of the wrong answers of group").found
