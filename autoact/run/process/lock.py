"""A run's locks: a job, and a keeper, live exactly as long as they hold theirs; the kernel lets go when they die."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from functools import cache
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from autoact.errors import BadInput, RunBusy
from autoact.files import disk
from autoact.run.record.folder import RunFolder

TRIES, PAUSE = 5, 0.01
"""A viewer that asks whether the lock is held takes it for microseconds: not a reason to refuse a job."""
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a network file system without locks answers."""


class Owner(Struct, frozen=True):
    """Which process took the lock last. Boot and start tell it from a later one with the same pid."""

    host: str
    boot: str
    """The kernel's boot id; empty where it tells none."""
    pid: int
    start: int
    """Clock ticks from boot to the start of the process; 0 where unknown."""

    @classmethod
    def me(cls) -> Owner:
        return cls(socket.gethostname(), _boot_id(), os.getpid(), _start_ticks())

    @property
    def here(self) -> bool:
        """Whether it ran on this machine: a machine may change its name, and a boot has no second machine."""
        return self.host == socket.gethostname() or (self.boot != "" and self.of_this_boot)

    @property
    def of_this_boot(self) -> bool:
        """Whether the machine has run ever since."""
        return self.boot == _boot_id()

    @property
    def alive(self) -> bool:
        """Whether that very process runs on this machine now, not a later one that was given its number."""
        if not self.here or not self.of_this_boot:
            return False
        return _start_ticks(self.pid) == self.start and _exists(self.pid)


class RunLock:
    """A held lock: `with RunLock.take(folder): ...`. A run has two, one for its job and one for its keeper."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        # A forked child (a data-loader worker) shares the open file and would keep the lock past its parent's end.
        os.register_at_fork(after_in_child=self._forget)

    @classmethod
    def take(cls, folder: RunFolder, *, keeper: bool = False) -> RunLock:
        """Become the run's owner, or its keeper. Raises RunBusy, naming the one who is; BadInput without locks, and
        where something that is no file stands in the lock's place."""
        descriptor = disk.open_file(_file(folder, keeper), os.O_RDWR | os.O_CREAT)
        try:
            locked = _locked(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in NO_LOCKS:
                raise
            raise BadInput(f"this file system keeps no locks ({error.strerror})", file=folder.path) from error
        if not locked:
            os.close(descriptor)
            raise busy(folder, keeper=keeper)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(Owner.me()) + b"\n", 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let go; the text stays and names the last owner."""
        if self._descriptor >= 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._forget()

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _forget(self) -> None:
        """Close without unlocking: in a child, unlocking would take the lock from the parent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(folder: RunFolder, *, keeper: bool = False) -> bool:
    """Whether a job, or a keeper, has the run right now, on this host. Raises BadInput when the lock is no file."""
    try:
        descriptor = disk.open_file(_file(folder, keeper))
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        signed = owner(folder, keeper=keeper)
        return signed is not None and signed.alive
    finally:
        os.close(descriptor)
    return False


def owner(folder: RunFolder, *, keeper: bool = False) -> Owner | None:
    """Who took the lock last, whether or not it still holds it; None when no one did or is just writing its name.

    Raises BadInput when the lock is no file.
    """
    return disk.read_struct(_file(folder, keeper), Owner)


def busy(folder: RunFolder, *, keeper: bool = False) -> RunBusy:
    """The refusal of a lock that is held; it names the owner."""
    signed = owner(folder, keeper=keeper)
    whose = f"process {signed.pid} on {signed.host}" if signed else "a process that has yet to sign"
    return RunBusy(f"{folder.name} {'is looked after by' if keeper else 'belongs to'} {whose}")


def _file(folder: RunFolder, keeper: bool) -> Path:
    return folder.keeper if keeper else folder.lock


def _locked(descriptor: int, mode: int) -> bool:
    for _ in range(TRIES):
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return True
    return False


@cache
def _boot_id() -> str:
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else ""


def _start_ticks(pid: int | str = "self") -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    # Field 22, counted from after the command's name: that may hold spaces and brackets of its own.
    return int(fields.rpartition(")")[2].split()[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
