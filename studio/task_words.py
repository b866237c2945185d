"""The task's own words in project.toml, changed as a person would: comments and everything else stay."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from autoact import config, disk
from autoact.config import Task
from autoact.errors import BadProject


def read(project: Path) -> Task:
    """Raises BadProject with file, line and key."""
    return config.read(project / "project.toml").task


def save(project: Path, values: Mapping[str, str]) -> None:
    """Write what differs. Raises BadProject when the file cannot be read, or the task would be nonsense."""
    import tomlkit  # takes a while to import, and most people only look
    from tomlkit.exceptions import ParseError

    file = project / "project.toml"
    try:
        document = tomlkit.parse(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ParseError) as error:
        raise BadProject(f"cannot be edited: {error}", file=file) from error
    if "task" not in document:
        document["task"] = tomlkit.table()
    task = document["task"]
    before = Task()
    for key, value in values.items():
        if task.get(key, getattr(before, key)) != value:
            task[key] = value
    text = tomlkit.dumps(document)
    config.of_file(document.unwrap(), file, text)
    mode = stat.S_IMODE(file.stat().st_mode)
    disk.replace(file, text.encode())
    file.chmod(mode)
