"""Outcome: how a program ended and what it left behind."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

End = Literal["finished", "failed", "time", "output", "resources", "killed", "refused"]


class ProgramFile(Struct, frozen=True):
    """A file the program made in its folder."""

    name: str
    size: int
    """Bytes."""


class ProgramResult(Struct, frozen=True, omit_defaults=True):
    """One run of a program."""

    end: End
    """`finished` and `failed` are its own doing; `refused` never started."""
    stdout: str = ""
    """What it printed until its end, with the value of a last expression."""
    error: str = ""
    """Its last lines on stderr, or in words what ended it."""
    files: tuple[ProgramFile, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
