"""Reflexion (arXiv 2303.11366): after a failed try the model writes a lesson, which the prompt of the next try has.

What tells that a try failed makes three methods, which are never mixed: the gold answer (`reflexion-gold`; the
original's setting, no fair comparison with methods that do not see it), the model's own verdict (`reflexion-self`), or
nothing at all (`retry`: every try is made, no lesson is written, and the last answer counts, as a control that shows
the effect of repetition alone). The first try is as without the method, the others are drawn at SAMPLED.

The original keeps up to three lessons, shows worked examples of lessons, and scores its own answers in some tasks by
tests that it writes; here at most three tries are made, so that two lessons are kept, and no example is shown. With a
limit of tokens, tries are made until it is reached or one succeeds, and the last three lessons are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from msgspec.structs import replace

from autoact import prompts, scratchpad
from autoact.episode import Script
from autoact.errors import BadInput, ContextFull, TokensSpent
from autoact.methods.attempts import MOST_ATTEMPTS, SAMPLED
from autoact.methods.episode import begin_episode, without_reflection
from autoact.methods.settings import MethodSettings
from autoact.registry.roles import role_of
from autoact.script import Answer, Ask, Prompt
from autoact.trajectory import WRONG, Question, Step, Trajectory

TRIES = 3
LESSONS = 3
RETRY, LESSON = "Retry", "Lesson"
LESSON_TOKENS = 60
Judge = Callable[[Trajectory], bool]
"""Returns whether a try failed."""


def reflexion_gold(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Tries again while the gold answer says that a try failed. Raises BadInput, when it begins, without one."""
    if question.answer is None:
        raise BadInput(f"question {question.id} has no gold answer, by which `reflexion-gold` judges its tries")
    return (yield from _try_again(unit, question, without_reflection(settings), lambda made: made.reward < 1))


def reflexion_self(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that tries again while the model calls its own answer wrong, or has none."""
    once = replace(settings, limits=replace(settings.limits, reflections=0))
    return _try_again(unit, question, once, lambda made: made.answer is None or made.verdict == WRONG)


def retry(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that makes every try, and keeps the last answer."""
    return _try_again(unit, question, without_reflection(settings), None)


def _try_again(unit: str, question: Question, settings: MethodSettings, has_failed: Judge | None) -> Script:
    """Plays tries; without `has_failed` all of them. The steps of all follow one another in the trajectory."""
    lessons: list[str] = []
    steps: list[Step] = []
    answered: Trajectory | None = None
    tries = MOST_ATTEMPTS if settings.tokens else TRIES
    for number in range(1, tries + 1):
        drawn = replace(settings, sampling=SAMPLED) if number > 1 else settings
        made = yield from begin_episode(unit, question, drawn, tuple(lessons[-LESSONS:])).play()
        steps += made.steps
        answered = made if made.answer is not None or answered is None else answered
        if number == tries or made.halt == "tokens" or (has_failed and not has_failed(made)):
            break
        if has_failed is None:
            steps.append(Step("", RETRY, str(number + 1)))
            continue
        try:
            lesson = yield from _ask_lesson(made, settings)
        except (ContextFull, TokensSpent):
            break
        lessons.append(f"{LESSON}: {lesson}")
        steps.append(Step("", LESSON, lesson))
    assert answered is not None  # there is at least one try
    return replace(answered, steps=tuple(steps))


def _ask_lesson(made: Trajectory, settings: MethodSettings) -> Generator[Ask, Answer, str]:
    """Asks what to do differently after a failed try."""
    system = prompts.fill("methods/reflexion", task=settings.card.task)
    tried = scratchpad.join_pieces(scratchpad.pieces(made.steps)).rstrip()
    prompt = Prompt(system, f"{scratchpad.render_question(made.question)}\n{tried}", (f"{LESSON}:",))
    adapter = settings.cast.adapter(role_of("reflection"))
    lesson = yield Ask(adapter, "reflection", prompt, limit=LESSON_TOKENS, least=1, sampling=settings.sampling)
    return lesson.text.strip()
