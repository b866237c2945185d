"""The loop: who is asked, when it ends, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pytest

from autoact import scratchpad
from autoact.episode import Episode, Limits
from autoact.errors import ContextFull
from autoact.metrics import reward
from autoact.script import Answer, Ask, Card, Observation, Sampling, Use
from autoact.trajectory import META as BASE
from autoact.trajectory import Cast, Question, Tool, Trajectory

META = Cast(BASE)
GROUP = Cast("group", {part: part for part in ("plan", "tool", "reflect")})

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")
READ = ["I look.", " Retrieve\n", "Fidelio"]
RIGHT = ["It says so.", " Finish\n", "Beethoven", "True.", " right"]
WRONG = ["I guess.", " Finish\n", "Mozart", "False.", " wrong"]


PLENTY = Limits()


def play(
    answers: Iterable[str],
    limits: Limits = PLENTY,
    cast: Cast = META,
    seen: str = "",
    question: Question = QUESTION,
    chance: float | None = None,
    least: float | None = None,
    leasts: Mapping[str, float] = MappingProxyType({}),
) -> tuple[Trajectory, list[Ask]]:
    """An episode with these answers in turn, all of which it must want.

    `chance` is that of each verdict, `least` the lowest of each text's tokens, `leasts` of some.
    """
    script = Episode("t-1", question, CARD, cast, Sampling(0.5), limits, reward).play()
    said, asks = list(answers), list[Ask]()
    sent: Answer | Observation | None = None
    while True:
        try:
            wish = script.send(sent)
        except StopIteration as end:
            assert not said
            return end.value, asks
        if isinstance(wish, Use):
            failed = not wish.argument or seen.startswith("Could not find")
            sent = Observation(seen or f"Page of {wish.argument}.", failed=failed)
        else:
            assert isinstance(wish, Ask)
            asks.append(wish)
            known = {"chance": chance} if wish.part == "verdict" else {"least_chance": leasts.get(said[0], least)}
            sent = Answer(said.pop(0), **known)


def test_read_answer_reflect() -> None:
    trajectory, asks = play([*READ, *RIGHT])
    assert [(step.action, step.argument) for step in trajectory.steps] == [
        ("Retrieve", "Fidelio"), ("Finish", "Beethoven"), ("Reflect", "right"),
    ]  # fmt: skip
    assert trajectory.steps[0].observation == "Page of Fidelio."
    assert (trajectory.answer, trajectory.verdict, trajectory.halt) == ("Beethoven", "right", "answered")
    assert trajectory.reward == 1.0
    assert {ask.adapter for ask in asks} == {"meta"}
    assert all(ask.sampling == Sampling(0.5) for ask in asks)


def test_the_group_shares_the_work() -> None:
    trajectory, asks = play([*READ, *RIGHT], cast=GROUP)
    assert [ask.adapter for ask in asks] == ["plan", "plan", "tool"] * 2 + ["reflect"] * 2
    assert trajectory.cast == "group"


def test_wrong_buys_one_more_try() -> None:
    trajectory, _ = play([*WRONG, *RIGHT])
    assert [step.argument for step in trajectory.steps] == ["Mozart", "wrong", "Beethoven", "right"]
    assert trajectory.steps[1].observation == scratchpad.TRY_AGAIN
    assert (trajectory.answer, trajectory.halt, trajectory.reward) == ("Beethoven", "answered", 1.0)


def test_then_it_ends_honestly_with_the_last_answer() -> None:
    trajectory, _ = play([*WRONG, *WRONG])
    assert (trajectory.answer, trajectory.verdict, trajectory.halt) == ("Mozart", "wrong", "answered")
    assert trajectory.reward == 0.0


@pytest.mark.parametrize(
    ("limits", "chance", "kept"),
    [
        (Limits(keep_best=True), 0.7, "Beethoven"),  # *wrong* at 0.7, then *right* at 0.7: the second is doubted less
        (Limits(keep_best=True), 0.4, "Mozart"),  # *wrong* at 0.4, by the threshold, and *right* at 0.4
        (Limits(), 0.4, "Beethoven"),
        (Limits(keep_best=True), None, "Beethoven"),
    ],
)
def test_the_answer_that_is_doubted_least_is_kept(limits: Limits, chance: float | None, kept: str) -> None:
    trajectory, _ = play([*WRONG, *RIGHT], limits, chance=chance)
    assert trajectory.answer == kept
    assert [step.wrong_chance for step in trajectory.steps if step.action == "Reflect"] == (
        [None, None] if chance is None else [chance, round(1 - chance, 4)]
    )


@pytest.mark.parametrize(("threshold", "bias"), [(None, 0.0), (0.5, 0.0), (0.2, 1.3863), (0.8, -1.3863)])
def test_a_threshold_moves_the_verdict_alone(threshold: float | None, bias: float) -> None:
    _, asks = play([*READ, *RIGHT], Limits(threshold=threshold))
    assert [ask.bias for ask in asks] == [*[0.0] * 7, pytest.approx(bias, abs=1e-3)]
    assert asks[-1].choices[-1] == " wrong"


@pytest.mark.parametrize(
    ("least", "evidence", "wrong"),
    [(0.2, 1.3863, 0.7273), (0.9, -2.1972, 0.069), (None, 0.0, 0.4)],
)
def test_an_uncertain_thought_is_evidence_for_wrong(least: float | None, evidence: float, wrong: float) -> None:
    limits = Limits(threshold=0.5, certainty=True)
    trajectory, asks = play([*READ, *RIGHT], limits, chance=0.6, least=least)
    assert asks[-1].bias == pytest.approx(evidence, abs=1e-4)
    assert trajectory.steps[-1].wrong_chance == wrong
    plain, asks = play([*READ, *RIGHT], Limits(threshold=0.5), chance=0.6, least=least)
    assert (asks[-1].bias, plain.steps[-1].wrong_chance) == (0.0, 0.4)


def test_a_second_try_is_no_more_certain_than_the_first() -> None:
    limits = Limits(threshold=0.5, certainty=True, keep_best=True)
    trajectory, _ = play([*WRONG, *RIGHT], limits, chance=0.7, least=0.9, leasts={"I guess.": 0.1})
    assert [step.wrong_chance for step in trajectory.steps if step.action == "Reflect"] == [0.9545, 0.7941]
    assert trajectory.answer == "Beethoven"


def test_after_a_page_that_is_not_found_the_first_one_offered_is_opened() -> None:
    seen = f"Could not find [Fidelio].{scratchpad.list_offers(['Ludwig van Beethoven', 'Vienna'])}"
    answers = [*READ, *READ[:2], " Ludwig van Beethoven", *READ[:2], " Vienna", *RIGHT]
    _, asks = play(answers, Limits(offered=True), seen=seen)
    choices = [ask.choices for ask in asks if ask.part == "argument"]
    assert choices == [(), (" Ludwig van Beethoven",), (" Vienna",), ()]
    tools = [ask.choices for ask in asks if ask.part == "action"]
    assert tools == [(both := (" Retrieve\n", " Finish\n")), both[:1], both[:1], both]  # no answer before a page
    _, asks = play([*READ, *RIGHT], Limits(steps=2, offered=True), seen=seen)
    assert [ask.choices for ask in asks if ask.part == "action"] == [both, both[1:]]
    _, asks = play([*READ, *READ, *RIGHT], seen=seen)
    assert {ask.choices for ask in asks if ask.part == "action"} == {both}
    assert [ask.choices for ask in asks if ask.part == "argument"] == [(), (), ()]


def test_a_page_that_the_thought_names_is_opened_before_the_first_one_offered() -> None:
    seen = f"Could not find [van van].{scratchpad.list_offers(['Vincent van Gogh', 'Ludwig van Beethoven'])}"
    misspelt = ["I should read the page about Ludwig van Beethoven.", " Retrieve\n", "van van"]
    answers = [*misspelt, *READ[:2], " Ludwig van Beethoven", *RIGHT]
    _, asks = play(answers, Limits(steps=3, offered=True), seen=seen)
    assert [ask.choices for ask in asks if ask.part == "argument"][1] == (" Ludwig van Beethoven",)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("Was Fidelio written by Mozart?", (" yes", " no")),
        ("Was Fidelio written by Mozart or Beethoven?", ()),
        ("Who wrote Fidelio?", ()),
    ],
)
def test_a_question_that_begins_with_an_auxiliary_verb_is_answered_with_yes_or_no(
    text: str, choices: tuple[str, ...]
) -> None:
    question = Question("q", text)
    _, asks = play([*READ, *RIGHT], Limits(yes_no=True), question=question)
    assert [ask.choices for ask in asks if ask.part == "argument"] == [(), choices]
    _, asks = play([*READ, *RIGHT], question=question)
    assert [ask.choices for ask in asks if ask.part == "argument"] == [(), ()]


def test_without_a_budget_wrong_ends_at_once() -> None:
    trajectory, _ = play(WRONG, Limits(reflections=0))
    assert (trajectory.answer, trajectory.verdict) == ("Mozart", "wrong")


def test_the_last_step_can_only_finish() -> None:
    trajectory, asks = play([*READ, *RIGHT], Limits(steps=2))
    choices = [ask.choices for ask in asks if ask.part == "action"]
    assert choices == [(" Retrieve\n", " Finish\n"), (" Finish\n",)]
    assert trajectory.halt == "answered"


def test_reflections_do_not_count_as_steps() -> None:
    trajectory, _ = play([*WRONG, *RIGHT], Limits(steps=2))
    assert trajectory.halt == "answered"


def test_steps_run_out_after_a_wrong_answer() -> None:
    trajectory, _ = play([*READ, *WRONG], Limits(steps=2))
    assert (trajectory.halt, trajectory.answer, trajectory.verdict) == ("steps", "Mozart", "wrong")


@pytest.mark.parametrize("asked", range(8))
def test_a_full_context_ends_the_episode_with_what_is_complete(asked: int) -> None:
    said = [*READ, *RIGHT][:asked]
    script = Episode("t-1", QUESTION, CARD, META, Sampling(0.5), PLENTY, reward).play()
    wish = next(script)
    while said or isinstance(wish, Use):
        wish = script.send(Observation("A page.") if isinstance(wish, Use) else Answer(said.pop(0)))
    with pytest.raises(StopIteration) as end:
        script.throw(ContextFull("8193 tokens"))
    trajectory = end.value.value
    assert (trajectory.halt, trajectory.verdict) == ("context", None)
    assert [step.action for step in trajectory.steps] == ["Retrieve", "Finish"][: asked // 3]
    assert (trajectory.answer, trajectory.reward) == (("Beethoven", 1.0) if asked > 5 else (None, 0.0))


def test_a_failed_call_is_a_step_like_any_other() -> None:
    trajectory, _ = play(["", " Retrieve\n", "", *RIGHT])
    assert trajectory.steps[0].failed
    assert trajectory.answer == "Beethoven"


CHOICE = Question("q-2", "Which is a metal?", "B", choices=("salt", "iron", "wood"))


def test_the_answer_of_a_multiple_choice_question_is_one_of_its_letters() -> None:
    trajectory, asks = play([*READ, "Iron is.", " Finish\n", " B", "True.", " right"], question=CHOICE)
    (choosing,) = [ask for ask in asks if ask.part == "argument" and ask.choices]
    assert choosing.choices == (" A", " B", " C")
    assert (trajectory.answer, trajectory.reward) == ("B", 1.0)
    pieces = scratchpad.pieces(trajectory.steps)
    assert pieces[len(choosing.prompt.segments)] == scratchpad.Piece(" B", "tool", "argument", "Finish")


@pytest.mark.parametrize("said", ["right", "Wrong.", "", " "])
def test_a_verdict_or_nothing_is_no_answer(said: str) -> None:
    trajectory, asks = play(["I guess.", " Finish\n", said, *RIGHT])
    assert [(step.action, step.failed) for step in trajectory.steps] == [
        ("Finish", True), ("Finish", False), ("Reflect", False),
    ]  # fmt: skip
    assert trajectory.steps[0].observation == scratchpad.NO_ANSWER
    assert trajectory.answer == "Beethoven"
    answering = [ask for ask in asks if ask.part == "argument"]
    assert all((ask.least, ask.barred) == (1, ("right", "wrong")) for ask in answering)


def test_an_episode_that_never_answers_has_no_answer() -> None:
    trajectory, _ = play(["I guess.", " Finish\n", "right"] * 2, Limits(steps=2))
    assert (trajectory.answer, trajectory.halt, trajectory.reward) == (None, "steps", 0.0)


def test_right_answers_a_question_that_speaks_of_it() -> None:
    side = Question("q-3", "On which side do they drive?", "right")
    trajectory, asks = play(
        ["I look.", " Retrieve\n", "Norway", "It says so.", " Finish\n", "right", "True.", " right"],
        seen="They drive on the right.", question=side,
    )  # fmt: skip
    assert (trajectory.answer, trajectory.reward) == ("right", 1.0)
    assert [ask.barred for ask in asks if ask.part == "argument"] == [(), ("wrong",)]


GAME = Card(
    "Play.", (Tool("Go", "Walks.", "Go[north]"), Tool("Open", "Opens.", "Open[box]"), Tool("Eat", "", "Eat[it]"))
)
PLAYED = Question(
    "game", f"Open the box. {scratchpad.list_moves(['Go east', 'Go west', 'Take box'])}", "won", played=True
)


def play_game(observed: Iterable[Observation], steps: int = 3) -> tuple[Trajectory, list[Ask]]:
    """An episode that always takes the first choice, and these observations."""
    script = Episode("t-1", PLAYED, GAME, META, Sampling(), Limits(steps=steps), reward).play()
    seen, asks = iter(observed), list[Ask]()
    sent: Answer | Observation | None = None
    while True:
        try:
            wish = script.send(sent)
        except StopIteration as end:
            return end.value, asks
        if isinstance(wish, Ask):
            asks.append(wish)
            sent = Answer(wish.choices[0] if wish.choices else "I walk.")
        else:
            sent = next(seen)


def test_a_game_offers_its_moves_and_no_answer() -> None:
    there = Observation(f"A box. {scratchpad.list_moves(['Open box', 'Go west'])}", reward=0.5)
    trajectory, asks = play_game([there, Observation("Won.", over=True, reward=1.0)])
    offered = [ask.choices for ask in asks if ask.choices]
    assert offered == [(" Go\n",), (" east", " west"), (" Go\n", " Open\n"), (" west",)]
    assert (trajectory.halt, trajectory.reward, trajectory.answer) == ("over", 1.0, None)
    assert "Finish" not in asks[0].prompt.system


def test_a_game_that_the_limit_ends_has_the_score_so_far() -> None:
    trajectory, asks = play_game([Observation("A wall.", reward=0.25)] * 3)
    assert (trajectory.halt, trajectory.reward, len(trajectory.steps)) == ("steps", 0.25, 3)
    assert asks[4].choices == (" Go\n", " Open\n", " Eat\n")  # it lists no moves, so that all tools are offered


CHECKED = Limits(checks=True)
PLUTO = Question("q-2", "Who discovered Pluto?", "Clyde Tombaugh")
PAGE = "Pluto is far away. Clyde Tombaugh discovered it. Percival Lowell looked for it."
REFUSED = [" Pluto stands in the question.", " wrong"]
LOOK = ["I need the person, so I should read.", " Retrieve\n", "Pluto"]


def test_an_answer_that_cannot_be_right_is_refused_and_the_next_one_was_read() -> None:
    again = " I found the person: Clyde Tombaugh, so the answer is Clyde Tombaugh."
    said = [
        *LOOK, "I found the person: Pluto, so the answer is Pluto.", " Finish\n", "Pluto", *REFUSED,
        again, " Finish\n", " Clyde Tombaugh", "It says so.", " right",
    ]  # fmt: skip
    trajectory, asks = play(said, CHECKED, cast=GROUP, seen=PAGE, question=PLUTO)
    refused = trajectory.steps[2]
    assert (refused.thought, refused.argument) == ("Pluto stands in the question.", "wrong")
    assert refused.wrong_chance == 1.0
    assert (trajectory.answer, trajectory.verdict, trajectory.reward) == ("Clyde Tombaugh", "right", 1.0)
    assert trajectory.steps[3].thought == again.strip()
    thoughts = [ask for ask in asks if ask.part == "thought"]
    assert thoughts[2].choices == (again, again.replace("Clyde Tombaugh", "Percival Lowell"))
    assert [ask.choices for ask in asks if ask.part == "argument"][2] == (" Clyde Tombaugh", " Percival Lowell")
    assert [ask.choices for ask in asks if ask.part == "reflection"] == [(REFUSED[0],), ()]
    assert [ask.choices for ask in asks if ask.part == "verdict"] == [(" wrong",), (" right", " wrong")]


def test_what_only_the_question_says_is_read_again_and_the_thought_goes_on() -> None:
    read, rest = " I found what Pluto is: far away.", " I need the person, so I should read."
    said = [*LOOK, "I found what Pluto is: a star. I need a star.", read, rest, *READ[1:], *RIGHT]
    star = Question("q-3", "Is Pluto a star?", "no")
    trajectory, asks = play(said, CHECKED, seen=PAGE, question=star)
    assert trajectory.steps[1].thought == f"{read}{rest}".strip()
    thoughts = [ask for ask in asks if ask.part == "thought"]
    assert read in thoughts[2].choices
    assert thoughts[3].prompt == thoughts[2].prompt.then(read)
    trajectory, _ = play([*said[:4], *READ[1:], *RIGHT], Limits(), seen=PAGE, question=star)
    assert trajectory.steps[1].thought == said[3]


def test_what_only_the_question_says_is_read_again_as_the_answer() -> None:
    read = " I found the person: Clyde Tombaugh, so the answer is Clyde Tombaugh."
    said = [
        *LOOK,
        "I found the person: Kuiper, so the answer is Kuiper.",
        read,
        " Finish\n",
        "Clyde Tombaugh",
        *RIGHT[3:],
    ]
    asked = Question("q-4", "Who discovered Pluto, the first world of the Kuiper belt?", "Clyde Tombaugh")
    trajectory, _ = play(said, CHECKED, seen=PAGE, question=asked)
    assert (trajectory.steps[1].thought, trajectory.reward) == (read.strip(), 1.0)


def test_what_the_page_says_is_answered_after_the_opposite() -> None:
    so, again = " What was read says that it is so", " What was read says that it is so, so the answer is yes."
    said = [*LOOK, "Pluto and far are different, so the answer is no.", " Finish\n", " no", f"{so}.", " wrong",
            again, " Finish\n", " yes", "It says so.", " right"]  # fmt: skip
    far = Question("q-5", "Is Pluto far away?", "yes")
    trajectory, asks = play(said, Limits(checks=True, yes_no=True), cast=GROUP, seen=PAGE, question=far)
    assert (trajectory.answer, trajectory.steps[3].thought) == ("yes", again.strip())
    assert [ask.choices for ask in asks if ask.part == "thought"][2] == (again,)
    assert [ask.choices for ask in asks if ask.part == "argument"][2] == (" yes",)


def test_a_value_of_another_clause_is_read_again_from_the_one_that_says_what_is_needed() -> None:
    read = " I found the person who discovered Pluto: Clyde Tombaugh, so the answer is Clyde Tombaugh."
    wrong = read.strip().replace("Clyde Tombaugh", "Percival Lowell")
    trajectory, asks = play([*LOOK, wrong, read, " Finish\n", "Clyde Tombaugh", *RIGHT[3:]], CHECKED, seen=PAGE,
                            question=PLUTO)  # fmt: skip
    assert (trajectory.steps[1].thought, trajectory.reward) == (read.strip(), 1.0)
    choices = [ask.choices for ask in asks if ask.part == "thought"][2]
    assert read in choices
    assert not any("Lowell" in one for one in choices)


def test_a_refused_answer_leaves_one_more_step_for_another() -> None:
    refused = [*LOOK, "It is Pluto.", " Finish\n", "Pluto", *REFUSED]
    said = [*refused, "It is he.", " Finish\n", " Percival Lowell", "So.", " right"]
    trajectory, asks = play(said, Limits(steps=2, checks=True), seen=PAGE, question=PLUTO)
    assert trajectory.answer == "Percival Lowell"
    assert [ask.choices for ask in asks if ask.part == "action"][2] == (" Finish\n",)


def test_without_reflections_a_refused_answer_stays() -> None:
    said = [*LOOK, "It is Pluto.", " Finish\n", "Pluto", *REFUSED]
    trajectory, _ = play(said, Limits(reflections=0, checks=True), seen=PAGE, question=PLUTO)
    assert (trajectory.answer, trajectory.verdict) == ("Pluto", "wrong")


def test_a_repeated_call_is_evidence_where_certainty_is() -> None:
    said = [*READ, *READ, *RIGHT]
    chances = [
        play(said, Limits(certainty=certain, threshold=0.9), chance=0.6, least=0.5)[0].steps[-1].wrong_chance
        for certain in (True, False)
    ]
    assert chances == [pytest.approx(0.8312, abs=1e-4), 0.4]


def test_a_person_may_overrule_a_check() -> None:
    said = [*LOOK, "It is Pluto.", " Finish\n", "Pluto", REFUSED[0], " right"]
    trajectory, _ = play(said, CHECKED, seen=PAGE, question=PLUTO)
    assert (trajectory.answer, trajectory.verdict) == ("Pluto", "right")
