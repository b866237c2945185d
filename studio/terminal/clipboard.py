"""Copies text: always into a file, and through tmux if it runs, else by the terminal (OSC 52)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from autoact.files import disk
from autoact.security.child_process import FOLDER

TMUX = ("tmux", "load-buffer", "-w", "-")
MOST = 55_000
"""Bytes that common terminals accept by OSC 52: 74 KB in base64."""


class Copied(Message):
    """Posted to copy a safe text to the person's clipboard; `before` begins the notice about it."""

    def __init__(self, text: str, before: str = ""):
        self.text, self.before = text, before
        super().__init__()


def save(text: str, file: Path) -> str:
    """Writes a text to a file that only this person can read; returns the notice about it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(file, text.encode("utf-8", "replace"), durable=False)
        file.chmod(0o600)
    except OSError as error:
        return f"not saved in {file}: {error.strerror}"
    return f"saved in {file}"


def copy_by_tmux(text: str) -> bool:
    """Gives a text to tmux, which passes it on to its terminal; returns False without tmux, or if it fails."""
    if not os.environ.get("TMUX"):
        return False
    try:
        done = subprocess.run(
            TMUX, input=text.encode("utf-8", "replace"), check=False, timeout=2, capture_output=True, cwd=FOLDER
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def copy_by_terminal(text: str, write: Callable[[str], None]) -> str:
    """Asks the terminal, which does not confirm it; returns the notice about it."""
    if len(text.encode("utf-8", "replace")) > MOST:
        return "too long for a terminal's clipboard"
    write(text)
    return "copied if the terminal allows it"
