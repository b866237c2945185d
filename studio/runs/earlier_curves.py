"""Loss curves of a project's other runs, read from their logs without decoding other events."""

from __future__ import annotations

from collections.abc import Sequence

from autoact.errors import BadInput, LogDamaged
from autoact.events import TrainStepped
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import unseal
from studio.runs.loss_series import RunCurve, Series

MOST = 4
"""Earlier runs shown unless a person chooses others."""
MOST_CHOSEN = 8
"""Most runs that a person chooses."""
STEPPED = b'"type":"train.stepped"'


def read_curves(folders: Sequence[RunFolder], most: int = MOST) -> dict[str, list[RunCurve]]:
    """Returns, by role, the curves of the first `most` runs of `folders` that trained. Slow: call it in a thread."""
    found: dict[str, list[RunCurve]] = {}
    count = 0
    for folder in folders:
        known = run_curves(folder)
        for role, series in known.items():
            found.setdefault(role, []).append(RunCurve(folder.name, series))
        count += bool(known)
        if count == most:
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
