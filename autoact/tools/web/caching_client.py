"""An HTTP client with a cache, retries and Retry-After, whose errors say what a person can do."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import msgspec
import platformdirs

from autoact.english.sentences import shorten
from autoact.errors import ToolFailed
from autoact.files import disk
from autoact.tools.web.client import Client, HttpRequest, HttpResponse

DAY_S = 86_400.0
TRIES = 3
FIRST_PAUSE_S = 0.5
"""Seconds before the second try, doubled for each further one. A time that the host names goes before it."""
LONGEST_REST_S = 3_600.0
"""Seconds: a host that asks for a longer rest is asked again after an hour."""
BUSY = (429, 500, 502, 503, 504)
NOT_DONE = (429, 503)
"""Those of BUSY that promise that nothing was done, so that requests other than GET may be repeated too."""
MOST_KEPT = 2_000
"""Replies in the cache; when there are more, the oldest quarter is removed."""
_ADVICE = {
    400: "the request is not what the host expects; check the tool's settings",
    401: "the key was not accepted; see `autoact secrets list`",
    402: "the host requires payment",
    403: "the host refuses; it may want a key, or a way to reach you in the setting `contact`",
    404: "not found",
    429: "too many requests; try later",
}


@dataclass(frozen=True, slots=True)
class CachingClient:
    """Makes requests through a client. The rest times that hosts ask for are stored for all processes."""

    client: Client
    cache: Path | None = None
    """The folder of cached replies and rest times; None for no cache."""
    fresh_s: float = 7 * DAY_S
    """Seconds for which a cached reply is used; 0 for never. An older one is still used when the host is busy."""
    wait: Callable[[float], None] = field(default=time.sleep)

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Returns a successful reply. Raises ToolFailed with what a person can do."""
        return self.ask_cached(request, self._try)

    def ask_cached(self, request: HttpRequest, ask: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
        """Returns a fresh reply from the cache, else the reply that `ask` gets; an older cached one when `ask`
        fails."""
        kept, age = self._cached(request)
        if kept and age < self.fresh_s:
            return kept
        try:
            reply = ask(request)
        except ToolFailed:
            if kept:
                return kept
            raise
        if self.fresh_s:
            self._store(request, reply)
        return reply

    def _try(self, request: HttpRequest) -> HttpResponse:
        ends = time.monotonic() + self.client.timeout_s
        host = httpx2.URL(request.url).host
        self._rest(host, self.rest_left(host), ends)
        for attempt in range(1, TRIES + 1):
            left = max(ends - time.monotonic(), 0.01)
            reply = replace(self.client, timeout_s=left).fetch(request)
            if reply.status < 300:
                return reply
            again = BUSY if request.method in ("GET", "QUERY") else NOT_DONE
            if reply.status not in again or attempt == TRIES:
                raise ToolFailed(_refusal(reply, host))
            pause = _retry_after(reply)
            if pause is not None:
                self.set_rest(host, pause)
            self._rest(host, FIRST_PAUSE_S * 2 ** (attempt - 1) if pause is None else pause, ends)
        raise AssertionError("the last try returns or raises")

    def _rest(self, host: str, seconds: float, ends: float) -> None:
        """Waits for `seconds`. Raises ToolFailed when there is not enough time left."""
        if seconds <= 0:
            return
        if time.monotonic() + seconds >= ends:
            raise ToolFailed(f"{host} is busy and asks for {seconds:.0f} s of rest; try later or use another source")
        self.wait(seconds)

    def rest_left(self, host: str) -> float:
        """Returns the seconds for which a host must not be asked. They are the modification time of a file, for all
        processes."""
        if self.cache is None:
            return 0.0
        try:
            return min((self.cache / "rest" / host).stat().st_mtime - time.time(), LONGEST_REST_S)
        except OSError:
            return 0.0

    def set_rest(self, host: str, seconds: float) -> None:
        """Stores the time for which a host must not be asked."""
        if self.cache is None:
            return
        file = self.cache / "rest" / host
        until = time.time() + seconds
        with suppress(OSError):  # a cache that cannot be written is not an error
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.touch(0o600)
            os.utime(file, (until, until))

    def _cached(self, request: HttpRequest) -> tuple[HttpResponse | None, float]:
        """Returns the cached reply and its age in seconds."""
        if self.cache is None:
            return None, 0.0
        file = self.cache / _name(request)
        try:
            return msgspec.msgpack.decode(file.read_bytes(), type=HttpResponse), time.time() - file.stat().st_mtime
        except (OSError, msgspec.DecodeError):
            return None, 0.0

    def _store(self, request: HttpRequest, reply: HttpResponse) -> None:
        if self.cache is None:
            return
        with suppress(OSError):
            self.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            disk.replace(self.cache / _name(request), msgspec.msgpack.encode(reply), durable=False)
            kept = sorted(self.cache.glob("*.reply"), key=lambda file: file.stat().st_mtime)
            for old in kept[: MOST_KEPT // 4] if len(kept) > MOST_KEPT else ():
                old.unlink(missing_ok=True)


def default_cache() -> Path:
    """Returns the folder of this user's cached replies."""
    return platformdirs.user_cache_path("autoact") / "web"


def _name(request: HttpRequest) -> str:
    """Returns the file name for a request. Headers do not count, since they hold keys.

    Replies to requests whose headers depend on the question must not be cached.
    """
    asked = msgspec.json.encode([request.method, request.url, dict(request.parameters), request.body.hex()])
    return f"{hashlib.blake2s(asked, digest_size=16).hexdigest()}.reply"


def _retry_after(reply: HttpResponse) -> float | None:
    """Returns the seconds of a Retry-After header, which is a number or a date; None without one."""
    header = reply.headers.get("retry-after", "").strip()
    if not header:
        return None
    if header.isascii() and header.isdigit():
        return float(min(int(header[:9]), int(LONGEST_REST_S)))
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((aware - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_REST_S)


def _refusal(reply: HttpResponse, host: str) -> str:
    """Explains a failure: the host's status, its meaning, and the beginning of the host's own message."""
    meaning = _ADVICE.get(reply.status) or ("the host has an error; try later" if reply.status >= 500 else "")
    try:
        words = shorten(reply.text(), 120) if "html" not in reply.media_type else ""
    except ToolFailed:
        words = ""
    parts = (f"{host} answers {reply.status}", meaning, f"it says: {words}" if words else "")
    return "; ".join(part for part in parts if part)
