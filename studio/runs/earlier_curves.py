"""Loss curves of a project's earlier runs, read from their logs without decoding other events."""

from __future__ import annotations

from collections.abc import Sequence

from autoact.errors import BadInput, LogDamaged
from autoact.events import TrainStepped
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import unseal
from studio.runs.loss_series import Series

MOST = 4
"""Most earlier runs shown at once."""
STEPPED = b'"type":"train.stepped"'


def read_curves(folders: Sequence[RunFolder]) -> dict[str, list[Series]]:
    """Returns, by role, the curves of the first runs of `folders` that trained. Slow: call it in a thread."""
    found: dict[str, list[Series]] = {}
    count = 0
    for folder in folders:
        known = run_curves(folder)
        for role, series in known.items():
            found.setdefault(role, []).append(series)
        count += bool(known)
        if count == MOST:
            break
    return found


def run_curves(folder: RunFolder) -> dict[str, Series]:
    """Returns one run's curves by role; none when it has not trained."""
    found: dict[str, Series] = {}
    try:
        log = disk.open_bytes(folder.events)
    except (OSError, BadInput):
        return found  # the run's status line shows the error
    with log:
        for line in log:
            if STEPPED not in line:
                continue
            try:
                event = unseal(line).event
            except LogDamaged:
                continue  # the run's status line counts damaged lines
            if isinstance(event, TrainStepped):
                found.setdefault(event.role, Series()).put(event.step, event.loss)
    return found
