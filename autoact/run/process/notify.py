"""Tells a person about a run from its keeper, or about an experiment from its queue: by a command, a webhook or ntfy.

A failure is printed, never raised. `notification` is imported when it is needed, as it needs the log, and a keeper is
to use little memory.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from autoact.errors import AutoActError, BadInput
from autoact.run.process.heartbeat import read_heartbeat
from autoact.run.record.folder import RunFolder
from autoact.security import child_process

if TYPE_CHECKING:
    from autoact.run.process.notification import KeeperNotices, Notification, Occasion

LOOK = 5.0
"""Seconds between two looks at a run; what is seen twice in a row is told."""
CALM = 10.0
"""Seconds without progress after which a look reads more than the heartbeat."""
TIMEOUT = 15.0
"""Seconds for the command, and for each request."""
PAUSES = (0.0, 2.0, 10.0)
"""Seconds before each try of a request."""
_PRIORITY = {"finished": "default", "failed": "high", "waiting": "high", "stuck": "high"}
_LOCAL = ("127.0.0.1", "::1", "localhost")


def notify(folder: RunFolder, occasion: Occasion) -> None:
    """Tells a person of a run in each of the ways that are set; prints what failed, also unusable settings."""
    from autoact.run.process.notification import make_notification

    _tell(occasion, lambda details: make_notification(folder, occasion, details=details))


def notify_of_queue(project: str, experiment: str, done: int, cells: int) -> None:
    """Tells a person that the queue of an experiment has ended, with the number of its finished cells."""
    from autoact.run.process.notification import Notification

    occasion: Occasion = "finished" if done == cells else "failed"
    _tell(
        occasion,
        lambda details: Notification(occasion, project, done=done, cells=cells, run=experiment if details else ""),
    )


def _tell(occasion: Occasion, make: Callable[[bool], Notification]) -> None:
    """Sends what `make` returns, which is given whether a person wants details."""
    from autoact.run.process.notification import read_settings

    try:
        settings = read_settings()
        if occasion not in settings.occasions:
            return
        told = make(settings.details)
    except (AutoActError, OSError) as error:  # boundary: a run does not depend on notifications
        _print(f"not notified: {error}")
        return
    for failure in send(settings.keeper, told):
        _print(f"not notified: {failure}")


def send(settings: KeeperNotices, told: Notification) -> list[str]:
    """Sends a notification in each of the ways that are set; returns a line for each that failed."""
    ways: list[tuple[str, bool, Callable[[KeeperNotices, Notification], None]]] = [
        ("command", bool(settings.command), _run_command),
        ("webhook", bool(settings.webhook), _post_json),
        ("ntfy", bool(settings.ntfy), _post_to_ntfy),
    ]
    failures = []
    for name, wanted, way in ways:
        try:
            if wanted:
                way(settings, told)
        except (AutoActError, OSError, subprocess.SubprocessError) as error:  # boundary: the other ways are tried
            failures.append(f"{name}: {error}")
    return failures


def _run_command(settings: KeeperNotices, told: Notification) -> None:
    """Runs the command without a shell. Raises AutoActError when it fails."""
    done = subprocess.run(
        [*settings.command, told.text], input=told.to_json(), capture_output=True, check=False, timeout=TIMEOUT,
        env=child_process.environment(), cwd=child_process.FOLDER,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr or done.stdout).decode(errors="replace").strip().rpartition("\n")[2]
        raise AutoActError(f"exit code {done.returncode}" + (f": {last}" if last else ""))


def _post_json(settings: KeeperNotices, told: Notification) -> None:
    _post(settings.webhook, told.to_json(), {"Content-Type": "application/json"})


def _post_to_ntfy(settings: KeeperNotices, told: Notification) -> None:
    headers = {"Title": "AutoAct", "Priority": _PRIORITY[told.occasion], "Content-Type": "text/plain; charset=utf-8"}
    if settings.token:
        headers["Authorization"] = f"Bearer {_token(settings)}"
    _post(settings.ntfy, told.text.encode(), headers)


def _token(settings: KeeperNotices) -> str:
    """Returns the access token. Raises BadInput when it is not stored, or would be sent in the clear."""
    from autoact.security.secrets import Vault

    address = urlsplit(settings.ntfy)
    if address.scheme != "https" and address.hostname not in _LOCAL:
        raise BadInput("a token is sent only to an address that begins with https://", key="keeper.ntfy")
    value = Vault.open().reveal(settings.token)
    if not value:
        raise BadInput(
            f"no secret {settings.token}; `autoact secrets set {settings.token}` stores it", key="keeper.token"
        )
    return value


def _post(address: str, body: bytes, headers: dict[str, str]) -> None:
    """Sends a POST, again when the network or the server fails. Raises AutoActError, which names only the host."""
    import httpx2

    host, error = urlsplit(address).hostname, ""
    for pause in PAUSES:
        time.sleep(pause)
        try:
            status = httpx2.post(address, content=body, headers=headers, timeout=TIMEOUT).status_code
        except (httpx2.HTTPError, httpx2.InvalidURL) as failure:
            error = f"{host} cannot be reached: {failure or type(failure).__name__}"
            continue
        if status < 300:
            return
        error = f"{host} answered with status {status}"
        if status < 500:
            break
    raise AutoActError(error)


class RunWatch:
    """A thread of the keeper, which tells a person once that the run waits, or stands still.

    It reads the heartbeat, and the end of the log only of a run without progress.
    """

    def __init__(self, folder: RunFolder, every: float = LOOK, calm: float = CALM):
        self.folder, self.every, self.calm = folder, every, calm
        self._seen: Occasion | None = None
        self._told: Occasion | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._watch, name="notifications", daemon=True).start()

    def close(self) -> None:
        """Ends the thread before its next look."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self.every):
            self._look()

    def _look(self) -> None:
        found = self._find()
        if found is None:
            self._told = None
        elif found == self._seen and found != self._told and not self._ended.is_set():
            self._told = found
            notify(self.folder, found)
        self._seen = found

    def _find(self) -> Occasion | None:
        heartbeat = read_heartbeat(self.folder)
        if heartbeat is None or time.time() - heartbeat.ticked_at < self.calm:
            return None
        from autoact.run.process.notification import find_occasion

        found = find_occasion(self.folder)
        return found if found in ("waiting", "stuck") else None


def notify_of_end(folder: RunFolder) -> None:
    """Tells a person how a run ended, unless a person ended it."""
    from autoact.run.process.notification import find_occasion

    if (found := find_occasion(folder)) in ("finished", "failed"):
        notify(folder, found)


def _print(line: str) -> None:
    """Prints to the output of the keeper or queue; the keeper's is the run's console.log."""
    print(line, file=sys.stderr, flush=True)
