"""Writes trajectories of a run to a file, one JSON object a line, in one of the forms."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from autoact.errors import BadInput
from autoact.files import disk
from autoact.registry.forms import TrajectoryForm
from autoact.registry.registry import load_object
from autoact.trajectory import Trajectory


def write_trajectories(trajectories: Iterable[Trajectory], form: TrajectoryForm, file: Path) -> int:
    """Writes a new file; returns the number of trajectories. After an error there is no file.

    Raises BadInput when the file exists, or for no trajectories; DiskFull when there is no room.
    """
    render = load_object(f"{form.module}:render")
    lines = [orjson.dumps(render(one)) + b"\n" for one in trajectories]
    if not lines:
        raise BadInput("no trajectories to write; --all also writes those that were not kept", file=file)
    try:
        with disk.raise_disk_full(file), disk.new_file(file, mode=disk.WORLD_READABLE) as raw:
            raw.writelines(lines)
    except FileExistsError as error:
        raise BadInput("exists already; it is not written over", file=file) from error
    return len(lines)
