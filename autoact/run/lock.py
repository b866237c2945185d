"""The run's lock: a job is alive exactly as long as it holds this; the kernel lets go when it dies."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from autoact.errors import RunBusy
from autoact.run.folder import RunFolder

TRIES, PAUSE = 5, 0.01
"""A viewer that asks whether the lock is held takes it for microseconds: not a reason to refuse a job."""


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


class RunLock:
    """A held lock: `with RunLock.take(folder): ...`."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        # A forked child (a data-loader worker) shares the open file and would keep the lock past its parent's end.
        os.register_at_fork(after_in_child=self._forget)

    @classmethod
    def take(cls, folder: RunFolder) -> RunLock:
        """Become the run's owner. Raises RunBusy, naming the one who is."""
        descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(descriptor, fcntl.LOCK_EX):
            os.close(descriptor)
            raise RunBusy(f"{folder.name} {_named(owner(folder))}")
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


def is_held(folder: RunFolder) -> bool:
    """Whether a job owns the run right now, on this host."""
    try:
        descriptor = os.open(folder.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def owner(folder: RunFolder) -> Owner | None:
    """Who took the lock last, whether or not it still holds it; None when no one did or is just writing its name."""
    try:
        return msgspec.json.decode(folder.lock.read_bytes(), type=Owner)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _locked(descriptor: int, mode: int) -> bool:
    for _ in range(TRIES):
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return True
    return False


def _named(busy: Owner | None) -> str:
    return f"belongs to process {busy.pid} on {busy.host}" if busy else "belongs to a process that has yet to sign"


def _boot_id() -> str:
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else ""


def _start_ticks() -> int:
    source = Path("/proc/self/stat")
    # Field 22, counted from after the command's name: that may hold spaces and brackets of its own.
    return int(source.read_text().rpartition(")")[2].split()[19]) if source.exists() else 0
