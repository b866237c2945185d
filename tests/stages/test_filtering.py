"""The gates a trajectory has to pass to be learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from autoact.events import TrajectoryJudged
from autoact.project.config import Filtering
from autoact.scratchpad import REFLECT_NOW
from autoact.stages.filtering import filtering, find_refusal
from autoact.trajectory import FINISH, HINTED, IMPORTED, REFLECT, Question, Step, Trajectory, Verdict

LOOK = Step("I should read the page.", "Retrieve", "Fidelio", "Fidelio is an opera by Ludwig van Beethoven.")
DONE = Step("It was written by Beethoven.", FINISH, "Beethoven", REFLECT_NOW)
TRUE = Step("The page says so.", REFLECT, "right")
QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")
GOOD = Trajectory("t-1", QUESTION, (LOOK, DONE, TRUE), "Beethoven", "right", reward=1.0)


def but(step: Step, **changes: Any) -> Step:
    return msgspec.structs.replace(step, **changes)


def good(*steps: Step, **changes: Any) -> Trajectory:
    return msgspec.structs.replace(GOOD, steps=steps or GOOD.steps, **changes)


@pytest.mark.parametrize(
    ("trajectory", "why"),
    [
        (GOOD, ""),
        (good(halt="steps"), "did not end"),
        (good(halt="context"), "did not end"),
        (good(reward=0.99), "wrong answer"),
        (good(but(LOOK, thought=" "), DONE, TRUE), "empty thought"),
        (good(but(LOOK, argument=" "), DONE, TRUE), "empty argument"),
        (good(but(LOOK, failed=True), DONE, TRUE), "failed tool call"),
        (good(LOOK, but(LOOK, argument="the fidelio!"), DONE, TRUE), "repeated action"),
        (good(but(LOOK, observation="An opera."), DONE, TRUE), "answer never observed"),
        (good(but(LOOK, observation="By Beethovens."), DONE, TRUE), "answer never observed"),
        (good(DONE, TRUE), "answer never observed"),
        (good(LOOK, but(DONE, thought="I know who it was."), TRUE), "answer without a reason"),
        (good(LOOK, but(DONE, thought="Beethoven"), TRUE), "answer without a reason"),
    ],
)
def test_each_gate_has_its_reason(trajectory: Trajectory, why: str) -> None:
    assert find_refusal(trajectory, Filtering()) == why


def test_an_imported_trajectory_calls_only_tools_of_the_project() -> None:
    elsewhere = good(but(LOOK, action="Maps"), DONE, TRUE, made=IMPORTED)
    why = "calls Maps, which is no tool of this project"
    assert find_refusal(elsewhere, Filtering(), ("Retrieve",)) == why
    assert find_refusal(elsewhere, Filtering(everything=True), ("Retrieve",)) == why
    assert find_refusal(elsewhere, Filtering(), ("Retrieve", "Maps")) == find_refusal(elsewhere, Filtering()) == ""


def test_a_hinted_trajectory_reads_only_pages_that_something_named() -> None:
    author = Step("I need his city.", "Retrieve", "Ludwig van Beethoven", "Beethoven was born in Bonn.")
    born = but(DONE, thought="He was born in Bonn.", argument="Bonn")
    asked = Question("q-2", "Where was the composer of Fidelio born?", "Bonn", gold=("Fidelio", "Ludwig van Beethoven"))
    steps = (LOOK, author, born, TRUE)
    derived = Trajectory("h-1", asked, steps, "Bonn", "right", reward=1.0, made=HINTED)
    assert find_refusal(derived, Filtering()) == ""
    guessed = msgspec.structs.replace(derived, steps=(author, born, TRUE))
    assert find_refusal(guessed, Filtering()) == "read a page that nothing named before"
    assert find_refusal(msgspec.structs.replace(guessed, made=""), Filtering()) == ""


def test_gates_can_be_opened() -> None:
    assert find_refusal(good(but(LOOK, observation="An opera."), DONE, TRUE), Filtering(grounded=False)) == ""
    assert find_refusal(good(LOOK, but(DONE, thought="Hm."), TRUE), Filtering(reasoned=False)) == ""


def test_yes_and_no_need_only_a_look() -> None:
    said = but(DONE, thought="The page says it is.", argument="yes")
    assert find_refusal(good(LOOK, said, TRUE, answer="Yes"), Filtering()) == ""
    assert find_refusal(good(said, TRUE, answer="Yes"), Filtering()) == "answer never observed"


def test_an_options_letter_is_on_no_page() -> None:
    choice = Question("q-2", "Who wrote Fidelio?", "B", choices=("Mozart", "Beethoven"))
    said = but(DONE, argument="B")
    assert find_refusal(good(LOOK, said, TRUE, answer="B", question=choice), Filtering()) == ""


def judged(drive: Any, *trajectories: Trajectory, by_hand: Sequence[Verdict] = (), **settings: Any) -> dict[str, str]:
    verdicts = {verdict.unit: verdict for verdict in by_hand}
    events = drive(filtering(trajectories, Filtering(**settings), verdicts))
    verdicts = [event.verdict for event in events if isinstance(event, TrajectoryJudged)]
    assert all(verdict.kept == (not verdict.why) for verdict in verdicts)
    return {verdict.unit: verdict.why for verdict in verdicts}


def test_the_shortest_of_a_question_are_kept(drive: Any) -> None:
    more = Step("I look again.", "Lookup", "opera", "Fidelio is an opera.")
    longest = good(LOOK, more, DONE, TRUE, unit="t-0")
    others = [good(but(LOOK, thought=f"I look {n} times."), DONE, TRUE, unit=f"t-{n}") for n in (1, 2)]
    elsewhere = good(LOOK, more, DONE, TRUE, unit="t-9", question=Question("q-9", "Who?", "Beethoven"))
    assert judged(drive, longest, *others, elsewhere) == {
        "t-0": "enough of this question", "t-1": "", "t-2": "", "t-9": "",
    }  # fmt: skip
    assert judged(drive, longest, *others, per_question=3)["t-0"] == ""


def test_the_same_steps_count_once(drive: Any) -> None:
    assert judged(drive, good(unit="t-2"), good(unit="t-1")) == {"t-1": "", "t-2": "same steps as another"}


def test_without_filtering_all_that_ended_are_kept(drive: Any) -> None:
    many = [good(unit="t-1"), good(unit="t-2"), good(unit="t-3", reward=0.0), good(unit="t-4", halt="steps")]
    planted = good(unit="t-5", reward=0.0, made="mistaken")
    assert judged(drive, *many, planted, everything=True) == {
        "t-1": "", "t-2": "", "t-3": "", "t-4": "did not end", "t-5": "wrong answer",
    }  # fmt: skip


def test_the_order_they_ended_in_does_not_matter(drive: Any) -> None:
    many = [good(but(LOOK, thought=f"I look {n} times."), DONE, TRUE, unit=f"t-{n}") for n in range(5)]
    assert judged(drive, *many) == judged(drive, *reversed(many))


def test_what_a_person_drops_takes_no_place_and_what_a_person_keeps_takes_one(drive: Any) -> None:
    first, second, third = (good(but(LOOK, thought=f"I look {n} times."), DONE, TRUE, unit=f"t-{n}") for n in range(3))
    same = good(*third.steps, unit="t-3")
    by_kim = [Verdict("t-0", False, 1.0, "dull", "kim")]
    assert judged(drive, first, second, third, same, by_hand=by_kim) == {
        "t-1": "", "t-2": "", "t-3": "same steps as another",
    }  # fmt: skip
    by_kim.append(Verdict("t-2", True, 1.0, "", "kim"))
    assert judged(drive, first, second, third, same, by_hand=by_kim, per_question=1) == {
        "t-1": "enough of this question", "t-3": "same steps as another",
    }  # fmt: skip


def test_verdicts_of_the_filter_itself_are_found_again(drive: Any) -> None:
    trajectories = good(unit="t-1"), good(unit="t-2")
    found = judged(drive, *trajectories)
    by_filter = [Verdict("t-1", True, 1.0)]
    assert judged(drive, *trajectories, by_hand=by_filter) == found


def diverse(number: int, unit: str) -> Trajectory:
    """A good trajectory over one page or two, about a question of its own."""
    answer, kind = f"Name{number}", "two-hop" if number % 2 else "one-hop"
    reads = tuple(
        Step(f"I need part {at} of matter {number}.", "Retrieve", f"page {number} {at}", f"It is {answer}.")
        for at in range(1 + number % 2)
    )
    ended = (Step(f"It says {answer}.", FINISH, answer, REFLECT_NOW), TRUE)
    question = Question(f"q-{number}", "Who?", answer, type=kind)
    return Trajectory(unit, question, (*reads, *ended), answer, "right", reward=1.0)


@pytest.mark.parametrize(("step", "kept"), [(1, True), (2, False)])
def test_a_round_that_makes_the_set_uniform_is_refused(drive: Any, *, step: int, kept: bool) -> None:
    """New tries of both types are kept; those of one type alone, thrice as many as the old ones, are not."""
    old = [diverse(number, f"t-{number:03}") for number in range(20)]
    new = [diverse(step * number, f"g1-{number:03}") for number in range(20, 80)]
    names = {one.unit for one in new}
    events = drive(filtering([*old, *new], Filtering(), {}, names))
    verdicts = {event.verdict.unit: event.verdict for event in events if isinstance(event, TrajectoryJudged)}
    assert all(verdicts[one.unit].kept for one in old)
    assert {verdicts[name].kept for name in names} == {kept}
    assert {verdicts[name].why for name in names} == {"" if kept else "less diverse: the tool sequences"}


def test_what_a_person_kept_stays_in_a_round_that_is_refused(drive: Any) -> None:
    old = [diverse(number, f"t-{number:03}") for number in range(20)]
    new = [diverse(2 * number, f"g1-{number:03}") for number in range(20, 80)]
    by_hand = {"g1-030": Verdict("g1-030", True, 1.0, "good", "Ada")}
    events = drive(filtering([*old, *new], Filtering(), by_hand, {one.unit for one in new}))
    judged = {event.verdict.unit for event in events if isinstance(event, TrajectoryJudged)}
    assert judged == {one.unit for one in (*old, *new)} - {"g1-030"}


def test_a_game_may_repeat_a_move_that_leads_elsewhere() -> None:
    game = Question("g-1", "Go north twice.", played=True)
    north = Step("I go north.", "Go", "north", "You are in the hall.")
    won = Trajectory("t-1", game, (north, but(north, observation="You have won.")), halt="over", reward=1.0)
    assert find_refusal(won, Filtering()) == ""
    assert find_refusal(msgspec.structs.replace(won, steps=(north, north)), Filtering()) == "repeated action"
    assert find_refusal(msgspec.structs.replace(won, reward=0.5), Filtering()) == "not won"
