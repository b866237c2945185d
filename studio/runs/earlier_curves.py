"""Loss curves of a project's earlier runs, picked out of their logs without reading the rest."""

from __future__ import annotations

from collections.abc import Sequence

from autoact import disk
from autoact.errors import BadInput, LogDamaged
from autoact.events import TrainStepped
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import unseal
from studio.runs.loss_series import Series

MOST = 4
"""Earlier runs that are shown at once."""
STEPPED = b'"type":"train.stepped"'


def read_curves(folders: Sequence[RunFolder]) -> dict[str, list[Series]]:
    """By role: the curves of the first runs of `folders` that trained. Slow: call it in a thread."""
    found: dict[str, list[Series]] = {}
    trained = 0
    for folder in folders:
        known = run_curves(folder)
        for role, series in known.items():
            found.setdefault(role, []).append(series)
        trained += bool(known)
        if trained == MOST:
            break
    return found


def run_curves(folder: RunFolder) -> dict[str, Series]:
    """One run's curves by role; none when it has not trained."""
    found: dict[str, Series] = {}
    try:
        log = disk.open_bytes(folder.events)
    except (OSError, BadInput):
        return found  # the run's own status line tells what is wrong with it
    with log:
        for line in log:
            if STEPPED not in line:
                continue
            try:
                event = unseal(line).event
            except LogDamaged:
                continue  # the run's own status line counts its damage
            if isinstance(event, TrainStepped):
                found.setdefault(event.role, Series()).put(event.step, event.loss)
    return found
