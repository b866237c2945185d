"""The health of a run and its cause, from the locks, log, heartbeat and exit record. Any process may read it."""

from __future__ import annotations

import time

from autoact.errors import BadInput, RunBusy
from autoact.files import disk
from autoact.run.process import lock
from autoact.run.process.exit_record import read_ending
from autoact.run.process.heartbeat import Heartbeat, read_heartbeat
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

SILENT = 10.0
"""Seconds without a heartbeat after which a job that holds its lock is unresponsive."""
STILL, COMPUTING = 60.0, 600.0
"""Seconds without progress after which a job that waits for nothing is stuck: STILL for an idle one, COMPUTING for one
that uses the processor, as in a long step of a large model or on a busy machine."""
BUSY = 0.01
"""Processor seconds per second from which on a job counts as computing."""
WAITS = 5.0
"""Seconds after which the activity that a running job waits for is shown."""
UNREADABLE = "unreadable"
"""The verdict on a run whose lock, log, heartbeat or exit record is not a file, or cannot be read."""
LOST = 60.0
"""Seconds without a heartbeat after which contact with a job on another machine counts as lost."""
ENDED = ("finished", "failed", "cancelled")
ELSEWHERE = ("running on ", "lost sight of ")
"""The beginnings of the verdicts on runs of another machine, before its name."""


def verdict(folder: RunFolder, state: RunState, *, now: float | None = None) -> str:
    """Returns the health of the run in one or a few words.

    starting, running, paused, stuck, unresponsive: it has a job, or a keeper about to start one.
    finished, failed, cancelled: its log has ended. interrupted: it has no job, and its log has not ended.
    running on HOST, lost sight of HOST: it belongs to another machine, whose locks cannot be checked here.
    unreadable: one of its files cannot be read, or is not a file.
    `now` is in unix seconds and means the present when left out.
    """
    if _find_non_file(folder):
        return UNREADABLE
    try:
        return _verdict(folder, state, time.time() if now is None else now)
    except (BadInput, OSError):
        return UNREADABLE


def _verdict(folder: RunFolder, state: RunState, now: float) -> str:
    owner = lock.owner(folder)
    if owner is not None and not owner.is_local:
        return _remote_verdict(folder, state, owner.host, now)
    if lock.is_held(folder):
        return _job_verdict(folder, state, now)
    if lock.is_held(folder, keeper=True) and not (state.status in ENDED and _keeper_had_job(folder)):
        return "starting"
    return state.status if state.status in ENDED else "interrupted"


def _keeper_had_job(folder: RunFolder) -> bool:
    """Returns True when the current keeper has had a job already, which then wrote the end of the log.

    A keeper lives without a job before its first one, and after its last one until it has written the exit record.
    """
    return folder.exit.exists() or (
        folder.lock.exists() and folder.lock.stat().st_mtime_ns >= folder.keeper.stat().st_mtime_ns
    )


def _find_non_file(folder: RunFolder) -> str:
    """Returns the error for a path among those read here that is not a file; empty when there is none."""
    for path in (folder.events, folder.lock, folder.keeper, folder.heartbeat, folder.exit):
        if kind := disk.non_file_kind(path):
            return f"{path.name}: expected a file, found {kind}"
    return ""


def cause(folder: RunFolder, state: RunState, found: str, *, now: float | None = None) -> str:
    """Returns the cause of the verdict `found`; empty where there is nothing to add."""
    now = time.time() if now is None else now
    try:
        return _find_non_file(folder) or _cause(folder, state, found, now)
    except (BadInput, OSError) as error:
        return str(error)


def _cause(folder: RunFolder, state: RunState, found: str, now: float) -> str:
    heartbeat = _owner_heartbeat(folder)
    match found:
        case "failed":
            return state.error
        case "finished" if folder.set_aside.exists():
            why = disk.read_file(folder.set_aside).decode("utf-8", "replace")
            return f"set aside: {why.strip()}"
        case "paused":
            return state.why
        case "stuck" if heartbeat:
            return f"nothing has moved for {now - heartbeat.ticked_at:.0f} s"
        case "unresponsive":
            return f"no heartbeat for {now - _last_heartbeat_at(folder, heartbeat):.0f} s"
        case "running" if heartbeat and heartbeat.doing and now - heartbeat.ticked_at >= WAITS:
            return f"{heartbeat.doing} for {now - heartbeat.ticked_at:.0f} s"
        case "starting" | "interrupted":
            return _cause_of_end(folder, found, now)
    return f"last heartbeat {now - heartbeat.at:.0f} s ago" if heartbeat and found.startswith(ELSEWHERE) else ""


def read_activity(folder: RunFolder) -> str:
    """Returns the activity that the job waits for, such as loading a model; empty without one or without a job."""
    heartbeat = _owner_heartbeat(folder) if is_active(folder) else None
    return heartbeat.doing if heartbeat else ""


def is_active(folder: RunFolder) -> bool:
    """Returns True when the run has a job, or a keeper that may start one, on this machine."""
    return lock.is_held(folder) or lock.is_held(folder, keeper=True)


def check_elsewhere(folder: RunFolder) -> None:
    """Raises RunBusy when the run may have a job on another machine, whose locks cannot be checked here."""
    owner = lock.owner(folder)
    if owner is not None and not owner.is_local:
        found = verdict(folder, RunState.of(folder.events))
        if found.startswith(ELSEWHERE[0]):
            raise RunBusy(f"{folder.name} is {found}: stop it there")


def _remote_verdict(folder: RunFolder, state: RunState, host: str, now: float) -> str:
    if state.status in ENDED:
        return state.status
    heartbeat = _owner_heartbeat(folder)
    return f"running on {host}" if heartbeat and now - heartbeat.at < LOST else f"lost sight of {host}"


def _job_verdict(folder: RunFolder, state: RunState, now: float) -> str:
    heartbeat = _owner_heartbeat(folder)
    if now - _last_heartbeat_at(folder, heartbeat) >= SILENT:
        return "unresponsive"
    if state.status == "paused":
        return "paused"
    return "stuck" if heartbeat and _is_stuck(heartbeat, now) else "running"


def _is_stuck(heartbeat: Heartbeat, now: float) -> bool:
    """Returns True when there has been no progress for longer than STILL or COMPUTING."""
    if heartbeat.waiting or not heartbeat.ticked_at:
        return False
    computes = heartbeat.cpu_s >= BUSY * (heartbeat.at - heartbeat.ticked_at)
    return now - heartbeat.ticked_at > (COMPUTING if computes and heartbeat.cpu_s else STILL)


def _cause_of_end(folder: RunFolder, found: str, now: float) -> str:
    ended, owner = read_ending(folder), lock.owner(folder)
    if ended is not None:
        again = f"; starts again in {max(0, ended.again_at - now):.0f} s" if found == "starting" else ""
        return ended.cause + again
    if found == "starting":
        return ""
    if owner is None:
        return "never began"
    return "the machine stopped" if not owner.of_this_boot else "no keeper was left to see how"


def _owner_heartbeat(folder: RunFolder) -> Heartbeat | None:
    """Returns the current job's heartbeat; None when it is an earlier job's, as while a job starts."""
    heartbeat, owner = read_heartbeat(folder), lock.owner(folder)
    return heartbeat if heartbeat and (owner is None or owner.pid == heartbeat.pid) else None


def _last_heartbeat_at(folder: RunFolder, heartbeat: Heartbeat | None) -> float:
    """Returns the time of the last heartbeat, or before the first the time at which the job took its lock."""
    return heartbeat.at if heartbeat else folder.lock.stat().st_mtime
