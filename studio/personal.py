"""The folder of what a person sets up for their own studio: keys.toml, and colour themes in themes/."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def folder() -> Path:
    """AUTOACT_STUDIO, else `studio` in the user's config folder. It need not exist."""
    named = os.environ.get("AUTOACT_STUDIO")
    return Path(named).expanduser() if named else platformdirs.user_config_path("autoact") / "studio"
