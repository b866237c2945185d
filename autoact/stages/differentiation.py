"""Stage 5: kept trajectories become three LoRA sub-agents, each learning its own words (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import partial

from autoact.events import AdapterReady, StageProgressed
from autoact.lessons import lessons
from autoact.project.config import Differentiation
from autoact.script import Lesson, Round, Stage, Train, Unit
from autoact.stages import DIFFERENTIATION
from autoact.trajectory import SUB_AGENTS, Adapter, Role, Trajectory, Verdict


def differentiation(
    trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], settings: Differentiation, seed: int
) -> Stage:
    """Build each sub-agent's lessons, train its adapter, one after the other."""
    for done, role in enumerate(SUB_AGENTS, 1):
        taught = lessons(role, trajectories, verdicts, settings.wrong_share, seed)
        if not taught:
            continue
        (adapter,) = yield Round([Unit(f"train-{role}", partial(train, role, taught))])
        if adapter is not None:
            yield AdapterReady(adapter)
        yield StageProgressed(DIFFERENTIATION, done, len(SUB_AGENTS))


def train(role: Role, lessons: tuple[Lesson, ...]) -> Generator[Train, Adapter, Adapter]:
    """The unit: one wish."""
    return (yield Train(role, lessons))
