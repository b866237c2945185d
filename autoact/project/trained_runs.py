"""Finds the runs of a project whose adapters can answer."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from autoact.errors import BadInput
from autoact.project.config import trained_cast
from autoact.registry.stages import DIFFERENTIATION
from autoact.run.record.folder import RunFolder, list_own_runs
from autoact.run.record.log_end import has_finished


def find_trained_run(project_root: Path) -> RunFolder | None:
    """Returns the newest run of the project that trained a group; None when there is none.

    A run that only answered has a copy of the adapters that it used. It counts only when no run that trained adapters
    is left: a stopped evaluation must find the same base again. A run whose training did not finish, which no other can
    continue from, counts only when there is nothing else.
    """
    ready = [folder for folder in list_own_runs(project_root) if _has_adapters(folder)]
    ready.sort(key=lambda folder: DIFFERENTIATION not in folder.stages())  # keeps the newest first
    finished = (folder for folder in ready if has_finished(folder.events, DIFFERENTIATION))
    return next(chain(finished, ready), None)


def _has_adapters(folder: RunFolder) -> bool:
    try:
        names = trained_cast(folder.read_config()).names()
    except BadInput:  # a run whose settings are damaged is no base for others
        return False
    return set(names) <= trained_adapters(folder)


def trained_adapters(folder: RunFolder) -> frozenset[str]:
    """Returns the names of the adapters that a run has trained, or has copied from its base."""
    return frozenset(card.parent.name for card in folder.adapters.glob("*/README.md"))
