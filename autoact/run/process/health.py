"""How a run is, and why: what lock, log, pulse and exit.json say together. Anyone may ask, from any process."""

from __future__ import annotations

import time

from autoact.errors import BadInput
from autoact.files import disk
from autoact.run.process import lock
from autoact.run.process.exit_record import read_ending
from autoact.run.process.heartbeat import Pulse, read_pulse
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

SILENT = 10.0
"""Seconds without a pulse after which a job that holds its lock is unresponsive."""
STILL, COMPUTING = 60.0, 600.0
"""Seconds without a tick, while nothing is being waited for, after which it is stuck: when it does nothing, and when it
computes all the while, as in a long step of a large model or on a busy machine."""
BUSY = 0.01
"""Processor seconds in a second from which on a job computes."""
WAITS = 5.0
"""Seconds after which a person is told what a running job waits for."""
UNREADABLE = "unreadable"
"""The verdict on a run whose lock, log, heartbeat or ending is no file, or cannot be read."""
LOST = 60.0
"""Seconds without a pulse after which a job on another machine is lost sight of."""
ENDED = ("finished", "failed", "cancelled")
AFAR = ("running on ", "lost sight of ")
"""Beginnings of the verdicts on another machine's runs; its name follows."""


def verdict(folder: RunFolder, state: RunState, *, now: float | None = None) -> str:
    """How the run is.

    starting, running, paused, stuck, unresponsive: it has a job, or a keeper about to start one.
    finished, failed, cancelled: the log's last word. interrupted: neither job nor last word.
    running on HOST, lost sight of HOST: another machine's, whose lock says nothing here.
    unreadable: something that is no file, or that may not be read, stands in the place of one of the run's files.
    `now` is in unix seconds and means the present when left out.
    """
    if _trouble(folder):
        return UNREADABLE
    try:
        return _verdict(folder, state, time.time() if now is None else now)
    except (BadInput, OSError):
        return UNREADABLE


def _verdict(folder: RunFolder, state: RunState, now: float) -> str:
    owner = lock.owner(folder)
    if owner is not None and not owner.here:
        return _afar(folder, state, owner.host, now)
    if lock.is_held(folder):
        return _working(folder, state, now)
    if lock.is_held(folder, keeper=True) and not (state.status in ENDED and _had_a_job(folder)):
        return "starting"
    return state.status if state.status in ENDED else "interrupted"


def _had_a_job(folder: RunFolder) -> bool:
    """Whether the keeper that has the run has had a job already: then the log's last word is that job's.

    A keeper is alone with the run before its first job and after its last one, until it has written how that ended.
    """
    return folder.exit.exists() or (
        folder.lock.exists() and folder.lock.stat().st_mtime_ns >= folder.keeper.stat().st_mtime_ns
    )


def _trouble(folder: RunFolder) -> str:
    """What is no file among the files that tell how a run is; empty when all is well."""
    for path in (folder.events, folder.lock, folder.keeper, folder.pulse, folder.exit):
        if kind := disk.non_file_kind(path):
            return f"{path.name}: expected a file, found {kind}"
    return ""


def cause(folder: RunFolder, state: RunState, found: str, *, now: float | None = None) -> str:
    """Why the verdict `found` is so; empty where it says all there is."""
    now = time.time() if now is None else now
    try:
        return _trouble(folder) or _cause(folder, state, found, now)
    except (BadInput, OSError) as error:
        return str(error)


def _cause(folder: RunFolder, state: RunState, found: str, now: float) -> str:
    pulse = _pulse_of_owner(folder)
    match found:
        case "failed":
            return state.error
        case "paused":
            return state.why
        case "stuck" if pulse:
            return f"nothing has moved for {now - pulse.ticked_at:.0f} s"
        case "unresponsive":
            return f"no heartbeat for {now - _beaten(folder, pulse):.0f} s"
        case "running" if pulse and pulse.doing and now - pulse.ticked_at >= WAITS:
            return f"{pulse.doing} for {now - pulse.ticked_at:.0f} s"
        case "starting" | "interrupted":
            return _end(folder, found, now)
    return f"last heartbeat {now - pulse.at:.0f} s ago" if pulse and found.startswith(AFAR) else ""


def doing(folder: RunFolder) -> str:
    """What the run's job waits for, such as its model; empty while it works, and for a run without a job here."""
    pulse = _pulse_of_owner(folder) if attended(folder) else None
    return pulse.doing if pulse else ""


def attended(folder: RunFolder) -> bool:
    """Whether a job is at work on the run on this machine, or a keeper is about to start one."""
    return lock.is_held(folder) or lock.is_held(folder, keeper=True)


def _afar(folder: RunFolder, state: RunState, host: str, now: float) -> str:
    if state.status in ENDED:
        return state.status
    pulse = _pulse_of_owner(folder)
    return f"running on {host}" if pulse and now - pulse.at < LOST else f"lost sight of {host}"


def _working(folder: RunFolder, state: RunState, now: float) -> str:
    pulse = _pulse_of_owner(folder)
    if now - _beaten(folder, pulse) >= SILENT:
        return "unresponsive"
    if state.status == "paused":
        return "paused"
    return "stuck" if pulse and _still(pulse, now) else "running"


def _still(pulse: Pulse, now: float) -> bool:
    """Whether nothing has moved for longer than it may take."""
    if pulse.waiting or not pulse.ticked_at:
        return False
    computes = pulse.cpu_s >= BUSY * (pulse.at - pulse.ticked_at)
    return now - pulse.ticked_at > (COMPUTING if computes and pulse.cpu_s else STILL)


def _end(folder: RunFolder, found: str, now: float) -> str:
    ended, owner = read_ending(folder), lock.owner(folder)
    if ended is not None:
        again = f"; starts again in {max(0, ended.again_at - now):.0f} s" if found == "starting" else ""
        return ended.cause + again
    if found == "starting":
        return ""
    if owner is None:
        return "never began"
    return "the machine stopped" if not owner.of_this_boot else "no keeper was left to see how"


def _pulse_of_owner(folder: RunFolder) -> Pulse | None:
    """The pulse unless an earlier attempt left it: a job that is just starting has none, but is not silent."""
    pulse, owner = read_pulse(folder), lock.owner(folder)
    return pulse if pulse and (owner is None or owner.pid == pulse.pid) else None


def _beaten(folder: RunFolder, pulse: Pulse | None) -> float:
    """When the job last gave a sign; taking the lock is the first."""
    return pulse.at if pulse else folder.lock.stat().st_mtime
