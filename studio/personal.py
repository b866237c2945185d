"""What is a person's own: the folder of keys.toml and of colour themes in themes/, and the last text they copied."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def folder() -> Path:
    """AUTOACT_STUDIO, else `studio` in the user's config folder. It need not exist."""
    named = os.environ.get("AUTOACT_STUDIO")
    return Path(named).expanduser() if named else platformdirs.user_config_path("autoact") / "studio"


def clipboard() -> Path:
    """The file of the text that was copied last: in AUTOACT_STUDIO, else in the user's cache."""
    named = os.environ.get("AUTOACT_STUDIO")
    return (folder() if named else platformdirs.user_cache_path("autoact")) / "clipboard.txt"
