"""The command line, environment and working folder of Python programs that AutoAct starts.

Python puts the working folder, or the script's folder, first on its module path. If a person works in an untrusted
folder, a file `torch.py` there would be run instead of the library.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2]
"""The folder of the installed packages, the working folder of every child: an empty entry of PYTHONPATH, PATH or
LD_LIBRARY_PATH means the working folder, which then is a trusted one."""
PATHS = (
    "AUTOACT_DEFAULTS", "AUTOACT_MODELS", "AUTOACT_NOTIFY", "AUTOACT_PROJECTS", "AUTOACT_SECRETS", "AUTOACT_STUDIO",
)  # fmt: skip
"""Variables that hold a path, which may be relative to the person's working folder."""


def python_command(*arguments: str) -> list[str]:
    """Returns the command line of this Python with `arguments`, without the working folder on its module path."""
    return [sys.executable, "-P", *arguments]


def environment() -> dict[str, str]:
    """Returns this process's environment for a child in FOLDER, and for the child's own Python children."""
    absolute = {
        name: os.path.abspath(value)  # noqa: PTH100 - Path would lose the meaning of an empty value
        for name in PATHS
        if (value := os.environ.get(name)) and not value.startswith("~")
    }
    return {**os.environ, **absolute, "PYTHONSAFEPATH": "1"}
