"""Grants: pairs of a secret's name and a host that may receive it, allowed by a person, stored beside the secrets.

A tool's settings name a secret and the host that receives it. Nothing is sent until this user has allowed that pair.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from autoact.errors import BadInput
from autoact.files import disk
from autoact.security.secrets import NAME, vault_file

Pairs = dict[str, list[str]]
"""Hosts by name of the secret."""
_USUAL_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80, "postgresql": 5432, "mysql": 3306, "mariadb": 3306}
_OF_THE_WEB = ("http", "https", "ws", "wss")
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[\w.~%!$&*+=,;-]*(?::[\w.~%!$&*+=,;-]*)?@)?"
    r"(?P<host>[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?=[/?#]|\Z)",
    re.IGNORECASE | re.ASCII,
)
_DATABASE_END = re.compile(r"(?:/[\w.$-]*)?(?:\?(?:(?:sslmode|charset|application_name)=[\w-]*&?)*)?", re.ASCII)
"""The rest of a database's URL after the host, without @ and parameters such as `host`, which name another host."""


def grants_file() -> Path:
    """Returns the path of this user's grants."""
    return vault_file().with_name(f"{vault_file().stem}.grants.json")


def destination(url: str) -> str:
    """Returns the host of a URL, with the port when it is not the scheme's usual one.

    Raises ValueError for a URL whose host is ambiguous: the library that connects could read another host from it.
    """
    scheme, host, port = _parts(url)
    return host if port in (None, _USUAL_PORTS.get(scheme)) else f"{host}:{port}"


def is_unencrypted(url: str) -> bool:
    """Returns whether a URL is plain HTTP to another machine."""
    scheme, host, _ = _parts(url)
    if scheme not in ("http", "ws"):
        return False
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a host name
        return host != "localhost"


def _parts(url: str) -> tuple[str, str, int | None]:
    """Returns scheme (without a driver), host and port. Raises ValueError."""
    found = _URL.match(url)
    if not found:
        raise ValueError("no URL with a plain host")
    scheme = found["scheme"].lower().partition("+")[0]
    if scheme not in _OF_THE_WEB and not _DATABASE_END.fullmatch(url, found.end()):
        raise ValueError("the URL of a database could lead elsewhere")
    return scheme, found["host"].rstrip(".").lower(), int(found["port"]) if found["port"] else None


def allows(name: str, url: str) -> bool:
    """Returns whether the secret of this name may be sent to this URL."""
    try:
        return not is_unencrypted(url) and destination(url) in _pairs().get(name, ())
    except ValueError:  # not a URL
        return False


def obstacle(name: str, url: str) -> str:
    """Returns the reason that no secret can be sent to this URL; empty when one can."""
    try:
        return f"{name} would be sent unencrypted; use https" if is_unencrypted(url) else ""
    except ValueError:
        return f"{name} is not sent to this URL; expected a plain host, as in https://api.example.org/path"


def refusal(name: str, url: str) -> str:
    """Returns the reason that `allows` is False, and the command that would change it."""
    if reason := obstacle(name, url):
        return reason
    host = destination(url)
    return f"{name} may not be sent to {host} yet; to allow that: `autoact secrets allow {name} {host}`"


def allow(name: str, host: str) -> None:
    """Allows a secret to be sent to a host. Raises BadInput for an invalid name or host."""
    if not NAME.fullmatch(name):
        raise BadInput(f"expected a name like TAVILY_API_KEY, not `{name:.40}`", key="NAME")
    try:
        wanted = destination(host if "://" in host else f"https://{host}")
    except ValueError as error:
        raise BadInput(
            f"expected a host as in api.example.org or localhost:8080, not `{host:.80}`", key="HOST"
        ) from error
    _change(lambda pairs: {**pairs, name: sorted({*pairs.get(name, ()), wanted})})


def revoke(name: str, host: str = "") -> bool:
    """Removes a grant, for one host or for all; returns whether there was one."""
    try:
        wanted = destination(host if "://" in host else f"https://{host}") if host else ""
    except ValueError:
        wanted = host.casefold()
    gone = [one for one in hosts(name) if wanted in ("", one)]
    if gone:
        _change(lambda pairs: {**pairs, name: [one for one in pairs.get(name, ()) if one not in gone]})
    return bool(gone)


def hosts(name: str) -> list[str]:
    """Returns the hosts that a secret may be sent to."""
    return _pairs().get(name, [])


def _pairs() -> Pairs:
    """Reads the grants. Raises BadInput for a file that does not hold any."""
    file = grants_file()
    try:
        return _decode(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error


def _decode(data: bytes) -> Pairs:
    try:
        return msgspec.json.decode(data, type=Pairs)
    except (ValueError, RecursionError) as error:
        raise BadInput('expected {"NAME": ["host", ...], ...}', file=grants_file()) from error


def _change(change: Callable[[Pairs], Pairs]) -> None:
    def changed(before: bytes | None) -> bytes:
        pairs = change(_decode(before) if before else {})
        kept = {name: found for name, found in sorted(pairs.items()) if found}
        return msgspec.json.format(msgspec.json.encode(kept)) + b"\n"

    grants_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk.change_file(grants_file(), changed, mode=disk.OWNER_ONLY)
