"""The settings in project.toml, changed as a person would: comments and everything else stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from autoact import config, disk
from autoact.config import Config
from autoact.errors import BadProject


def read(project: Path) -> Config:
    """Raises BadProject with file, line and key."""
    return config.read(project / "project.toml")


def save(project: Path, section: str, values: Mapping[str, object]) -> None:
    """Write what differs in a section. Raises BadProject when the file cannot be read, or a value is of no use."""
    import tomlkit  # takes a while to import, and most people only look
    from tomlkit.exceptions import ParseError

    file = project / "project.toml"
    try:
        document = tomlkit.parse(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ParseError) as error:
        raise BadProject(f"cannot be edited: {error}", file=file) from error
    if section not in document:
        document[section] = tomlkit.table()
    written: Any = document[section]
    before = msgspec.to_builtins(getattr(Config(), section))
    for key, value in values.items():
        if written.get(key, before[key]) != value:
            written[key] = value
    text = tomlkit.dumps(document)
    config.of_file(document.unwrap(), file, text)
    disk.save(file, text.encode())
