"""The messages between the studio and another machine, and their form on the line: a length, then MessagePack."""

from __future__ import annotations

import struct
from typing import IO

import msgspec
from msgspec import Struct

from autoact.errors import AutoActError
from autoact.run.control.command import Command
from studio.actions.remote_machine import CliResult, CommandResult, Delivery
from studio.runs.machine import MachineLoad

PROTOCOL = 1
"""Raised when a message changes, so that two versions that do not understand each other say so."""
MARKER = b"#autoact-studio-serves\n"
"""The line before the first message; what a login shell prints comes before it."""
MOST_NOISE = 64_000
"""The most bytes before the marker."""
LONGEST = 4_000_000
"""The most bytes of a message."""
_LENGTH = struct.Struct(">I")


class BrokenLine(AutoActError):
    """Raised when the line ended, or carried something else than messages."""


# -- from the studio -------------------------------------------------------------------------------------------------


class Present(Struct, tag=True, frozen=True):
    """The files that the studio has already: size in bytes, and the checksum of `files.checksum`."""

    files: dict[str, tuple[int, int]]


class Received(Struct, tag=True, frozen=True):
    """Bytes of files that have arrived since the last such message; 0 says that the studio is still there."""

    size: int


class Deliver(Struct, tag=True, frozen=True):
    """Sends commands of one kind to a run's job."""

    id: int
    run: str
    commands: tuple[Command, ...]
    how: Delivery


class Invoke(Struct, tag=True, frozen=True):
    """Runs a command of `autoact`, as `cli_command.autoact` does."""

    id: int
    verb: str
    words: tuple[str, ...]
    options: tuple[str, ...]


class Save(Struct, tag=True, frozen=True):
    """Replaces a file of the project if its content still has the checksum `was`; None where there is no file."""

    id: int
    file: str
    was: int | None
    data: bytes


class ReadLoad(Struct, tag=True, frozen=True):
    """Asks for the load of the machine."""

    id: int


Request = Deliver | Invoke | Save | ReadLoad
FromStudio = Present | Received | Request

# -- from the other machine ------------------------------------------------------------------------------------------


class Hello(Struct, tag=True, frozen=True):
    """The first message."""

    protocol: int
    version: str
    root: str
    """The project's folder there."""
    run: str
    """The run that was named; empty without one."""


class Refusal(Struct, tag=True, frozen=True):
    """The reason why nothing is served."""

    why: str
    projects: tuple[str, ...] = ()
    """Paths of the projects in the folder that was named; empty for any other reason."""


class Content(Struct, tag=True, frozen=True):
    """The whole of a small file."""

    file: str
    data: bytes


class LogPart(Struct, tag=True, frozen=True):
    """Complete lines of a log, which begin at the byte `at`; what was copied of it from there on is void."""

    file: str
    at: int
    data: bytes


class Gone(Struct, tag=True, frozen=True):
    """A file that was deleted."""

    file: str


class RunStatus(Struct, frozen=True, array_like=True):
    """The state of a run, as far as a copy of its files does not tell it."""

    job: bool
    keeper: bool
    owned: bool
    """Whether a job has ever had its lock."""
    same_boot: bool
    """Whether the machine has not been restarted since."""
    host: str
    """The name of the machine of the job's owner; empty for that of the project."""
    trusted: bool


class StatusUpdate(Struct, tag=True, frozen=True):
    """The runs whose status has changed, by name."""

    now: float
    """Unix seconds, by the clock there."""
    trusted: bool
    """Whether the project is trusted there."""
    runs: dict[str, RunStatus]


class Remaining(Struct, tag=True, frozen=True):
    """The amount that is still to be copied."""

    files: int
    runs: int
    size: int
    """Bytes."""


class Delivered(Struct, tag=True, frozen=True):
    """The answer to Deliver, and to Save."""

    id: int
    result: CommandResult


class Invoked(Struct, tag=True, frozen=True):
    """The answer to Invoke."""

    id: int
    result: CliResult


class Loaded(Struct, tag=True, frozen=True):
    """The answer to ReadLoad."""

    id: int
    load: MachineLoad


class Failed(Struct, tag=True, frozen=True):
    """The answer to a request that ended by an error."""

    id: int
    why: str


Answer = Delivered | Invoked | Loaded | Failed
FromMachine = Hello | Refusal | Content | LogPart | Gone | StatusUpdate | Remaining | Answer

_from_studio: msgspec.msgpack.Decoder[FromStudio] = msgspec.msgpack.Decoder(FromStudio)
_from_machine: msgspec.msgpack.Decoder[FromMachine] = msgspec.msgpack.Decoder(FromMachine)


class MessageStream:
    """One end of the line, with one thread that reads and one that writes."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]):
        self._reader, self._writer = reader, writer

    def write(self, message: FromStudio | FromMachine) -> None:
        """Writes one message. Raises BrokenLine."""
        data = msgspec.msgpack.encode(message)
        try:
            self._writer.write(_LENGTH.pack(len(data)) + data)
            self._writer.flush()
        except (OSError, ValueError) as error:  # closed at the other end, or at this one
            raise BrokenLine(str(error)) from error

    def read_from_studio(self) -> FromStudio:
        """Reads one message. Raises BrokenLine."""
        try:
            return _from_studio.decode(self._read())
        except msgspec.MsgspecError as error:
            raise BrokenLine(f"not a message: {error}") from error

    def read_from_machine(self) -> FromMachine:
        """Reads one message. Raises BrokenLine."""
        try:
            return _from_machine.decode(self._read())
        except msgspec.MsgspecError as error:
            raise BrokenLine(f"not a message: {error}") from error

    def _read(self) -> bytes:
        (size,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if size > LONGEST:
            raise BrokenLine(f"a message of {size:,} bytes; expected at most {LONGEST:,}")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        try:
            data = self._reader.read(size)
        except (OSError, ValueError) as error:
            raise BrokenLine(str(error)) from error
        if len(data) < size:
            raise BrokenLine("the line has ended")
        return data


def skip_noise(reader: IO[bytes]) -> str:
    """Reads up to the marker; returns what came before it. Raises BrokenLine with that text when none comes."""
    noise = bytearray()
    while len(noise) < MOST_NOISE:
        text = reader.readline(MOST_NOISE)
        if text == MARKER:
            return noise.decode("utf-8", "replace")
        if not text:
            break
        noise += text
    raise BrokenLine(noise.decode("utf-8", "replace").strip() or "the line has ended")
