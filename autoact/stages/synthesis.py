"""Stage 3: every question through an episode, the meta-agent playing all parts (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from autoact.episode import Limits
from autoact.events import TrajectoryCommitted
from autoact.methods.episode import answer
from autoact.methods.settings import MethodSettings
from autoact.project.config import Synthesis
from autoact.script import Card, Commits, Round, Sampling, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.trajectory import META, Cast, Question, Trajectory


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the seeds' questions and those that are accepted, and how many episodes it has."""
    questions = [*(example.question for example in context.inputs.examples), *context.state.questions]
    settings = context.config.synthesis
    return synthesis(questions, context.meta_card(), settings), len(questions) * settings.samples


def find(name: str, context: StageContext) -> tuple[Unit, Commits] | None:
    """Returns an episode of this stage that has ended, so that it can be forked; None when there is none."""
    trajectory = context.state.trajectories.get(name)
    if trajectory is None:
        return None
    return attempt(name, trajectory.question, context.meta_card(), context.config.synthesis), committed


def synthesis(questions: Sequence[Question], card: Card, settings: Synthesis) -> StageScript:
    """Tries every question `samples` times. All may run at once; they are committed in the questions' order."""
    tries = ((f"t-{question.id}-{sample}", question) for sample in range(settings.samples) for question in questions)
    yield Round([attempt(name, question, card, settings) for name, question in tries], commits=committed)


def attempt(name: str, question: Question, card: Card, settings: Synthesis) -> Unit:
    """Returns the unit of one try."""
    limits = Limits(steps=settings.steps, reflections=settings.reflections)
    how = MethodSettings(card, Cast(META), Sampling(settings.temperature, settings.top_p), limits)
    return Unit(name, lambda: answer(name, question, how), question)


def committed(trajectory: Trajectory, seconds: float, tokens: int) -> TrajectoryCommitted:
    """Returns the event of an episode that came to its end."""
    return TrajectoryCommitted(trajectory)
