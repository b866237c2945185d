"""The runs that are based on a run, and what deleting that run means for them."""

from __future__ import annotations

from autoact.errors import RunBusy
from autoact.run.process.health import ELSEWHERE, is_active, verdict
from autoact.run.record.folder import RunFolder, list_runs
from autoact.run.record.log_end import read_end

MOST_NAMED = 4
"""The most runs that a text names."""


def list_dependents(folder: RunFolder) -> list[RunFolder]:
    """Returns the runs of the project that took results from this one, newest first."""
    others = list_runs(folder.path.resolve().parent.parent)
    return [run for run in others if run.name != folder.name and run.base_name() == folder.name]


def check_unused(folder: RunFolder) -> None:
    """Raises RunBusy when a run that has a job, or may have one elsewhere, is based on this one."""
    if live := [run for run in list_dependents(folder) if _is_live(run)]:
        verb = "is" if len(live) == 1 else "are"
        raise RunBusy(f"{_names(live)} {verb} based on {folder.name} and still at work; cancel first, then delete")


def describe_loss(folder: RunFolder) -> str:
    """Returns what other runs lose with this one; empty if none is based on it."""
    if not (found := list_dependents(folder)):
        return ""
    what = "1 run is based on it" if len(found) == 1 else f"{len(found)} runs are based on it"
    return (
        f"{what}: {_names(found)}. What was taken over stays there, but not the prompts of those episodes, and a run "
        "that has not taken it over yet cannot be resumed."
    )


def _is_live(run: RunFolder) -> bool:
    return is_active(run) or verdict(run, read_end(run.events)).startswith(ELSEWHERE[0])


def _names(runs: list[RunFolder]) -> str:
    more = f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
    return ", ".join(run.name for run in runs[:MOST_NAMED]) + more
