"""A run's two locks, held by its job and its keeper for as long as they live; the kernel releases them at death."""

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
from autoact.files import disk, json_file
from autoact.run.record.folder import RunFolder

TRIES, PAUSE = 5, 0.01
"""Attempts to take a lock, and seconds between them: `is_held` in another process holds it for some microseconds."""
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
"""The error numbers of a network file system without locks."""


class Owner(Struct, frozen=True):
    """The process that took a lock last. `boot` and `start` distinguish it from a later one with the same pid."""

    host: str
    boot: str
    """The kernel's boot id; empty where it has none."""
    pid: int
    start: int
    """Clock ticks from boot to the start of the process; 0 where unknown."""

    @classmethod
    def of_this_process(cls) -> Owner:
        return cls(socket.gethostname(), _boot_id(), os.getpid(), _start_ticks())

    @property
    def is_local(self) -> bool:
        """True when it ran on this machine; a boot id identifies the machine after a change of its name."""
        return self.host == socket.gethostname() or (self.boot != "" and self.of_this_boot)

    @property
    def of_this_boot(self) -> bool:
        """True when this machine has not been restarted since."""
        return self.boot == _boot_id()

    @property
    def alive(self) -> bool:
        """True when this process, not a later one with its pid, runs on this machine now."""
        if not self.is_local or not self.of_this_boot:
            return False
        return _start_ticks(self.pid) == self.start and _exists(self.pid)


class RunLock:
    """A held lock: `with RunLock.take(folder): ...`. A run has one for its job and one for its keeper."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        # A forked child (a data-loader worker) shares the open file and would hold the lock after its parent's end.
        os.register_at_fork(after_in_child=self._forget)

    @classmethod
    def take(cls, folder: RunFolder, *, keeper: bool = False, sign: bool = True) -> RunLock:
        """Takes the job's or the keeper's lock; without `sign` its file goes on naming the last owner.

        Raises RunBusy, which names the holder; BadInput on a file system without locks, and when the lock's path is not
        a file.
        """
        descriptor = disk.open_file(_file(folder, keeper), os.O_RDWR | os.O_CREAT)
        try:
            locked = _try_lock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in NO_LOCKS:
                raise
            raise BadInput(f"this file system keeps no locks ({error.strerror})", file=folder.path) from error
        if not locked:
            os.close(descriptor)
            raise busy_error(folder, keeper=keeper)
        if sign:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, msgspec.json.encode(Owner.of_this_process()) + b"\n", 0)
        return cls(descriptor)

    def release(self) -> None:
        """Releases the lock. Its file stays and names the last owner."""
        if self._descriptor >= 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._forget()

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _forget(self) -> None:
        """Closes without unlocking: in a child, unlocking would release the parent's lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(folder: RunFolder, *, keeper: bool = False) -> bool:
    """Returns True while a job, or a keeper, on this host holds its lock. Raises BadInput when it is not a file."""
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
    """Returns the process that took the lock last, also after its release; None when none did or is just writing it.

    Raises BadInput when the lock is not a file.
    """
    return json_file.read_struct(_file(folder, keeper), Owner)


def busy_error(folder: RunFolder, *, keeper: bool = False) -> RunBusy:
    """Returns the error for a lock that is held; it names the owner."""
    signed = owner(folder, keeper=keeper)
    whose = f"process {signed.pid} on {signed.host}" if signed else "a process that has yet to sign"
    return RunBusy(f"{folder.name} {'is looked after by' if keeper else 'belongs to'} {whose}")


def _file(folder: RunFolder, keeper: bool) -> Path:
    return folder.keeper if keeper else folder.lock


def _try_lock(descriptor: int, mode: int) -> bool:
    """Returns True when one of TRIES attempts to lock succeeds."""
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
    # Field 22, counted from the end of the command's name, which may contain spaces and brackets.
    return int(fields.rpartition(")")[2].split()[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
