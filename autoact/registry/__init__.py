"""Tables of stages, methods, engines, environments, roles and forms of trajectories, to which plug-ins add rows.

Every package may import it, also commands and the studio: it imports no model library. A plug-in is a package with an
entry point in the group `autoact.plugins`, which names a module that calls `STAGES.add(...)` or the like when it is
imported. Every program calls `load_plugins` when it starts. Begin with `registry`, then `stages`.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from autoact.errors import BadInput

PLUGINS = "autoact.plugins"
"""The group of entry points that name the modules of plug-ins."""


@cache
def load_plugins() -> None:
    """Imports the modules of installed plug-ins, once. Raises BadInput with the name of one that cannot be imported."""
    if not _is_any_installed():
        return
    from importlib.metadata import entry_points

    for entry in entry_points(group=PLUGINS):
        try:
            entry.load()
        except Exception as error:  # boundary: a plug-in may raise anything when it is imported
            raise BadInput(f"the plug-in cannot be loaded: {type(error).__name__}: {error}", key=entry.value) from error


def _is_any_installed() -> bool:
    """Returns whether a package names plug-ins. `entry_points` reads all metadata: ten times the processor time."""
    files = (file for folder in sys.path for file in Path(folder).glob("*-info/entry_points.txt"))
    return any(f"[{PLUGINS}]".encode() in file.read_bytes() for file in files)
