"""Stage 3: tries every question in episodes in which the meta-agent plays all parts (paper, section 3.3).

A question that was made of facts also gets a trajectory that is written from them. One that no try answers well may be
tried again with the names of the pages that answer it (rationalisation, after STaR, arXiv 2203.14465); what is learned
from such a trajectory does not have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from autoact.episode import Limits
from autoact.events import TrajectoryCommitted
from autoact.methods.episode import answer_question
from autoact.methods.settings import MethodSettings
from autoact.project.config import Filtering, Synthesis
from autoact.script import Card, Commits, Round, Sampling, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.stages.filtering import find_refusal
from autoact.stages.from_facts import write_from_facts
from autoact.trajectory import HINTED, META, Cast, Question, Trajectory


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the questions of the seeds and the accepted ones, and its trajectories without hints."""
    questions = [*(example.question for example in context.inputs.examples), *context.state.questions]
    settings = context.config.synthesis
    script = synthesis(questions, context.meta_card(), settings, context.config.filtering)
    return script, len(questions) * settings.samples + len(_made_of_facts(questions, settings))


def find(name: str, context: StageContext) -> tuple[Unit, Commits] | None:
    """Returns an ended episode of this stage, so that it can be forked; None when there is none."""
    trajectory = context.state.trajectories.get(name)
    if trajectory is None:
        return None
    settings, hinted = context.config.synthesis, trajectory.made == HINTED
    return make_attempt(name, trajectory.question, context.meta_card(), settings, hinted=hinted), commit_trajectory


def synthesis(questions: Sequence[Question], card: Card, settings: Synthesis, rules: Filtering) -> StageScript:
    """Plays all trajectories; then `hinted` more of questions that have none that the `rules` keep.

    All episodes of a round may run at once.
    """
    written = [
        Unit(f"f-{question.id}", partial(write_from_facts, f"f-{question.id}", question, card), question)
        for question in _made_of_facts(questions, settings)
    ]
    tries = ((f"t-{question.id}-{sample}", question) for sample in range(settings.samples) for question in questions)
    plain = [make_attempt(name, question, card, settings) for name, question in tries]
    done: list[Trajectory | None] = yield Round([*written, *plain], commits=commit_trajectory)
    solved = {one.question.id for one in done if one is not None and not find_refusal(one, rules)}
    hard = [question for question in questions if question.gold and question.id not in solved]
    hints = ((f"h-{question.id}-{sample}", question) for sample in range(settings.hinted) for question in hard)
    hinted = [make_attempt(name, question, card, settings, hinted=True) for name, question in hints]
    if hinted:
        yield Round(hinted, commits=commit_trajectory)


def _made_of_facts(questions: Sequence[Question], settings: Synthesis) -> list[Question]:
    return [question for question in questions if question.evidence] if settings.from_facts else []


def make_attempt(name: str, question: Question, card: Card, settings: Synthesis, *, hinted: bool = False) -> Unit:
    """Returns the unit of one try; a hinted one may take a step for each page and two more."""
    hint = question.gold if hinted else ()
    limits = Limits(steps=max(settings.steps, len(hint) + 2 if hint else 0), reflections=settings.reflections)
    method = MethodSettings(card, Cast(META), Sampling(settings.temperature, settings.top_p), limits, hint)
    return Unit(name, lambda: answer_question(name, question, method), question)


def commit_trajectory(trajectory: Trajectory, seconds: float, tokens: int) -> TrajectoryCommitted:
    """Returns the event of an episode that has ended."""
    return TrajectoryCommitted(trajectory)
