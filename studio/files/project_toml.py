"""Reads and edits project.toml; comments, order and unknown parts stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from autoact.errors import BadProject
from autoact.files import disk, toml_text
from autoact.project import config_file
from autoact.project.config import Config


def read(project: Path) -> Config:
    """Reads the settings of a project. Raises BadProject with file, line and key."""
    return config_file.read(project / "project.toml")


def save(project: Path, section: str, values: Mapping[str, object]) -> None:
    """Writes the changed values of a section. Raises BadProject if the file cannot be read or a value is invalid."""
    save_sections(project, {section: values})


def save_sections(project: Path, sections: Mapping[str, Mapping[str, object]]) -> tuple[bytes | None, bytes]:
    """Writes the changed values of several sections, or none; returns the file before and after. Raises as `save`."""
    file = project / "project.toml"
    contents: list[tuple[bytes | None, bytes]] = []

    def edit(before: bytes | None) -> bytes:
        contents.append((before, _edit(before or b"", file, sections)))
        return contents[-1][1]

    disk.change_file(file, edit)
    return contents[-1]


def _edit(before: bytes, file: Path, sections: Mapping[str, Mapping[str, object]]) -> bytes:
    import tomlkit  # slow to import, and rarely needed
    from tomlkit.exceptions import ParseError

    try:
        text = before.decode("utf-8")
        toml_text.parse(text)  # checks limits that tomlkit does not
        document = tomlkit.parse(text)
    except (ValueError, ParseError) as error:
        raise BadProject(f"cannot be edited: {error}", file=file) from error
    known = config_file.read(file) if before else Config()
    for section, values in sections.items():
        if section not in document:
            document[section] = tomlkit.table()
        written: Any = document[section]
        usual = msgspec.to_builtins(getattr(known, section))
        for key, value in values.items():
            if written.get(key, usual[key]) != value:
                written[key] = value
    text = tomlkit.dumps(document)
    checked = config_file.check_values(document.unwrap(), file, text)
    for dotted in checked.task.blank_keys():
        if dotted.removeprefix("task.") in sections.get("task", ()):
            raise BadProject("expected a text, found nothing", file=file, key=dotted)
    return text.encode()
