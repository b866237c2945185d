"""bubblewrap: runs a program in namespaces, with no other processes, no network, and only the files it is given."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

_NAMESPACES = ("--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--as-pid-1")
_PATIENCE = 5.0
"""Seconds for a trial that does nothing."""


def find_bubblewrap() -> str:
    """Returns the path of a bubblewrap that can make its namespaces here; empty when there is none or the kernel
    forbids it."""
    path = shutil.which("bwrap")
    if path is None:
        return ""
    trial = [path, *_NAMESPACES, "--ro-bind", "/", "/", "--dev", "/dev", "--", path, "--version"]
    try:
        ended = subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return path if ended.returncode == 0 else ""


def wrap_command(
    path: str, command: Sequence[str], readable: Iterable[str], devices: Iterable[str], own: str, report: int
) -> list[str]:
    """Returns the command line that runs `command` in namespaces: it may read `readable`, use `devices`, and write in
    the folder `own`.

    Nothing else can be written to: the root that bubblewrap makes is in memory, and so would be a /dev made by it.
    On the descriptor `report`, bubblewrap writes in JSON the process id that `command` has outside.
    """
    binds: list[str] = []
    # Folders come before their contents, which they would cover otherwise.
    for place in sorted(set(readable)):
        if Path(place).exists():
            binds += ["--ro-bind", place, place]
    for device in devices:
        binds += ["--dev-bind", device, device]
    room = ["--bind", own, own, "--remount-ro", "/", "--chdir", own, "--info-fd", str(report)]
    return [path, *_NAMESPACES, *binds, *room, "--", *command]
