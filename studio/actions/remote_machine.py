"""The other machine whose project the studio shows, if any, and the results of what is asked of it or of this one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from autoact.run.control.command import Command
from autoact.run.record.folder import RunFolder
from autoact.security import trust

if TYPE_CHECKING:
    from studio.runs.machine import MachineLoad

Delivery = Literal["send", "start", "queue"]
"""The way of commands: to a live job, to one that is started where there is none, or kept for one that loads."""
LOST_ANSWER = "the line was lost before the answer came; look before you repeat it"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The job's decision on a command, and a text about it that may be untrusted."""

    accepted: bool
    text: str


@dataclass(frozen=True, slots=True)
class CliResult:
    """The result of a command. Its texts are untrusted."""

    code: int
    """Exit code: 0 for success; `tools try` and `tools test` exit with 1 when a call failed."""
    output: str
    errors: str

    @property
    def data(self) -> Any:
        """The output parsed as JSON; None when it is none."""
        import orjson  # slow to import

        try:
            return orjson.loads(self.output)
        except orjson.JSONDecodeError:
            return None

    @property
    def reason(self) -> str:
        """The last line of the error output, which says why it failed."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        line = lines[-1] if lines else f"exit code {self.code} without an error message"
        return line.removeprefix("autoact: ").removeprefix("error: ")


class RemoteMachine(Protocol):
    """A machine over a line."""

    @property
    def address(self) -> str:
        """The address that opens its project again."""

    @property
    def text(self) -> str:
        """The name of the machine, or what is the matter with the line."""

    @property
    def lost(self) -> bool:
        """Whether there is no line at present."""

    @property
    def lost_since(self) -> float | None:
        """Unix seconds; None while there is a line."""

    def take_notice(self) -> str:
        """Returns the next text for the person, once; empty without one."""

    def is_trusted(self, folder: Path) -> bool:
        """Returns whether a project or a run, by its folder here, is trusted there."""

    def abandon(self) -> None:
        """Answers all that waits for the line, as the studio ends."""

    def deliver(self, folder: RunFolder, commands: Sequence[Command], how: Delivery) -> CommandResult:
        """Sends commands of one kind to the job of a run there; blocks until they are answered, or the line is lost.

        Then they wait, and the answer comes as a notice.
        """

    def invoke(self, verb: str, words: Sequence[str], options: Sequence[str]) -> Future[CliResult]:
        """Runs a command of `autoact` there."""

    def read_load(self) -> MachineLoad | None:
        """Returns the load of the machine; None without an answer in a few seconds."""


_machine: RemoteMachine | None = None


def current() -> RemoteMachine | None:
    """Returns the other machine; None while the studio shows projects of this one."""
    return _machine


def is_trusted(folder: Path) -> bool:
    """Returns whether a project or a run is trusted where it is."""
    return _machine.is_trusted(folder) if _machine else trust.is_trusted(folder)


def last_seen() -> float | None:
    """Returns the unix time at which the line was lost; None while there is one, or no other machine."""
    return _machine.lost_since if _machine else None


def use(machine: RemoteMachine | None) -> None:
    """Sets the other machine, to which all commands then go."""
    global _machine
    _machine = machine
