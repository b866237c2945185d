"""Stage 5: kept trajectories become LoRA adapters, each learning the parts that it plays (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import partial

from autoact.events import AdapterReady, StageProgressed
from autoact.lessons import lessons
from autoact.project.config import Differentiation
from autoact.registry.stages import DIFFERENTIATION
from autoact.script import Card, Lesson, Round, StageScript, Train, Unit
from autoact.stages.context import StageContext
from autoact.trajectory import Adapter, Trajectory, Verdict


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the trajectories tried and judged so far, and how many adapters it trains."""
    settings, state = context.config.differentiation, context.state
    trajectories = list(state.trajectories.values())
    script = differentiation(
        trajectories, state.verdicts, settings, context.group_card(), seed=context.config.model.seed
    )
    return script, len(settings.adapters)


def differentiation(
    trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], settings: Differentiation, card: Card, *,
    seed: int,
) -> StageScript:  # fmt: skip
    """Builds each adapter's lessons and trains it, one after the other."""
    cast = settings.cast()
    for done, adapter in enumerate(settings.adapters, 1):
        learns = lessons(adapter, cast, trajectories, verdicts, settings.wrong_share, seed)
        if not learns:
            continue
        (trained,) = yield Round([Unit(f"train-{adapter}", partial(train, adapter, learns, card))])
        if trained is not None:
            yield AdapterReady(trained)
        yield StageProgressed(DIFFERENTIATION, done, len(settings.adapters))


def train(adapter: str, lessons: tuple[Lesson, ...], card: Card) -> Generator[Train, Adapter, Adapter]:
    """The unit of one training: a single wish."""
    return (yield Train(adapter, lessons, card))
