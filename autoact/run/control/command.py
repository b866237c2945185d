"""Commands: what a person may want of a live run, and the reply."""

from __future__ import annotations

import secrets
from typing import Literal

from msgspec import Struct

Verb = Literal[
    "pause", "resume", "step", "edit", "inject", "retry", "skip", "finish", "fork", "judge", "cancel", "ping"
]


class Command(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One wish. Sending it again with the same id changes nothing."""

    id: str
    do: Verb
    unit: str = ""
    """Which unit it is about; empty for the whole run where that makes sense (pause, resume, step, cancel)."""
    n: int = -1
    """Which answer: the one to edit, the first to ask again, the number of answers a fork replays.
    For judge: 1 to keep the trajectory, 0 to drop it."""
    text: str = ""
    """The new text of an edit or of a fork's last replayed answer; the question to inject; why a
    trajectory is kept or dropped."""
    cast: str = "group"
    """Who answers an injected question."""
    by: str = ""

    @property
    def words(self) -> str:
        """What is wanted of what, for people."""
        return f"{self.do} {self.unit}".rstrip()


class Reply(Struct, frozen=True, omit_defaults=True):
    """What became of a command: the event that accepted it, or why it was refused."""

    id: str
    seq: int = -1
    why: str = ""

    @property
    def accepted(self) -> bool:
        return self.seq >= 0


def new_id() -> str:
    """An id that no other command has."""
    return f"c-{secrets.token_hex(6)}"
