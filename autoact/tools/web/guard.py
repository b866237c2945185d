"""The guard: decides which hosts a tool may reach, by the very addresses that will be connected to.

A name is looked up once and its addresses are checked; the connection goes to one of them, so that a name whose
address changes between check and use (DNS rebinding) gains nothing. Private, loopback, link-local, shared, multicast
and metadata addresses are refused in every spelling, because only the looked-up address counts.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from autoact.errors import ToolFailed

if TYPE_CHECKING:
    from httpx2 import URL

Resolve = Callable[[str, int], list[str]]
"""Returns the addresses of a host and port. Raises OSError when it has none."""

SCHEMES = {"http": 80, "https": 443}
FIRST_FREE_PORT = 1024
"""Lower ports are refused but for the web's own two: 25, 22 and the like belong to other protocols."""
LOOKUP_S = 5.0
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2002::/16",  # 6to4: carries any IPv4 address
        "2001::/23",  # protocol assignments, with Teredo, which does the same
        "192.0.0.0/24",  # protocol assignments, with a cloud's metadata service; versions of Python differ on it
        "168.63.129.16/32",  # a cloud's metadata service on an address that looks public
    )
)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)


class Refused(ToolFailed):
    """A URL that no tool may open."""


class Guard:
    """Allows public hosts, and those that the project names."""

    def __init__(self, allowed: Iterable[str] = (), resolve: Resolve | None = None) -> None:
        """`allowed` are hosts, or `host:port`, that may be reached whatever their address."""
        self._allowed = frozenset(name.casefold() for name in allowed)
        self._resolve = resolve or _look_up

    def check(self, url: URL) -> None:
        """Raises Refused when the URL may not be opened, as far as that is known before its name is looked up."""
        if url.scheme not in SCHEMES:
            raise Refused(f"only http and https are opened, not `{url.scheme or 'no scheme'}`")
        if url.userinfo:
            raise Refused("a name or password before the host is not accepted; put it into a header")
        if not url.host or "%" in url.host:
            raise Refused(f"`{url.host}` is not a host")
        port = url.port or SCHEMES[url.scheme]
        if self._is_allowed(url.host, port):
            return
        if port < FIRST_FREE_PORT and port not in SCHEMES.values():
            raise Refused(f"port {port} is not a web port")
        if _is_numeric(url.host) and not _is_address(url.host):
            raise Refused(f"`{url.host}` is an address in another notation")

    def addresses(self, host: str, port: int) -> list[str]:
        """Returns the checked addresses of a host, looked up once. Raises Refused when one of them is not public."""
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise ToolFailed(f"no address for {host}; check the name and the network") from error
        if not found:
            raise ToolFailed(f"no address for {host}; check the name and the network")
        if not self._is_allowed(host, port):
            for address in found:
                if not is_public(address):
                    raise Refused(
                        f"{host} leads to {address}, which is not public; "
                        f'if it is meant, add "{host}:{port}" to the tool\'s setting `allow`'
                    )
        return found

    def _is_allowed(self, host: str, port: int) -> bool:
        host = host.casefold()
        return host in self._allowed or f"{host}:{port}" in self._allowed


def unreachable_reason(url: str, allowed: Iterable[str] = (), resolve: Resolve | None = None) -> str:
    """Says why a tool could not reach a URL's host, as far as its addresses show; empty when it could."""
    try:
        parts = urlsplit(url)
        port = parts.port or SCHEMES.get(parts.scheme, 443)
        Guard(allowed, resolve).addresses(parts.hostname or "", port)
    except (ToolFailed, ValueError) as error:  # a port that is no number, or no URL
        return str(error)
    return ""


def is_public(address: str) -> bool:
    """Returns whether an address, as text, belongs to the public internet and contains no other address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in _GLOBAL_UNICAST:
        return False
    inside = any(parsed.version == network.version and parsed in network for network in _REFUSED)
    return parsed.is_global and not parsed.is_multicast and not inside


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_numeric(host: str) -> bool:
    """Returns whether every part of a host is a number, as in 2130706433, 0x7f.1 or 127.1; no host name is like
    that."""
    return all(_NUMBER.fullmatch(part) for part in host.rstrip(".").split("."))


def _look_up(host: str, port: int) -> list[str]:
    """Returns the addresses that the system finds within LOOKUP_S. A lookup cannot be interrupted: a late one is
    abandoned."""
    answers: list[str] = []
    errors: list[OSError | UnicodeError] = []

    def look() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.extend(dict.fromkeys(str(entry[4][0]) for entry in found))
        except (OSError, UnicodeError) as error:
            errors.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(LOOKUP_S)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError("the lookup took too long")
    return answers
