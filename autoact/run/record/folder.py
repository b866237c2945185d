"""A run's folder: the path of each file in it, and functions that make, find and list runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autoact.errors import BadInput
from autoact.files import disk, toml_text
from autoact.security import trust

_SESSION = re.compile("-session-[0-9a-f]+$")
"""Matches the end of a session's name."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of a run. Files that the event log does not name may be deleted; they are made again."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def is_session(self) -> bool:
        """Whether it is a session, by its name alone."""
        return _SESSION.search(self.name) is not None

    @property
    def config(self) -> Path:
        """The complete settings of the run, written once."""
        return self.path / "run.toml"

    @property
    def lock(self) -> Path:
        """The job's lock, held while a job lives; its text names the owner. Never deleted."""
        return self.path / "run.lock"

    @property
    def keeper(self) -> Path:
        """The keeper's lock, held while a keeper lives, also between two jobs. Never deleted."""
        return self.path / "keeper.lock"

    @property
    def events(self) -> Path:
        """The event log, from which the state of the run is computed."""
        return self.path / "events.jsonl"

    @property
    def live(self) -> Path:
        """Streaming tokens, for display only; may be deleted at any time."""
        return self.path / "live.jsonl"

    @property
    def heartbeat(self) -> Path:
        """The job's latest heartbeat."""
        return self.path / "pulse.json"

    @property
    def socket(self) -> Path:
        """The socket that takes commands; exists only while a job lives."""
        return self.path / "control.sock"

    @property
    def control(self) -> Path:
        """The folder of commands saved as files, for when the socket cannot be reached."""
        return self.path / "control"

    @property
    def exit(self) -> Path:
        """The exit record that the keeper writes when the job ends."""
        return self.path / "exit.json"

    @property
    def console(self) -> Path:
        """The output of the keeper and the job."""
        return self.path / "console.log"

    @property
    def reserve(self) -> Path:
        """A reserve file, deleted when the disk is full so that the last events can be written."""
        return self.path / "ballast"

    @property
    def examples(self) -> Path:
        return self.path / "examples"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def adapters(self) -> Path:
        return self.path / "adapters"

    @property
    def earlier_adapters(self) -> Path:
        """The adapters of the round before, which try the questions again."""
        return self.path / "earlier"

    @property
    def cards(self) -> Path:
        """The numbers of the GPUs that a queue last gave to this run, with commas between them."""
        return self.path / "cards"

    @property
    def set_aside(self) -> Path:
        """A file with the reason why a later command does not choose this run by itself; absent for most runs."""
        return self.path / "set-aside.txt"

    @property
    def rounds(self) -> Path:
        """The output of the process that plays the rounds after this run."""
        return self.path / "rounds.log"

    @property
    def marks(self) -> Path:
        """A person's marks on practice questions; absent without any."""
        return self.path / "marks.jsonl"

    def read_config(self) -> dict[str, Any]:
        """Returns the settings with which the run was made. Raises BadInput when the file is missing or broken."""
        try:
            return toml_text.parse(disk.read_file(self.config).decode())
        except (OSError, ValueError) as error:  # not TOML, or not UTF-8
            raise BadInput(f"not readable as the settings of a run: {error}", file=self.config) from error

    def stages(self) -> tuple[str, ...]:
        """Returns the stages that the run is to play; none when its settings cannot be read or name none."""
        try:
            planned = self.read_config().get("run", {})
        except BadInput:
            return ()
        found = planned.get("stages", ()) if isinstance(planned, dict) else ()
        return tuple(map(str, found)) if isinstance(found, list | tuple) else ()

    def base_name(self) -> str:
        """Returns the name of the run on which this one is based; empty if there is none, or its settings are
        damaged."""
        try:
            planned = self.read_config().get("run", {})
        except BadInput:
            return ""
        return Path(str(planned.get("base", ""))).name if isinstance(planned, dict) else ""


def new_run(project_root: Path, what: str, config: Mapping[str, Any], *, now: datetime) -> RunFolder:
    """Makes the folder of a new run. `what` becomes part of its name; `config` is written to run.toml."""
    runs = project_root / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(runs / make_run_name(what, now))
    while folder.path.exists():
        folder = RunFolder(runs / make_run_name(what, now))
    folder.path.mkdir(mode=0o700)
    disk.replace(folder.config, to_toml(config).encode())
    disk.sync_folder(runs)
    trust.mark_trusted(folder.path)
    return folder


def list_runs(project_root: Path) -> list[RunFolder]:
    """Returns every run of a project, newest first."""
    found = [RunFolder(config.parent) for config in (project_root / "runs").glob("*/run.toml")]
    return sorted(found, key=_age, reverse=True)


def list_own_runs(project_root: Path) -> Iterator[RunFolder]:
    """Returns the runs that a command may choose by itself, newest first: not untrusted imported ones, nor those set
    aside."""
    own = (run for run in list_runs(project_root) if trust.allows("run", "chosen", run.path))
    return (run for run in own if not run.set_aside.exists())


def latest_run(project_root: Path) -> RunFolder:
    """Returns the newest run of `list_own_runs`. Raises BadInput when there is none."""
    for run in list_own_runs(project_root):
        return run
    problem = "this project has no runs yet"
    if imported := _join_names(list_runs(project_root)):
        problem = f"all runs came from elsewhere; name one with --run, or `autoact trust` it: {imported}"
    raise BadInput(problem, file=project_root / "runs")


def find_run(project_root: Path, which: str | Path) -> RunFolder:
    """Returns the run with this name, with a name that begins so, or at this path.

    Raises BadInput, which lists the runs, when none or more than one matches.
    """
    if (Path(which) / "run.toml").is_file():
        return RunFolder(Path(which))
    runs = list_runs(project_root)
    exact = [run for run in runs if run.name == str(which)]
    matches = exact or [run for run in runs if run.name.startswith(str(which))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise BadInput(f"`{which}` could be any of {_join_names(matches)}", file=project_root / "runs")
    raise BadInput(f"no run `{which}`; there is {_join_names(runs) or 'none yet'}", file=project_root / "runs")


def to_toml(config: Mapping[str, Any]) -> str:
    """Returns settings as TOML, without those that are None. Raises TypeError for values that TOML does not have."""
    import tomlkit  # its import takes 25 ms, and few commands write settings

    return tomlkit.dumps(_without_none(config))


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in table.items()
        if value is not None
    }


def make_run_name(what: str, now: datetime) -> str:
    """Returns a name for a run: the minute, what it is, and a random suffix."""
    word = re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-") or "run"
    return f"{now:%Y-%m-%dT%H%M}-{word}-{os.urandom(2).hex()}"


def _age(run: RunFolder) -> tuple[str, int, str]:
    """Returns a sort key: the minute in the run's name, then the time at which run.toml was written."""
    try:
        written = run.config.stat().st_mtime_ns
    except OSError:  # deleted since it was listed
        written = 0
    return run.name[:15], written, run.name


def _join_names(runs: Iterable[RunFolder], most: int = 8) -> str:
    """Returns the names of the first `most` runs, separated by commas, and the number of the others."""
    names = [run.name for run in runs]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
