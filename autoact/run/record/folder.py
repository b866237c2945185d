"""A run's folder: every name in it, and making, finding and listing runs."""

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


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run keeps its things. Whatever the events do not name may be deleted and rebuilt."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> Path:
        """The resolved settings, written once."""
        return self.path / "run.toml"

    @property
    def lock(self) -> Path:
        """Held while a job lives; its text names the owner. Never deleted."""
        return self.path / "run.lock"

    @property
    def keeper(self) -> Path:
        """Held while a keeper looks after the run, also between two jobs. Never deleted."""
        return self.path / "keeper.lock"

    @property
    def events(self) -> Path:
        """The truth."""
        return self.path / "events.jsonl"

    @property
    def live(self) -> Path:
        """Tokens as they stream; may be deleted at any time."""
        return self.path / "live.jsonl"

    @property
    def pulse(self) -> Path:
        return self.path / "pulse.json"

    @property
    def socket(self) -> Path:
        """Where commands go in; exists only while a job lives."""
        return self.path / "control.sock"

    @property
    def control(self) -> Path:
        """Commands as files, where the socket does not reach."""
        return self.path / "control"

    @property
    def exit(self) -> Path:
        """How the job last ended, as its keeper saw it."""
        return self.path / "exit.json"

    @property
    def console(self) -> Path:
        """Everything the job printed."""
        return self.path / "console.log"

    @property
    def ballast(self) -> Path:
        """Dead weight to throw out when the disk is full, so that the last words can be written."""
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

    def read_config(self) -> dict[str, Any]:
        """The settings as they were when the run was made. Raises BadInput when the file is gone or broken."""
        try:
            return toml_text.parse(disk.read_file(self.config).decode())
        except (OSError, ValueError) as error:  # not TOML, or not UTF-8
            raise BadInput(f"not readable as the settings of a run: {error}", file=self.config) from error

    def stages(self) -> tuple[str, ...]:
        """The stages that the run is to play; none when its settings cannot be read or do not say."""
        try:
            planned = self.read_config().get("run", {})
        except BadInput:
            return ()
        found = planned.get("stages", ()) if isinstance(planned, dict) else ()
        return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def new_run(project_root: Path, what: str, config: Mapping[str, Any], *, now: datetime) -> RunFolder:
    """Make the folder of a new run. `what` becomes part of its name; `config` is kept as run.toml."""
    runs = project_root / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(runs / _name(what, now))
    while folder.path.exists():
        folder = RunFolder(runs / _name(what, now))
    folder.path.mkdir(mode=0o700)
    disk.replace(folder.config, toml(config).encode())
    disk.sync_folder(runs)
    trust.mark_trusted(folder.path)
    return folder


def runs_of(project_root: Path) -> list[RunFolder]:
    """Every run of a project, newest first."""
    found = [RunFolder(config.parent) for config in (project_root / "runs").glob("*/run.toml")]
    return sorted(found, key=_age, reverse=True)


def own_runs(project_root: Path) -> Iterator[RunFolder]:
    """The runs that a command may choose by itself, newest first: those that came from elsewhere are left out."""
    return (run for run in runs_of(project_root) if trust.allows("run", "chosen", run.path))


def latest(project_root: Path) -> RunFolder:
    """The newest run of its own. Raises BadInput when there is none."""
    for run in own_runs(project_root):
        return run
    told = "this project has no runs yet"
    if foreign := _listed(runs_of(project_root)):
        told = f"all runs of this project came from elsewhere; name one with --run, or `autoact trust` it: {foreign}"
    raise BadInput(told, file=project_root / "runs")


def find_run(project_root: Path, which: str | Path) -> RunFolder:
    """The run with this name, this beginning of a name, or at this path.

    Raises BadInput, naming what exists, when that is nothing or more than one.
    """
    if (Path(which) / "run.toml").is_file():
        return RunFolder(Path(which))
    runs = runs_of(project_root)
    exact = [run for run in runs if run.name == str(which)]
    matches = exact or [run for run in runs if run.name.startswith(str(which))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise BadInput(f"`{which}` could be any of {_listed(matches)}", file=project_root / "runs")
    raise BadInput(f"no run `{which}`; there is {_listed(runs) or 'none yet'}", file=project_root / "runs")


def toml(config: Mapping[str, Any]) -> str:
    """Returns settings as TOML; leaves out None, which TOML does not have. Raises TypeError for other values."""
    import tomlkit  # its import takes 25 ms, and few commands write settings

    return tomlkit.dumps(_without_none(config))


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in table.items()
        if value is not None
    }


def _name(what: str, now: datetime) -> str:
    word = re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-") or "run"
    return f"{now:%Y-%m-%dT%H%M}-{word}-{os.urandom(2).hex()}"


def _age(run: RunFolder) -> tuple[str, int, str]:
    """Orders runs by the minute in their name, then by when run.toml was written: it never changes."""
    try:
        written = run.config.stat().st_mtime_ns
    except OSError:  # deleted since it was listed
        written = 0
    return run.name[:15], written, run.name


def _listed(runs: Iterable[RunFolder], most: int = 8) -> str:
    names = [run.name for run in runs]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
