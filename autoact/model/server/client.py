"""HTTP requests to model servers, their addresses and keys, and errors that tell what may be tried again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from autoact.errors import BadInput, ModelFailed
from autoact.security import grants
from autoact.security.secrets import Vault

URLS = "server.urls"
"""The setting that error messages name."""
LONGEST_REASON = 300
"""Most characters of a server's own words in an error message."""
CONNECT_TIMEOUT = 5.0
"""Seconds in which a server must accept a connection."""
LONGEST_WAIT = 120.0
"""Most seconds for which a server's wish to be left alone is heeded."""
END_OF_STREAM = b"[DONE]"


class TryAgain(Exception):
    """A request that failed for a reason that may pass. `wait` is the number of seconds that the server asked for."""

    def __init__(self, message: str, wait: float = 0.0):
        super().__init__(message)
        self.wait = wait


class UnknownName(Exception):
    """The server has no model or adapter of the requested name, or no such endpoint (404)."""


def root_url(url: str, setting: str = URLS) -> str:
    """Returns a server's URL without `/v1` at its end, which the requests add. Raises BadInput.

    A password in the URL would be stored with the settings of every run, so it is refused.
    """
    try:
        parts = urlsplit(url)
        has_password, valid = bool(parts.password), parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        has_password, valid = False, False
    if has_password:
        raise BadInput("a URL holds a password, which runs would store; name a secret in `key`", key=setting)
    if not valid:
        raise BadInput(f"expected a URL such as http://127.0.0.1:8000, not `{url:.80}`", key=setting)
    return url.rstrip("/").removesuffix("/v1")


def read_key(name: str, urls: list[str], section: str) -> str | None:
    """Returns the value of the secret of this name, from a section of the settings; None when the name is empty.

    Raises BadInput when there is no such secret, or this person has not allowed to send it to one of the servers.
    """
    if not name:
        return None
    value = Vault.open().reveal(name)
    if value is None:
        raise BadInput(f"no secret `{name}`: `autoact secrets set {name}`", key=f"{section}.key")
    for url in urls:
        if not grants.allows(name, url):
            raise BadInput(grants.refusal(name, url), key=f"{section}.key")
    return value


class ServerClient:
    """Makes requests to all servers of a run. Used in one asyncio loop."""

    def __init__(self, timeout: float, key: str | None = None, setting: str = URLS):
        """Takes the most seconds without data, the value of the servers' key, and the setting with their addresses."""
        self.timeout, self.setting = timeout, setting
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout), pool=None),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx2.Limits(max_connections=None),
            trust_env=False,
        )

    async def get(self, url: str) -> Any:
        """Returns the JSON of a page. Raises TryAgain, UnknownName, ModelFailed and BadInput."""
        return await self._request("GET", url)

    async def post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """Returns the JSON of a reply, or its text when it is no JSON. Raises as `get` does."""
        return await self._request("POST", url, body, headers)

    async def _request(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        async with self._open(method, url, body, headers) as response:
            data = await response.aread()
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if "json" in response.headers.get("content-type", ""):
                raise TryAgain(f"{place(url)} sent something that is not JSON") from error
            return data.decode("utf-8", "replace")

    async def stream(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> AsyncGenerator[bytes]:
        """Yields the data of each server-sent event. Closing the iterator ends the request. Raises as `get` does."""
        async with self._open("POST", url, body, headers) as response:
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    data = line[5:].strip().encode()
                    if data == END_OF_STREAM:
                        return
                    yield data

    @asynccontextmanager
    async def _open(
        self, method: str, url: str, body: Any, headers: Mapping[str, str] | None
    ) -> AsyncIterator[httpx2.Response]:
        """Opens a response of status 200. Network errors, also those while it is read, are raised as TryAgain."""
        content = None if body is None else msgspec.json.encode(body)
        given = {"Content-Type": "application/json", **(headers or {})}
        try:
            async with self._http.stream(method, url, content=content, headers=given) as response:
                if response.status_code != httpx2.codes.OK:
                    await response.aread()
                    raise_status(response, self.setting)
                yield response
        except httpx2.TimeoutException as error:
            raise TryAgain(f"{place(url)} sent nothing for {self.timeout:g} s") from error
        except httpx2.HTTPError as error:
            raise TryAgain(f"{place(url)} cannot be reached: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()


def raise_status(response: httpx2.Response, setting: str) -> None:
    """Raises the error that a status stands for: one that may pass, one of the settings, or one of this request."""
    status, where = response.status_code, place(str(response.url))
    why = reason(response.content)
    if status in (401, 403):
        hint = f"name the secret that holds its key in `{setting.partition('.')[0]}.key`, and check that key"
        raise BadInput(f"{where} refuses the request ({status}): {hint}", key=setting)
    if status == 404:
        raise UnknownName(f"{where} answered 404: {why}")
    if status in (408, 425, 429) or status >= 500:
        raise TryAgain(f"{where} answered {status}: {why}", retry_after(response))
    raise ModelFailed(f"{where} refused the request ({status}): {why}")


def retry_after(response: httpx2.Response) -> float:
    """Returns the seconds of the header Retry-After; 0 without one, and for a date, which no such server sends."""
    text = response.headers.get("retry-after", "")
    return min(LONGEST_WAIT, float(text)) if text.isascii() and text.isdigit() else 0.0


def reason(data: bytes) -> str:
    """Returns the server's own words for an error, in one line."""
    try:
        found = msgspec.json.decode(data)
        error = found.get("error", found) if isinstance(found, dict) else found
        text = str(error.get("message") or error) if isinstance(error, dict) else str(error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = data.decode("utf-8", "replace")
    return " ".join(text.split())[:LONGEST_REASON] or "no reason given"


def place(url: str) -> str:
    """Returns scheme, host, port and path of a URL, for messages: no user, password or query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
