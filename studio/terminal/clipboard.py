"""Copying so that it arrives: into a file always, through tmux where there is one, else by the terminal (OSC 52)."""

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
"""Bytes that common terminals take by OSC 52: 74 KB in base64."""


class Copied(Message):
    """This text, in which nothing acts, is to go on the person's clipboard; `before` begins what is said of it."""

    def __init__(self, text: str, before: str = ""):
        self.text, self.before = text, before
        super().__init__()


def keep(text: str, file: Path) -> str:
    """Write a text where only this person reads it, over the last one; where that is, in words."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(file, text.encode("utf-8", "replace"), durable=False)
        file.chmod(0o600)
    except OSError as error:
        return f"not kept in {file}: {error.strerror}"
    return f"kept in {file}"


def through_tmux(text: str) -> bool:
    """Hand it to tmux, which passes it on however it is set up; False where there is none that takes it."""
    if not os.environ.get("TMUX"):
        return False
    try:
        done = subprocess.run(
            TMUX, input=text.encode("utf-8", "replace"), check=False, timeout=2, capture_output=True, cwd=FOLDER
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def by_terminal(text: str, write: Callable[[str], None]) -> str:
    """Ask the terminal, which may not listen and does not say; what was done, in words."""
    if len(text.encode("utf-8", "replace")) > MOST:
        return "too long for a terminal's clipboard"
    write(text)
    return "copied if the terminal allows it"
