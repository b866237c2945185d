"""Who learns what from which trajectories."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from autoact.events import AdapterReady
from autoact.lessons import add_failed_try, failed_lessons, parts_of, with_right_verdict, wrong_lessons
from autoact.project.config import Differentiation
from autoact.registry.roles import ROLES, SUB_AGENTS
from autoact.scratchpad import REFLECT_NOW, TRY_AGAIN, pieces
from autoact.script import Card, Lesson, Train
from autoact.stages.differentiation import differentiation
from autoact.trajectory import FINISH, MISTAKEN, REFLECT, REPAIRED, Adapter, Cast, Question, Step, Trajectory, Verdict

LOOK = Step("I look.", "Retrieve", "Fidelio", "By Beethoven.")
QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")


def tried(unit: str, *tries: tuple[str, str], reward: float) -> Trajectory:
    """An episode that looked and then gave these answers with these verdicts."""
    steps = [LOOK]
    for answer, verdict in tries:
        steps.append(Step("It says so.", FINISH, answer, REFLECT_NOW))
        steps.append(Step("I see.", REFLECT, verdict, "" if verdict == "right" else TRY_AGAIN))
    return Trajectory(unit, QUESTION, tuple(steps), tries[-1][0], tries[-1][1], reward=reward)


CARD = Card("Answer.", ())
CAST = Differentiation().cast()

RIGHT = tried("t-1", ("Beethoven", "right"), reward=1.0)
DOUBTED = tried("t-2", ("Beethoven", "wrong"), reward=1.0)
WRONG = tried("t-3", ("Mozart", "right"), reward=0.0)
LOST = tried("t-4", ("Beethoven", "wrong"), ("Mozart", "right"), reward=0.0)


def words(lesson: Lesson, role: str) -> list[str]:
    return [
        piece.text
        for piece in pieces(lesson.trajectory.steps)
        if piece.owner == role and piece.part in lesson.parts and piece.text != "\n"
    ]


def test_every_agent_owns_its_words() -> None:
    said = {role: words(Lesson(RIGHT, ROLES.get(role).parts), role) for role in SUB_AGENTS}
    assert said == {
        "plan": [" I look.", " Retrieve\n", " It says so.", " Finish\n"],
        "tool": [" Fidelio", " Beethoven"],
        "reflect": [" I see.", " right"],
    }


def trained(
    drive: Any, *trajectories: Trajectory, kept: int, share: float = 0.3, failures: Any = "none", **changes: Any
) -> tuple[dict[str, Train], list[Any]]:
    wishes: dict[str, Train] = {}

    def train(wish: Train) -> Adapter:
        wishes[wish.adapter] = wish
        return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", 1, 0.5)

    verdicts = {one.unit: Verdict(one.unit, n < kept, one.reward) for n, one in enumerate(trajectories)}
    settings = Differentiation(wrong_share=share, failures=failures, **changes)
    return wishes, drive(differentiation(trajectories, verdicts, settings, CARD, seed=7), train=train)


def test_no_adapter_learns_from_the_questions_of_validation(drive: Any) -> None:
    others = [
        replace(
            RIGHT, unit=f"t-{number}", question=replace(RIGHT.question, id=f"q-{number}", text=f"Question {number}?")
        )
        for number in range(10, 18)
    ]
    failed = replace(WRONG, unit="t-30", question=others[0].question)
    wishes, _ = trained(drive, *others, failed, kept=8, validation=0.25)
    for wish in wishes.values():
        learned, held = ({one.trajectory.question.text for one in part} for part in (wish.lessons, wish.validation))
        assert len(held) == 2
        assert not learned & held
        assert len(learned | held) == 8
    wishes, _ = trained(drive, *others, kept=8)
    assert all(len(wish.lessons) == 8 and not wish.validation for wish in wishes.values())


def test_three_adapters_from_what_was_kept(drive: Any) -> None:
    wishes, events = trained(drive, RIGHT, DOUBTED, WRONG, kept=2)
    assert [event.adapter.name for event in events if isinstance(event, AdapterReady)] == list(SUB_AGENTS)
    assert [lesson.trajectory.unit for lesson in wishes["plan"].lessons] == ["t-1", "t-2"]
    assert [lesson.trajectory.unit for lesson in wishes["reflect"].lessons] == ["t-1", "t-2", "t-3"]


def test_an_adapter_for_all_parts_is_trained_beside_the_three(drive: Any) -> None:
    three = {name: (name,) for name in SUB_AGENTS}
    adapters = {"all": ("plan", "tool"), **three}
    requests, _ = trained(drive, RIGHT, DOUBTED, WRONG, kept=2, adapters=adapters)
    plain, _ = trained(drive, RIGHT, DOUBTED, WRONG, kept=2)
    assert [lesson.parts for lesson in requests["all"].lessons] == [("thought", "action", "argument")] * 2
    assert {name: requests[name].lessons for name in three} == {name: plain[name].lessons for name in three}
    assert Differentiation(adapters=adapters).cast().adapters == {name: name for name in SUB_AGENTS}


def test_a_larger_number_of_trajectories_includes_a_smaller_one(drive: Any) -> None:
    many = [msgspec.structs.replace(RIGHT, unit=f"r-{n}") for n in range(9)]

    def learned(most: int) -> set[str]:
        wishes, _ = trained(drive, *many, WRONG, kept=9, trajectories=most)
        return {lesson.trajectory.unit for lesson in wishes["plan"].lessons}

    sizes = {most: learned(most) for most in (0, 2, 5, 20)}
    assert {most: len(units) for most, units in sizes.items()} == {0: 9, 2: 2, 5: 5, 20: 9}
    assert sizes[2] < sizes[5] < sizes[0]


def failed_tries(requests: dict[str, Train], adapter: str) -> list[Lesson]:
    return [lesson for lesson in requests[adapter].lessons if lesson.failed]


def test_plan_and_tool_agent_learn_failed_tries_as_failed(drive: Any) -> None:
    plain, _ = trained(drive, RIGHT, DOUBTED, WRONG, kept=2)
    requests, _ = trained(drive, RIGHT, DOUBTED, WRONG, kept=2, failures="prefix")
    (planned,), (called,) = failed_tries(requests, "plan"), failed_tries(requests, "tool")
    assert planned.trajectory.unit == called.trajectory.unit == "t-3"
    assert words(planned, "plan") == [" I look.", " Retrieve\n", " It says so.", " Finish\n"]
    assert words(called, "tool") == [" Fidelio", " Mozart"]
    assert requests["reflect"].lessons == plain["reflect"].lessons
    for name in ("plan", "tool"):
        assert tuple(one for one in requests[name].lessons if not one.failed) == plain[name].lessons


def test_an_adapter_for_all_parts_learns_no_reflection_of_a_failed_try() -> None:
    (lesson,) = failed_lessons("all", Cast("group", dict.fromkeys(SUB_AGENTS, "all")), [WRONG], 1)
    assert lesson.parts == ("thought", "action", "argument")


def test_tries_that_were_kept_by_hand_or_gave_up_a_right_answer_or_gave_none_are_no_failed_tries(drive: Any) -> None:
    kept_by_hand = msgspec.structs.replace(WRONG, unit="t-0")
    unended = Trajectory("t-5", QUESTION, (LOOK, LOOK), halt="steps")
    requests, _ = trained(drive, kept_by_hand, RIGHT, LOST, unended, kept=2, failures="prefix")
    assert failed_tries(requests, "plan") == []


@pytest.mark.parametrize(("kept", "failed"), [(1, 1), (4, 2), (20, 9)])
def test_the_number_of_failed_tries_follows_that_of_the_kept_ones(drive: Any, kept: int, failed: int) -> None:
    right = [msgspec.structs.replace(RIGHT, unit=f"r-{n}") for n in range(kept)]
    wrong = [msgspec.structs.replace(WRONG, unit=f"w-{n}") for n in range(9)]
    seen = msgspec.structs.replace(wrong[5], steps=(but_seen(WRONG.steps[0], "Mozart"), *WRONG.steps[1:]))
    requests, _ = trained(drive, *right, *wrong[:5], seen, *wrong[6:], kept=kept, failures="prefix")
    lessons = failed_tries(requests, "plan")
    assert len({lesson.trajectory.unit for lesson in lessons}) == failed
    assert lessons[0].trajectory.unit == "w-5"  # a page contains its answer


def failed_at(unit: str, *steps: Step) -> Trajectory:
    """A failed try that reads these pages before its answer."""
    return msgspec.structs.replace(WRONG, unit=unit, steps=(*steps, *WRONG.steps[1:]))


def test_a_kept_trajectory_is_preferred_to_the_failed_try_that_shares_the_most_steps(drive: Any) -> None:
    near = failed_at("t-4", LOOK, LOOK)
    far = [failed_at(f"far-{n}", msgspec.structs.replace(LOOK, argument="Mozart")) for n in range(4)]
    another = Question("q-2", "Who wrote Fidelio?", "Beethoven")
    others = [msgspec.structs.replace(near, unit=f"other-{n}", question=another) for n in range(4)]
    requests, _ = trained(drive, RIGHT, *far, near, *others, kept=1, failures="preference")
    plain, _ = trained(drive, RIGHT, *far, near, *others, kept=1)
    for name, parts in (("plan", ("thought", "action")), ("tool", ("argument",))):
        (lesson,) = requests[name].lessons
        assert lesson.against == Lesson(msgspec.structs.replace(near, steps=lesson.against.trajectory.steps), parts)
        assert lesson.against.trajectory.steps[:3] == (LOOK, LOOK, WRONG.steps[1])
        assert msgspec.structs.replace(lesson, against=None) == plain[name].lessons[0]
    assert requests["reflect"].lessons == plain["reflect"].lessons


def test_an_adapter_for_all_parts_prefers_no_reflection() -> None:
    cast = Cast("group", dict.fromkeys(SUB_AGENTS, "all"))
    lesson = add_failed_try(Lesson(RIGHT, parts_of("all", cast, RIGHT)), "all", cast, [WRONG])
    assert lesson.against == Lesson(WRONG, ("thought", "action", "argument"))
    assert "verdict" in lesson.parts


def test_a_trajectory_is_not_preferred_to_the_failed_try_that_it_begins_with() -> None:
    mended = tried("t-1", ("Mozart", "wrong"), ("Beethoven", "right"), reward=1.0)
    assert add_failed_try(Lesson(mended, ("argument",)), "tool", CAST, [WRONG]).against is None
    far = failed_at("t-9", LOOK, LOOK)
    lesson = add_failed_try(Lesson(mended, ("argument",)), "tool", CAST, [WRONG, far])
    assert lesson.against == Lesson(far, ("argument",))
    assert add_failed_try(Lesson(mended, ("argument",), first=3), "tool", CAST, [far]).against is None


def test_without_failures_requests_have_the_keys_that_they_always_had(drive: Any) -> None:
    requests, _ = trained(drive, RIGHT, DOUBTED, WRONG, kept=2)
    for request in requests.values():
        for lesson in msgspec.json.decode(msgspec.json.encode(request))["lessons"]:
            assert lesson.keys() == {"trajectory", "parts"}


def test_a_kept_answer_is_called_right_whatever_was_thought_of_it() -> None:
    assert with_right_verdict(RIGHT) is RIGHT
    assert with_right_verdict(DOUBTED).steps[-1] == Step("I see.", REFLECT, "right")
    assert with_right_verdict(DOUBTED).steps[:-1] == DOUBTED.steps[:-1]


def test_a_wrong_run_teaches_its_verdict_alone() -> None:
    (lesson,) = wrong_lessons([WRONG], 5, 0.3, 7)
    assert lesson.parts == ("verdict",)
    assert words(lesson, "reflect") == [" wrong"]
    assert lesson.trajectory.steps[-1].observation == TRY_AGAIN


def test_of_a_repaired_run_only_the_continuation_is_learned(drive: Any) -> None:
    repaired = msgspec.structs.replace(
        tried("r-1", ("Mozart", "wrong"), ("Beethoven", "right"), reward=1.0), made=REPAIRED
    )
    wishes, _ = trained(drive, repaired, kept=1)
    assert {name: [lesson.first for lesson in wish.lessons] for name, wish in wishes.items()} == {
        "plan": [3], "tool": [3], "reflect": [3],
    }  # fmt: skip
    assert repaired.steps[2].argument == "wrong"


def test_the_thought_before_a_wrong_verdict_is_that_of_a_right_one(drive: Any) -> None:
    doubting = msgspec.structs.replace(WRONG, steps=(*WRONG.steps[:-1], Step("I doubt it.", REFLECT, "right")))
    wishes, _ = trained(drive, RIGHT, doubting, kept=1, share=0.5)
    *_, last = wishes["reflect"].lessons
    assert (last.trajectory.steps[-1].thought, last.trajectory.steps[-1].argument) == ("I see.", "wrong")


def test_a_right_answer_that_was_given_up_is_not_taught_as_wrong() -> None:
    assert wrong_lessons([LOST], 5, 0.3, 7) == ()


def test_wrong_answers_that_a_page_contains_come_first() -> None:
    seen = msgspec.structs.replace(WRONG, steps=(but_seen(WRONG.steps[0], WRONG.answer or ""), *WRONG.steps[1:]))
    runs = [msgspec.structs.replace(WRONG, unit=f"t-{number}") for number in range(6)]
    (lesson,) = wrong_lessons([*runs[:3], msgspec.structs.replace(seen, unit="t-seen"), *runs[3:]], 1, 0.5, 7)
    assert lesson.trajectory.unit == "t-seen"


def test_usual_mistakes_come_before_other_wrong_answers() -> None:
    plausible = msgspec.structs.replace(WRONG, steps=(but_seen(WRONG.steps[0], WRONG.answer or ""), *WRONG.steps[1:]))
    short = msgspec.structs.replace(WRONG, unit="c-1", made=MISTAKEN)
    (lesson,) = wrong_lessons([plausible, short], 1, 0.5, 7)
    assert lesson.trajectory.unit == "c-1"


def but_seen(step: Step, words: str) -> Step:
    return msgspec.structs.replace(step, observation=f"The page names {words} too.")


@pytest.mark.parametrize(("share", "wrong"), [(0.0, 0), (0.3, 3), (0.5, 7), (1.0, 9)])
def test_the_share_of_wrong_runs(share: float, wrong: int) -> None:
    runs = [msgspec.structs.replace(WRONG, unit=f"t-{n}") for n in range(9)]
    lessons = wrong_lessons(runs, 7, share, 7)
    assert len(lessons) == wrong
    assert len({lesson.trajectory.unit for lesson in lessons}) == wrong


def test_the_order_trajectories_ended_in_does_not_matter(drive: Any) -> None:
    one, _ = trained(drive, RIGHT, DOUBTED, WRONG, kept=2)
    other = {}
    verdicts = {"t-1": Verdict("t-1", True, 1.0), "t-2": Verdict("t-2", True, 1.0)}

    def train(wish: Train) -> None:
        other[wish.adapter] = wish

    drive(differentiation([WRONG, DOUBTED, RIGHT], verdicts, Differentiation(), CARD, seed=7), train=train)
    assert other == one


def test_nothing_kept_trains_nothing(drive: Any) -> None:
    wishes, events = trained(drive, WRONG, kept=0)
    assert wishes == {}
    assert not [event for event in events if isinstance(event, AdapterReady)]


def test_a_training_that_failed_leaves_no_adapter(drive: Any) -> None:
    verdicts = {"t-1": Verdict("t-1", True, 1.0)}
    events = drive(differentiation([RIGHT], verdicts, Differentiation(), CARD, seed=7), train=lambda wish: None)
    assert not [event for event in events if isinstance(event, AdapterReady)]
