"""How a run is, and why: what lock, log, pulse and exit.json say together. Anyone may ask, from any process."""

from __future__ import annotations

import time

from autoact.run import lock
from autoact.run.ending import read_ending
from autoact.run.folder import RunFolder
from autoact.run.pulse import Pulse, read_pulse
from autoact.run.state import RunState

SILENT = 10.0
"""Seconds without a pulse after which a job that holds its lock is unresponsive."""
STILL = 60.0
"""Seconds without a tick, while nothing is being waited for, after which it is stuck."""
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
    `now` is in unix seconds and means the present when left out.
    """
    now = time.time() if now is None else now
    owner = lock.owner(folder)
    if owner is not None and not owner.here:
        return _afar(folder, state, owner.host, now)
    if lock.is_held(folder):
        return _working(folder, state, now)
    # A keeper takes exit.json away when it starts a job, and then puts it back: the lock alone would say "starting"
    # of a run whose keeper is just about to leave.
    kept = lock.is_held(folder, keeper=True)
    if kept and (not folder.exit.exists() or state.status not in ENDED):
        return "starting"
    return state.status if state.status in ENDED else "interrupted"


def cause(folder: RunFolder, state: RunState, found: str, *, now: float | None = None) -> str:
    """Why the verdict `found` is so; empty where it says all there is."""
    now = time.time() if now is None else now
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
        case "starting" | "interrupted":
            return _end(folder, found, now)
    return f"last heartbeat {now - pulse.at:.0f} s ago" if pulse and found.startswith(AFAR) else ""


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
    still = pulse is not None and not pulse.waiting and 0 < pulse.ticked_at < now - STILL
    return "stuck" if still else "running"


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
