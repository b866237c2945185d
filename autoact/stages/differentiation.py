"""Stage 5: trains LoRA adapters on kept trajectories, each on the parts that it plays (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import partial

from autoact.events import AdapterReady, StageProgressed
from autoact.lessons import build_lessons
from autoact.project.config import Differentiation
from autoact.registry.stages import DIFFERENTIATION
from autoact.script import Card, Lesson, Round, StageScript, Train, Unit
from autoact.stages.context import StageContext
from autoact.trajectory import Adapter, Trajectory, Verdict


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over all trajectories and verdicts so far, and the number of adapters it trains."""
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
    """Builds the lessons of each adapter and trains it, one adapter after the other."""
    cast = settings.cast()
    for done, adapter in enumerate(settings.adapters, 1):
        found = build_lessons(adapter, cast, trajectories, verdicts, settings.wrong_share, seed)
        if not found:
            continue
        (trained,) = yield Round([Unit(f"train-{adapter}", partial(request_training, adapter, found, card))])
        if trained is not None:
            yield AdapterReady(trained)
        yield StageProgressed(DIFFERENTIATION, done, len(settings.adapters))


def request_training(adapter: str, lessons: tuple[Lesson, ...], card: Card) -> Generator[Train, Adapter, Adapter]:
    """Requests one training; the script of a unit."""
    return (yield Train(adapter, lessons, card))
