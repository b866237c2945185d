"""Python programs that AutoAct starts: their command line, environment and working folder.

Python puts the working folder, or a script's, first on its module path. A person may stand in a folder that others
wrote, where a file `torch.py` would then be run in place of the library.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2]
"""The folder of the installed packages: where every child starts, so that an empty entry of PYTHONPATH, PATH or
LD_LIBRARY_PATH, which means the working folder, leads nowhere else."""
PATHS = ("AUTOACT_MODELS", "AUTOACT_PROJECTS", "AUTOACT_SECRETS", "AUTOACT_STUDIO")
"""Variables that hold a path, perhaps one relative to the folder in which the person stands."""


def python_command(*arguments: str) -> list[str]:
    """Returns the command line that runs this Python with `arguments`, without the working folder on its path."""
    return [sys.executable, "-P", *arguments]


def environment() -> dict[str, str]:
    """Returns this process's environment for a child in FOLDER; it holds for the child's own Python children too."""
    absolute = {
        name: os.path.abspath(value)  # noqa: PTH100 - Path would lose the meaning of an empty value
        for name in PATHS
        if (value := os.environ.get(name)) and not value.startswith("~")
    }
    return {**os.environ, **absolute, "PYTHONSAFEPATH": "1"}
