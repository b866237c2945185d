"""A considerate visitor: remembers what it was told, waits when asked to, tries again a few times, and says why not."""

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

from autoact import disk
from autoact.errors import ToolFailed
from autoact.tools.pages.sentences import shorten
from autoact.tools.web.client import Client, HttpRequest, HttpResponse

DAY_S = 86_400.0
TRIES = 3
FIRST_PAUSE_S = 0.5
"""Before the second try; it doubles with each. A host that names a time of its own is obeyed."""
LONGEST_REST_S = 3_600.0
"""A host that asks for more is asked again after an hour."""
BUSY = (429, 500, 502, 503, 504)
UNHEARD = (429, 503)
"""Of these, the ones that promise that nothing was done, so that even an order may be given again."""
MOST_KEPT = 2_000
"""Replies in the cache; then the oldest quarter goes."""
_ADVICE = {
    400: "the request is not what the host expects; look at the tool's settings",
    401: "the key was not accepted; look at `autoact secrets list`",
    402: "the host wants to be paid",
    403: "the host refuses; it may want a key, or a way to reach you in the setting `contact`",
    404: "nothing is there",
    429: "too many questions; try later",
}


@dataclass(frozen=True, slots=True)
class CachingClient:
    """Asks through a client, with manners. Hosts that asked for a rest are remembered across runs."""

    client: Client
    cache: Path | None = None
    """The folder of replies and of resting hosts; None remembers nothing."""
    fresh_s: float = 7 * DAY_S
    """How long a reply is as good as a new one; 0 asks every time. A stale one still serves while a host is busy."""
    wait: Callable[[float], None] = field(default=time.sleep)

    def ask(self, request: HttpRequest) -> HttpResponse:
        """A reply with a status of success. Raises ToolFailed with what to do about it."""
        return self.remembered(request, self._tried)

    def remembered(self, request: HttpRequest, ask: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
        """What the cache knows of the request, or else what `ask` brings; its failures pass when the cache is empty."""
        kept, age = self._kept(request)
        if kept and age < self.fresh_s:
            return kept
        try:
            reply = ask(request)
        except ToolFailed:
            if kept:
                return kept
            raise
        if self.fresh_s:
            self._keep(request, reply)
        return reply

    def _tried(self, request: HttpRequest) -> HttpResponse:
        ends = time.monotonic() + self.client.timeout_s
        host = httpx2.URL(request.url).host
        self._rest(host, self.rest_left(host), ends)
        for attempt in range(1, TRIES + 1):
            left = max(ends - time.monotonic(), 0.01)
            reply = replace(self.client, timeout_s=left).fetch(request)
            if reply.status < 300:
                return reply
            again = BUSY if request.method in ("GET", "QUERY") else UNHEARD
            if reply.status not in again or attempt == TRIES:
                raise ToolFailed(_refusal(reply, host))
            pause = _asked_pause(reply)
            if pause is not None:
                self.leave_alone(host, pause)
            self._rest(host, FIRST_PAUSE_S * 2 ** (attempt - 1) if pause is None else pause, ends)
        raise AssertionError("the last try returns or raises")

    def _rest(self, host: str, seconds: float, ends: float) -> None:
        """Wait, if there is time for it."""
        if seconds <= 0:
            return
        if time.monotonic() + seconds >= ends:
            raise ToolFailed(f"{host} is busy and asks for {seconds:.0f} s of rest; try later or use another source")
        self.wait(seconds)

    def rest_left(self, host: str) -> float:
        """Seconds for which a host is to be left alone; the time of change of its file says it to every process."""
        if self.cache is None:
            return 0.0
        try:
            return min((self.cache / "rest" / host).stat().st_mtime - time.time(), LONGEST_REST_S)
        except OSError:
            return 0.0

    def leave_alone(self, host: str, seconds: float) -> None:
        """Remember a host's wish."""
        if self.cache is None:
            return
        file = self.cache / "rest" / host
        until = time.time() + seconds
        with suppress(OSError):  # a cache that cannot be written is no reason to fail
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.touch(0o600)
            os.utime(file, (until, until))

    def _kept(self, request: HttpRequest) -> tuple[HttpResponse | None, float]:
        """What the cache holds, and its age in seconds."""
        if self.cache is None:
            return None, 0.0
        file = self.cache / _name(request)
        try:
            return msgspec.msgpack.decode(file.read_bytes(), type=HttpResponse), time.time() - file.stat().st_mtime
        except (OSError, msgspec.DecodeError):
            return None, 0.0

    def _keep(self, request: HttpRequest, reply: HttpResponse) -> None:
        if self.cache is None:
            return
        with suppress(OSError):
            self.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            disk.replace(self.cache / _name(request), msgspec.msgpack.encode(reply), durable=False)
            kept = sorted(self.cache.glob("*.reply"), key=lambda file: file.stat().st_mtime)
            for old in kept[: MOST_KEPT // 4] if len(kept) > MOST_KEPT else ():
                old.unlink(missing_ok=True)


def default_cache() -> Path:
    """Where this user's replies are kept."""
    return platformdirs.user_cache_path("autoact") / "web"


def _name(request: HttpRequest) -> str:
    """A file name for what is asked for. Headers do not count: they hold keys, and say nothing of the question."""
    asked = msgspec.json.encode([request.method, request.url, dict(request.parameters), request.body.hex()])
    return f"{hashlib.blake2s(asked, digest_size=16).hexdigest()}.reply"


def _asked_pause(reply: HttpResponse) -> float | None:
    """Seconds that a host asks for, told as a number or as a date; None when it does not say."""
    told = reply.headers.get("retry-after", "").strip()
    if not told:
        return None
    if told.isascii() and told.isdigit():
        return float(min(int(told[:9]), int(LONGEST_REST_S)))
    try:
        date = parsedate_to_datetime(told)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((aware - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_REST_S)


def _refusal(reply: HttpResponse, host: str) -> str:
    """Why it did not work: the host's status, what that means, and the first of its own words."""
    meaning = _ADVICE.get(reply.status) or ("the host is in trouble; try later" if reply.status >= 500 else "")
    try:
        words = shorten(reply.text(), 120) if "html" not in reply.media_type else ""
    except ToolFailed:
        words = ""
    parts = (f"{host} answers {reply.status}", meaning, f"it says: {words}" if words else "")
    return "; ".join(part for part in parts if part)
