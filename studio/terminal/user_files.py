"""The person's own files: keys.toml, colour themes in themes/, the last theme, the last copied text, and state."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from autoact.files import disk


def folder() -> Path:
    """Returns AUTOACT_STUDIO, else `studio` in the user's config folder. It need not exist."""
    named = os.environ.get("AUTOACT_STUDIO")
    return disk.expand_user(named) if named else platformdirs.user_config_path("autoact") / "studio"


def state_folder() -> Path:
    """Returns the folder for what the studio remembers: AUTOACT_STUDIO, else `studio` in the user's state folder."""
    named = os.environ.get("AUTOACT_STUDIO")
    return folder() if named else platformdirs.user_state_path("autoact") / "studio"


def read_theme() -> str:
    """Returns the name of the last theme; empty when there is none, or when the file cannot be read."""
    try:
        return (folder() / "theme").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def save_theme(name: str) -> None:
    """Saves the name of a theme for the next start. Raises OSError."""
    folder().mkdir(parents=True, exist_ok=True)
    disk.replace(folder() / "theme", f"{name}\n".encode(), durable=False)


def clipboard_file() -> Path:
    """Returns the file for the last copied text: in AUTOACT_STUDIO, else in the user's cache folder."""
    named = os.environ.get("AUTOACT_STUDIO")
    return (folder() if named else platformdirs.user_cache_path("autoact")) / "clipboard.txt"
