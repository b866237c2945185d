"""Protection of runs from logind's KillUserProcesses, which kills a person's processes at logout."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from autoact.security.child_process import FOLDER

BOOTED = Path("/run/systemd/system")
"""A folder that exists when systemd runs the machine."""
SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect")
"""A command that starts another under the person's service manager, which `linger` keeps alive after logout."""


def ends_processes(booted: Path = BOOTED) -> bool:
    """Returns True when logging out kills this login's processes, also those with a session of their own."""
    if "XDG_SESSION_ID" not in os.environ or not booted.exists():
        return False
    return _run("loginctl", "show-session", "--property=KillUserProcesses", "--value") == "yes"


def logout_prefix() -> tuple[str, ...]:
    """Returns the arguments before a command that let it survive a logout; empty when the machine cannot do that."""
    lingers = _run("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value") == "yes"
    return SCOPE if lingers and _works(*SCOPE, "true") else ()


def warning(booted: Path = BOOTED) -> str:
    """Returns a warning when logging out will end runs; otherwise an empty string."""
    if ends_processes(booted) and not logout_prefix():
        return "logging out will end this run (logind kills users' processes); `loginctl enable-linger` prevents that"
    return ""


def _run(*command: str) -> str:
    """Returns the output of a command; empty where the program is not installed."""
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER).stdout.strip()


def _works(*command: str) -> bool:
    """Returns True when the command is installed and exits with 0."""
    found = shutil.which(command[0])
    return bool(found) and not subprocess.run(command, capture_output=True, check=False, cwd=FOLDER).returncode
