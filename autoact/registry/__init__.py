"""Tables of stages, methods, engines, environments and roles, to which plug-ins add rows. Imports nothing heavy.

A package adds rows by an entry point of the group `autoact.plugins`: a module that calls `STAGES.add(...)` and the like
when it is imported. `load_plugins` imports these modules; every program calls it when it starts.
"""

from __future__ import annotations

from functools import cache

from autoact.errors import BadInput

PLUGINS = "autoact.plugins"
"""The group of entry points whose modules add rows."""


@cache
def load_plugins() -> None:
    """Imports the modules of installed plug-ins, once. Raises BadInput with the name of one that cannot be imported."""
    from importlib.metadata import entry_points  # help needs none of it

    for entry in entry_points(group=PLUGINS):
        try:
            entry.load()
        except Exception as error:  # boundary: a plug-in may raise anything when it is imported
            raise BadInput(f"the plug-in cannot be loaded: {type(error).__name__}: {error}", key=entry.value) from error
