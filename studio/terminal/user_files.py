"""What is a person's own: keys.toml, colour themes in themes/, the theme chosen last, and the text copied last."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from autoact import disk


def folder() -> Path:
    """AUTOACT_STUDIO, else `studio` in the user's config folder. It need not exist."""
    named = os.environ.get("AUTOACT_STUDIO")
    return Path(named).expanduser() if named else platformdirs.user_config_path("autoact") / "studio"


def read_theme() -> str:
    """Returns the name of the theme that was chosen last; empty when none was, or when the file cannot be read."""
    try:
        return (folder() / "theme").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def remember_theme(name: str) -> None:
    """Keep the name of a theme for the next start. Raises OSError."""
    folder().mkdir(parents=True, exist_ok=True)
    disk.replace(folder() / "theme", f"{name}\n".encode(), durable=False)


def clipboard() -> Path:
    """The file of the text that was copied last: in AUTOACT_STUDIO, else in the user's cache."""
    named = os.environ.get("AUTOACT_STUDIO")
    return (folder() if named else platformdirs.user_cache_path("autoact")) / "clipboard.txt"
