"""Finds the run whose log has the answers of a trajectory; those that no model wrote have none."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from autoact.errors import BadInput
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import FROM_FACTS, IMPORTED, MISTAKEN, REPAIRED

WITHOUT_MODEL = {
    FROM_FACTS: "written from facts, without the model", IMPORTED: "imported from another program",
    MISTAKEN: "written from facts, with a mistake, without the model",
    REPAIRED: "a failed try that was continued from facts, without the model",
}  # fmt: skip
"""Ways in which a trajectory is made whose unit has no answers of the model, each in words."""


def find_maker(folder: RunFolder, unit: str) -> RunFolder:
    """Returns the run whose log has the answers of a unit: this one, or the nearest of those on which it is based.

    Returns this run too when the answers are nowhere. Reads whole logs.
    """
    return next((run for run in _lineage(folder) if _has_answers(run, unit)), folder)


def find_base(state: RunState) -> str:
    """Returns the name of the base run according to a run's log; empty if there is none."""
    plan = state.config.get("run")
    return str(plan.get("base", "")) if isinstance(plan, dict) else ""


def explain_absence(state: RunState, unit: str) -> str:
    """Returns why no log has the answers of an ended trajectory; empty if the reason is unknown, or for other units."""
    if (trajectory := state.trajectories.get(unit)) is None:
        return ""
    if trajectory.made in WITHOUT_MODEL:
        return WITHOUT_MODEL[trajectory.made]
    return f"carried over from {base}, whose log is not here" if (base := find_base(state)) else ""


def _lineage(folder: RunFolder) -> Iterator[RunFolder]:
    """Yields a run, its base, the base of that, and so on."""
    seen: set[str] = set()
    while folder.name not in seen:
        seen.add(folder.name)
        yield folder
        if not (name := folder.base_name()):
            return
        folder = RunFolder(folder.path.parent / name)


def _has_answers(run: RunFolder, unit: str) -> bool:
    name = orjson.dumps(unit)
    begins = [b'"type":"model.answered","unit":' + name, b'"type":"unit.forked","unit":' + name]
    try:
        with disk.open_bytes(run.events) as log:
            return any(begin in line for line in log for begin in begins)
    except (OSError, BadInput):  # deleted, or not copied from another machine
        return False
