"""Stage 3: every question through an episode, the meta-agent playing all three parts (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from autoact.episode import Episode, Limits
from autoact.events import TrajectoryCommitted
from autoact.metrics import reward
from autoact.project.config import Synthesis
from autoact.script import Card, Round, Sampling, Stage, Unit
from autoact.trajectory import META, Question, Trajectory


def synthesis(questions: Sequence[Question], card: Card, settings: Synthesis) -> Stage:
    """`samples` tries of every question. All may run at once; they are committed in the questions' order."""
    tries = ((f"t-{question.id}-{sample}", question) for sample in range(settings.samples) for question in questions)
    yield Round([attempt(name, question, card, settings) for name, question in tries], commits=committed)


def attempt(name: str, question: Question, card: Card, settings: Synthesis) -> Unit:
    """One try of a question."""
    sampling = Sampling(settings.temperature, settings.top_p)
    limits = Limits(steps=settings.steps, reflections=settings.reflections)
    return Unit(name, lambda: Episode(name, question, card, META, sampling, limits, reward).play(), question)


def committed(trajectory: Trajectory, seconds: float, tokens: int) -> TrajectoryCommitted:
    """The event of an episode that came to its end."""
    return TrajectoryCommitted(trajectory)
