"""Whether logging out ends what a person started, and a way around it: logind's KillUserProcesses."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from autoact.security.child_process import FOLDER

BOOTED = Path("/run/systemd/system")
"""There when systemd runs the machine."""
SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect")
"""Starts a command under the person's service manager, which `linger` keeps beyond the last logout."""


def ends_processes(booted: Path = BOOTED) -> bool:
    """Whether this login's processes are killed with it, also those with a session of their own."""
    if "XDG_SESSION_ID" not in os.environ or not booted.exists():
        return False
    return _told("loginctl", "show-session", "--property=KillUserProcesses", "--value") == "yes"


def way_around() -> tuple[str, ...]:
    """What to put before a command so that it survives a logout; empty when this machine offers nothing."""
    lingers = _told("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value") == "yes"
    return SCOPE if lingers and _works(*SCOPE, "true") else ()


def warning(booted: Path = BOOTED) -> str:
    """What a person should know before logging out; empty when there is nothing."""
    if ends_processes(booted) and not way_around():
        return "logging out will end this run (logind kills users' processes); `loginctl enable-linger` prevents that"
    return ""


def _told(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER).stdout.strip()


def _works(*command: str) -> bool:
    found = shutil.which(command[0])
    return bool(found) and not subprocess.run(command, capture_output=True, check=False, cwd=FOLDER).returncode
