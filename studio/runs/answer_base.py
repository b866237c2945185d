"""The run whose adapters answer the questions that a person asks while the studio shows a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autoact.project.config import trained_cast
from autoact.project.trained_runs import find_trained_run
from autoact.registry.stages import DIFFERENTIATION
from autoact.run.record.state import RunState
from studio.runs.follow import Follow
from studio.runs.progress import planned_stages


class AnswerBase:
    """Finds the base of a new session or evaluation; the newest trained run again only when the list has changed."""

    def __init__(self) -> None:
        self.run = ""
        """Its name; empty while there is none."""
        self._seen: Sequence[tuple[str, str]] = ()
        """The runs and verdicts with which the newest trained run was found."""
        self._newest = ""

    def find(self, follow: Follow) -> str:
        """Returns its name: the followed run if that, or its base, has the adapters, else the newest trained run.

        It may read a log: call it in a thread.
        """
        self.run = find_shown_base(follow) or self._find_newest(follow)
        return self.run

    def _find_newest(self, follow: Follow) -> str:
        runs = [(run.folder.name, run.verdict) for run in follow.run_list.runs]
        if runs != self._seen:
            found = find_trained_run(follow.run_list.root)
            self._seen, self._newest = runs, found.name if found else ""
        return self._newest


def find_shown_base(follow: Follow) -> str:
    """Returns the name of the followed run if it has trained all its adapters; if it only answers, of its base.

    Empty for any other run, and for a foreign one.
    """
    state, names = follow.state, {run.folder.name for run in follow.run_list.runs if not run.foreign}
    training = state.stages.get(DIFFERENTIATION)
    complete = training is not None and training.status == "finished"
    if follow.name not in names or not complete or not set(trained_cast(state.config).names()) <= set(state.adapters):
        return ""
    base = base_of(state)
    return base if base in names and DIFFERENTIATION not in planned_stages(state) else follow.name


def base_of(state: RunState) -> str:
    """Returns the name of the base in a run's settings; empty without one."""
    settings = state.config.get("run")
    return str(settings.get("base", "")) if isinstance(settings, Mapping) else ""
