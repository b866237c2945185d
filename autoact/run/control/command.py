"""Commands that a person may send to a running job, and the reply."""

from __future__ import annotations

import getpass
import os
import secrets
from typing import Literal

from msgspec import Struct

Verb = Literal[
    "pause", "resume", "step", "edit", "inject", "retry", "skip", "finish", "fork", "judge", "cancel", "ping"
]


class Command(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One command. Sending it again with the same id has no further effect."""

    id: str
    do: Verb
    unit: str = ""
    """The unit; empty for the whole run, which pause, resume, step and cancel allow."""
    n: int = -1
    """Number of the answer to edit or of the first to ask again; for fork the number of answers that it replays.
    For judge: 1 to keep the trajectory, 0 to drop it."""
    text: str = ""
    """The new text of an edit or of a fork's last replayed answer; the question to inject; the reason why a
    trajectory is kept or dropped."""
    cast: str = "group"
    """The group of roles that answers an injected question."""
    by: str = ""

    @property
    def summary(self) -> str:
        """The command and its unit, for people."""
        return f"{self.do} {self.unit}".rstrip()


class Reply(Struct, frozen=True, omit_defaults=True):
    """The reply to a command: the number of the event that accepted it, or the reason for refusing it."""

    id: str
    seq: int = -1
    why: str = ""

    @property
    def accepted(self) -> bool:
        return self.seq >= 0


def new_id() -> str:
    """Returns an id that no other command has."""
    return f"c-{secrets.token_hex(6)}"


def user_name() -> str:
    """Returns the name of the person at work; the user's number where the system has no name for it, as in some
    containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
