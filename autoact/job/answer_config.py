"""The settings of runs that only answer questions: of a command, an evaluation or a session."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from autoact.errors import BadInput
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.project.trained_runs import find_trained_run, trained_adapters
from autoact.registry.methods import METHODS
from autoact.registry.stages import GROUP_PLANNING
from autoact.run.record.folder import RunFolder, find_run


def make_answer_config(
    project: Project, base: str, casts: tuple[str, ...], stages: tuple[str, ...] = (GROUP_PLANNING,), **plan: Any
) -> Config:
    """Returns the project's settings for a run with the adapters of an earlier one: `base`, or the newest with some.

    Raises BadInput when a cast needs adapters and no run has trained them.
    """
    config = project.config()
    found = find_run(project.root, base) if base else find_trained_run(project.root)
    if found is None and any(METHODS.get(cast).needs_adapters for cast in casts):
        raise BadInput(
            "no run of this project has trained a group yet: `autoact run` trains one, and the method `meta` needs none"
        )
    if found is not None:
        _check_adapters(found, casts)
    planned = replace(config.run, stages=stages, base=found.name if found else "", **plan)
    return replace(config, run=planned, group_planning=replace(config.group_planning, compare=casts))


def _check_adapters(base: RunFolder, casts: tuple[str, ...]) -> None:
    """Raises BadInput when a method has an adapter of its own that the base has not trained."""
    trained = trained_adapters(base)
    for cast in casts:
        for name in METHODS.get(cast).cast.names():
            if name not in trained:
                raise BadInput(
                    f"the method `{cast}` needs an adapter `{name}`, and run {base.name} has trained "
                    f"{', '.join(sorted(trained)) or 'none'}",
                    key="differentiation.adapters",
                )
