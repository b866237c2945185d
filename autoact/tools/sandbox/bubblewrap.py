"""bubblewrap: namespaces in which a program has its own processes, no network, and only the files it is given."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

_NAMESPACES = ("--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--as-pid-1")
_PATIENCE = 5.0
"""Seconds for an empty trial."""


def find_bubblewrap() -> str:
    """The path of a bubblewrap that can make its namespaces here; empty when there is none or the kernel forbids it."""
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
    """`command` in namespaces of its own, with `readable` to read, `devices` to use and the folder `own` to work in.

    Nothing else can be written to: the root that bubblewrap makes is memory, and so would be the /dev of its own
    making. On the descriptor `report`, bubblewrap tells in JSON which process `command` is outside.
    """
    binds: list[str] = []
    # A folder before what lies in it, which it would cover.
    for place in sorted(set(readable)):
        if Path(place).exists():
            binds += ["--ro-bind", place, place]
    for device in devices:
        binds += ["--dev-bind", device, device]
    room = ["--bind", own, own, "--remount-ro", "/", "--chdir", own, "--info-fd", str(report)]
    return [path, *_NAMESPACES, *binds, *room, "--", *command]
