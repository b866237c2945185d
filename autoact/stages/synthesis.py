"""Stage 3: tries every question in episodes in which the meta-agent plays all parts (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from autoact.episode import Limits
from autoact.events import TrajectoryCommitted
from autoact.methods.episode import answer_question
from autoact.methods.settings import MethodSettings
from autoact.project.config import Synthesis
from autoact.script import Card, Commits, Round, Sampling, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.trajectory import META, Cast, Question, Trajectory


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the seeds' questions and the accepted ones, and its number of episodes."""
    questions = [*(example.question for example in context.inputs.examples), *context.state.questions]
    settings = context.config.synthesis
    return synthesis(questions, context.meta_card(), settings), len(questions) * settings.samples


def find(name: str, context: StageContext) -> tuple[Unit, Commits] | None:
    """Returns an ended episode of this stage, so that it can be forked; None when there is none."""
    trajectory = context.state.trajectories.get(name)
    if trajectory is None:
        return None
    return make_attempt(name, trajectory.question, context.meta_card(), context.config.synthesis), commit_trajectory


def synthesis(questions: Sequence[Question], card: Card, settings: Synthesis) -> StageScript:
    """Tries every question `samples` times. All episodes may run at once."""
    tries = ((f"t-{question.id}-{sample}", question) for sample in range(settings.samples) for question in questions)
    yield Round([make_attempt(name, question, card, settings) for name, question in tries], commits=commit_trajectory)


def make_attempt(name: str, question: Question, card: Card, settings: Synthesis) -> Unit:
    """Returns the unit of one try."""
    limits = Limits(steps=settings.steps, reflections=settings.reflections)
    method = MethodSettings(card, Cast(META), Sampling(settings.temperature, settings.top_p), limits)
    return Unit(name, lambda: answer_question(name, question, method), question)


def commit_trajectory(trajectory: Trajectory, seconds: float, tokens: int) -> TrajectoryCommitted:
    """Returns the event of an episode that has ended."""
    return TrajectoryCommitted(trajectory)
