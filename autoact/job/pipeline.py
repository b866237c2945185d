"""The stages of a run, with their settings, inputs and world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoact.model.server.author import AuthoredEngine
from autoact.project.config import Config
from autoact.registry.registry import load_object
from autoact.registry.stages import STAGES
from autoact.run.conductor.world import World
from autoact.run.record.state import RunState
from autoact.script import Commits, StageScript, Unit
from autoact.stages.context import Inputs, StageContext


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Begins the stages of a run with its settings, inputs and world."""

    config: Config
    inputs: Inputs
    world: World
    root: Path
    """The run folder."""

    def begin(self, stage: str, state: RunState) -> tuple[StageScript, int]:
        """Returns a stage's script, and the number of results that it expects (0: unknown)."""
        script, expected = load_object(f"{STAGES.get(stage).module}:begin")(self._context(state))
        engine = self.world.engine
        return engine.watch(stage, script) if isinstance(engine, AuthoredEngine) else script, expected

    def find(self, unit: str, state: RunState) -> tuple[Unit, Commits] | None:
        """Returns the unit of this name of a finished stage, so that it can be forked; None when there is none."""
        found: Any = None
        for stage in state.stages:
            if found is None and STAGES.get(stage).forkable:
                found = load_object(f"{STAGES.get(stage).module}:find")(unit, self._context(state))
        return found  # type: ignore[no-any-return]

    def _context(self, state: RunState) -> StageContext:
        return StageContext(self.config, self.inputs, state, self.root, self.world.engine.adapt)
