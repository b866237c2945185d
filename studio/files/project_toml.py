"""The settings in project.toml, changed as a person would: comments and everything else stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from autoact.errors import BadProject
from autoact.files import disk, toml_text
from autoact.project import config
from autoact.project.config import Config


def read(project: Path) -> Config:
    """Raises BadProject with file, line and key."""
    return config.read(project / "project.toml")


def save(project: Path, section: str, values: Mapping[str, object]) -> None:
    """Write what differs in a section. Raises BadProject when the file cannot be read, or a value is of no use."""
    file = project / "project.toml"
    disk.change_file(file, lambda before: _changed(before or b"", file, section, values))


def _changed(before: bytes, file: Path, section: str, values: Mapping[str, object]) -> bytes:
    import tomlkit  # takes a while to import, and most people only look
    from tomlkit.exceptions import ParseError

    try:
        text = before.decode("utf-8")
        toml_text.parse(text)  # within bounds, which the editor's parser does not keep
        document = tomlkit.parse(text)
    except (ValueError, ParseError) as error:
        raise BadProject(f"cannot be edited: {error}", file=file) from error
    if section not in document:
        document[section] = tomlkit.table()
    written: Any = document[section]
    usual = msgspec.to_builtins(getattr(Config(), section))
    for key, value in values.items():
        if written.get(key, usual[key]) != value:
            written[key] = value
    text = tomlkit.dumps(document)
    config.check_values(document.unwrap(), file, text)
    return text.encode()
