"""The folder of a project for what a person exports."""

from __future__ import annotations

from pathlib import Path

from autoact.files import disk


def write_export(project: Path, name: str, data: bytes) -> Path:
    """Writes a file into the folder; returns its path within the project. Raises OSError."""
    file = Path("exports") / name.replace("/", "-")
    (project / file).parent.mkdir(exist_ok=True)
    disk.replace(project / file, data)
    return file
