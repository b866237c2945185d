"""The result of a program: how it ended, its output and its files."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

End = Literal["finished", "failed", "time", "output", "resources", "killed", "refused"]


class ProgramFile(Struct, frozen=True):
    """A file that the program made in its folder."""

    name: str
    size: int
    """Bytes."""


class ProgramResult(Struct, frozen=True, omit_defaults=True):
    """The result of one program."""

    end: End
    """`finished` and `failed` are the program's own doing; `refused` never started."""
    stdout: str = ""
    """Its output until its end, with the value of a last expression."""
    error: str = ""
    """Its last lines on stderr, or the reason why it was ended."""
    files: tuple[ProgramFile, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
