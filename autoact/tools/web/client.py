"""The HTTP client: one guarded request at a time, with limits on redirects, bytes and seconds."""

from __future__ import annotations

import codecs
import re
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpcore2
import httpx2
import msgspec
from msgspec import Struct

from autoact import __version__
from autoact.errors import ToolFailed
from autoact.tools.web.guard import Guard, Refused

MOST_REDIRECTS = 5
MOST_ADDRESSES = 4
"""Addresses of a host that are tried in turn."""
_CHUNK = 65_536
_NETWORK_ERRORS = (httpx2.HTTPError, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol)
_CHARSETS = re.compile(
    r"ascii|utf-(?:8|16|16-be|16-le)|iso8859-(?:[1-9]|1[03-6])|cp(?:125[0-8]|866|874|932|949)|koi8-[ru]|mac-cyrillic|"
    r"mac-roman|gbk|gb2312|gb18030|big5|big5hkscs|euc_jp|euc_kr|iso2022_jp|shift_jis"
)
"""The charsets of the web, by Python's names. Python has others, of which punycode takes quadratic time."""
_TEXTS = ("application/json", "application/xml", "application/xhtml+xml", "application/sparql-results+json")


class HttpRequest(Struct, frozen=True):
    """One request."""

    url: str
    method: str = "GET"
    parameters: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """May hold a key; they are not sent to another host after a redirect."""
    body: bytes = b""


class HttpResponse(Struct, frozen=True):
    """The response after the last redirect."""

    url: str
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def media_type(self) -> str:
        """Returns the type without parameters, as `text/html`; empty where the server gave none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().casefold()

    def text(self) -> str:
        """Returns the body as text. Raises ToolFailed for pictures, archives and other binary types."""
        kind = self.media_type
        if kind and not kind.startswith("text/") and kind not in _TEXTS and not kind.endswith(("+json", "+xml")):
            raise ToolFailed(f"{_host(self.url)} sent {kind} where text was expected")
        _, _, named = self.headers.get("content-type", "").casefold().partition("charset=")
        return self.body.decode(_charset(named.split(";")[0].strip(" \"'")), "replace")

    def json(self) -> Any:
        """Returns the body as JSON. Raises ToolFailed when it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ToolFailed(f"{_host(self.url)} sent something that is not JSON") from error


@dataclass(frozen=True, slots=True)
class Client:
    """Makes requests within its limits. It keeps no connection and no cookie between them."""

    guard: Guard = field(default_factory=Guard)
    timeout_s: float = 10.0
    """Seconds for a whole request, redirects included."""
    max_bytes: int = 2_000_000
    """Bytes of the unpacked body. A longer one is an error: half an answer can say the opposite of the whole."""
    contact: str = ""
    """A page or mail address in the user agent, for the operators of a host."""

    def fetch(self, request: HttpRequest) -> HttpResponse:
        """Returns the response, whatever its status. Raises ToolFailed, or Refused when the guard refuses."""
        ends = time.monotonic() + self.timeout_s
        try:
            with httpx2.Client(transport=_Transport(self.guard, ends), trust_env=False) as client:
                return self._follow(client, self._build(client, request), ends)
        except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
            raise Refused(f"not a URL that can be opened: {error}") from error
        except (httpx2.TimeoutException, httpcore2.TimeoutException) as error:
            raise ToolFailed(
                f"{_host(request.url)} did not answer within {self.timeout_s:g} s; try again, or raise `timeout_s`"
            ) from error
        except _NETWORK_ERRORS as error:
            raise ToolFailed(f"{_host(request.url)} cannot be reached: {error or type(error).__name__}") from error

    def _build(self, client: httpx2.Client, request: HttpRequest) -> httpx2.Request:
        contact = f" (contact: {self.contact})" if self.contact else ""
        given = {"User-Agent": f"AutoActStudio/{__version__}{contact}", "Accept-Encoding": "gzip", **request.headers}
        return client.build_request(
            request.method, request.url, params=request.parameters or None, headers=given,
            content=request.body or None,
        )  # fmt: skip

    def _follow(self, client: httpx2.Client, request: httpx2.Request, ends: float) -> HttpResponse:
        for _ in range(MOST_REDIRECTS + 1):
            self.guard.check(request.url)
            response = client.send(request, stream=True, follow_redirects=False)
            try:
                if not response.has_redirect_location:
                    headers = {name.casefold(): value for name, value in response.headers.items()}
                    return HttpResponse(str(request.url), response.status_code, headers, self._body(response, ends))
                request = _redirect(request, response)
            finally:
                response.close()
        raise Refused(f"more than {MOST_REDIRECTS} redirects")

    def _body(self, response: httpx2.Response, ends: float) -> bytes:
        packing = response.headers.get("content-encoding", "identity").casefold()
        if packing not in ("identity", "gzip", "x-gzip"):
            raise ToolFailed(f"{response.url.host} compressed its answer as {packing}, which was not asked for")
        pieces = response.iter_raw(_CHUNK)
        body = bytearray()
        for piece in pieces if packing == "identity" else _unpack(pieces, self.max_bytes):
            body += piece
            if len(body) > self.max_bytes:
                raise ToolFailed(
                    f"{response.url.host} sent more than {self.max_bytes:,} bytes; ask for less, or raise `max_bytes`"
                )
            if time.monotonic() > ends:
                raise httpcore2.ReadTimeout
        return bytes(body)


def _redirect(request: httpx2.Request, response: httpx2.Response) -> httpx2.Request:
    """Returns the request that a redirect leads to; to another origin, without anything that could be a secret."""
    following = response.next_request
    if following is None:
        raise Refused(
            f"{request.url.host} redirects to `{response.headers['location']:.80}`, which is not a web address"
        )
    same = (request.url.scheme, request.url.host, request.url.port) == (
        following.url.scheme,
        following.url.host,
        following.url.port,
    )
    if same:
        return following
    if following.method not in ("GET", "HEAD"):
        raise Refused(
            f"{request.url.host} redirects a {following.method} to {following.url.host}; name that host instead"
        )
    kept = {name: following.headers[name] for name in ("user-agent", "accept-encoding") if name in following.headers}
    return httpx2.Request(following.method, following.url, headers=kept)


def _charset(named: str) -> str:
    """Returns the codec of a charset of the web; UTF-8 for every other name."""
    try:
        codec = codecs.lookup(named).name
    except (LookupError, ValueError):
        return "utf-8"
    return codec if _CHARSETS.fullmatch(codec) else "utf-8"


def _unpack(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Unpacks gzip in small parts, so that a decompression bomb is noticed before it has filled the memory.

    The data may have several members, one after the other, which make one text.
    """
    unpacker = zlib.decompressobj(wbits=31)
    begun = False
    try:
        for piece in pieces:
            begun = True
            while piece:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=31)
                yield unpacker.decompress(piece, most + 1)
                piece = unpacker.unused_data
    except zlib.error as error:
        raise ToolFailed("the answer is damaged: it is not the gzip it claims to be") from error
    if begun and not unpacker.eof:
        raise ToolFailed("the answer is damaged: it ends too early")


def _host(url: str) -> str:
    try:
        return httpx2.URL(url).host or url[:80]
    except httpx2.InvalidURL:
        return url[:80]


class _Transport(httpx2.BaseTransport):
    """httpx over a pool that connects to checked addresses only."""

    def __init__(self, guard: Guard, ends: float) -> None:
        self._pool = httpcore2.ConnectionPool(network_backend=_Network(guard, ends), max_connections=1)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        place = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        assert isinstance(request.stream, httpx2.SyncByteStream)
        response = self._pool.handle_request(
            httpcore2.Request(request.method, place, headers=request.headers.raw, content=request.stream)
        )
        return httpx2.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _Network(httpcore2.SyncBackend):
    """Connects to addresses that the guard has checked. No operation lasts beyond the request's end."""

    def __init__(self, guard: Guard, ends: float) -> None:
        self._guard, self._ends = guard, ends

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        *others, last = self._guard.addresses(host.strip("[]"), port)[:MOST_ADDRESSES]
        for address in others:
            try:
                return self._connected(address, port, _time_left(self._ends) / (len(others) + 1))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue  # the next address of the same host may answer
        return self._connected(last, port, _time_left(self._ends))

    def _connected(self, address: str, port: int, patience_s: float) -> httpcore2.NetworkStream:
        return _Timed(super().connect_tcp(address, port, patience_s), self._ends)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        raise Refused("sockets of this machine are not opened")


class _Timed(httpcore2.NetworkStream):
    """A connection whose every read and write ends with the request, however slowly the server sends."""

    def __init__(self, stream: httpcore2.NetworkStream, ends: float) -> None:
        self._stream, self._ends = stream, ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _time_left(self._ends))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _time_left(self._ends))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _time_left(self._ends)), self._ends)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _time_left(ends: float) -> float:
    """Returns the seconds until the end. Raises ReadTimeout when it is past."""
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout
    return left
