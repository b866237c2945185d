"""A run's stages over one project's inputs and one world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoact.project.config import Config
from autoact.registry.registry import load
from autoact.registry.stages import STAGES
from autoact.run.conductor.world import World
from autoact.run.record.state import RunState
from autoact.script import Commits, StageScript, Unit
from autoact.stages.context import Inputs, StageContext


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The inputs and the world of a run, from which its stages are made."""

    config: Config
    inputs: Inputs
    world: World
    root: Path
    """The run folder."""

    def begin(self, stage: str, state: RunState) -> tuple[StageScript, int]:
        """Returns a stage's script over what the log holds, and how many results it expects (0: it cannot know)."""
        begun: tuple[StageScript, int] = load(f"{STAGES.get(stage).module}:begin")(self._context(state))
        return begun

    def find(self, unit: str, state: RunState) -> tuple[Unit, Commits] | None:
        """Returns the unit of a finished stage, so that it can be forked; None when no episode has this name."""
        found: Any = None
        for stage in state.stages:
            if found is None and STAGES.get(stage).forkable:
                found = load(f"{STAGES.get(stage).module}:find")(unit, self._context(state))
        return found  # type: ignore[no-any-return]

    def _context(self, state: RunState) -> StageContext:
        return StageContext(self.config, self.inputs, state, self.root, self.world.engine.adapt)
