"""Secrets: keys by name, from the environment or a file that only its owner can read, and their removal from texts.

The environment overrides the file. The file is JSON, {"NAME": "value"}, at AUTOACT_SECRETS or in the user's config
folder. Projects hold only the names of secrets.
"""

from __future__ import annotations

import base64
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal, NoReturn, TextIO, cast
from urllib.parse import quote

import msgspec
import platformdirs

from autoact.errors import BadInput
from autoact.files import disk
from autoact.security.untrusted_text import FilteredStream

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
SHORTEST = 6
"""The fewest characters of a value. A shorter one would occur by chance in texts from which it is removed."""
LONGEST_FILE = 1_000_000
"""The most bytes of the file."""
_SOUNDS_SECRET = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|PAT|CREDENTIALS?)(?:_|$)", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")
_LONG_LINE = 16
"""The fewest characters of a line of a multi-line secret (a private key) that is also hidden by itself."""

SecretSource = Literal["environment", "file"]


class Secret:
    """A value whose repr hides it; `reveal` returns it."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """Returns the value, for the one header or connection that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"(secret {self.name})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be pickled or copied")


class Vault:
    """The secrets of this user, read once."""

    def __init__(self, file: Path, environment: Mapping[str, str]) -> None:
        self.file = file
        self._environment = environment
        self._asked: set[str] = set()
        self._lock = threading.RLock()

    @classmethod
    def open(cls) -> Vault:
        """Opens the vault of this process. Raises BadInput when other users can read its file or it is malformed."""
        vault = cls(vault_file(), os.environ)
        disk.remove_leftovers(vault.file)  # a command that was killed may have left a copy
        vault.hide("")  # reads the file now, so that hiding cannot fail later, during a tool's call
        return vault

    def get(self, name: str) -> Secret | None:
        """Returns the secret of that name; None when there is none. Raises BadInput as `open` does."""
        value = self._environment.get(name) or self._stored.get(name)
        if not value:
            return None
        with self._lock:  # else another thread could build a pattern without this name
            if name not in self._asked:
                self._asked.add(name)  # a value that is used as a secret is hidden, whatever its name
                self.__dict__.pop("_pattern", None)
        return Secret(name, value)

    def reveal(self, name: str) -> str | None:
        """Returns the value of the secret of that name; None when there is none."""
        secret = self.get(name)
        return secret.reveal() if secret else None

    def sources(self) -> dict[str, SecretSource]:
        """Returns the source of each secret by name; of the environment, only names that look like a secret's."""
        found: dict[str, SecretSource] = dict.fromkeys(self._stored, "file")
        for name, value in self._environment.items():
            if value and (name in found or _SOUNDS_SECRET.search(name)):
                found[name] = "environment"
        return dict(sorted(found.items()))

    def set(self, name: str, value: str) -> None:
        """Stores a secret in the file. Raises BadInput for an invalid name or a value that is too short."""
        if not NAME.fullmatch(name):
            raise BadInput(f"expected a name like TAVILY_API_KEY, not `{name:.40}`", key="NAME")
        if len(value.strip()) < SHORTEST:
            raise BadInput(
                f"expected a value of at least {SHORTEST} characters; a shorter one cannot be hidden in texts"
            )
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._change(lambda stored: {**stored, name: value.strip()})

    def remove(self, name: str) -> bool:
        """Removes a secret from the file; returns whether there was one."""
        there = name in _read(self.file)
        if there:
            self._change(lambda stored: {other: value for other, value in stored.items() if other != name})
        return there

    def hide(self, text: str) -> str:
        """Replaces every secret in a text by `(secret NAME)`, also one in percent, base64 or hex encoding."""
        with self._lock:
            names, pattern = self._pattern
        return pattern.sub(lambda found: f"(secret {names[found.group()]})", text) if names else text

    @cached_property
    def _stored(self) -> dict[str, str]:
        return _read(self.file)

    @cached_property
    def _pattern(self) -> tuple[dict[str, str], re.Pattern[str]]:
        """Returns names by form of a secret, and a pattern that matches any form, the longest first."""
        names: dict[str, str] = {}
        values = list(self._stored.items())  # hidden even if the environment has another value, or an empty one
        for name, value in self._environment.items():
            if name in self._asked or _SOUNDS_SECRET.search(name):
                values.append((name, value))
            elif inside := _URL_PASSWORD.search(value):
                values.append((name, inside[1]))
        for name, value in values:
            for form in _forms(value):
                names.setdefault(form, name)
        return names, re.compile("|".join(re.escape(form) for form in sorted(names, key=len, reverse=True)))

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Rewrites the file from its present content, which may differ from what this process read at its start."""

        def changed(before: bytes | None) -> bytes:
            stored = change(_read(self.file))
            return msgspec.json.format(msgspec.json.encode(dict(sorted(stored.items())))) + b"\n"

        disk.change_file(self.file, changed, mode=disk.OWNER_ONLY)
        for name in ("_stored", "_pattern"):
            self.__dict__.pop(name, None)


def hide_output(vault: Vault) -> None:
    """Hides secrets in everything that this process prints from now on."""
    sys.stdout = cast(TextIO, FilteredStream(sys.stdout, vault.hide))
    sys.stderr = cast(TextIO, FilteredStream(sys.stderr, vault.hide))


def vault_file() -> Path:
    """Returns the path of this user's secrets."""
    named = os.environ.get("AUTOACT_SECRETS")
    return disk.expand_user(named) if named else platformdirs.user_config_path("autoact") / "secrets.json"


def _read(file: Path) -> dict[str, str]:
    """Reads the file; empty when it is absent. Raises BadInput when other users can read it or it is malformed."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error
    with os.fdopen(descriptor, "rb") as stream:
        # The status of the open file, so that nobody replaces it between the check and the reading.
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LONGEST_FILE:
            raise BadInput("expected a small file of secrets", file=file)
        if status.st_mode & 0o077:
            raise BadInput(f"others can read these secrets; `chmod 600 {file}` keeps them yours", file=file)
        data = stream.read()
    try:
        return msgspec.json.decode(data or b"{}", type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Without the decoder's message and exception: both may quote a value.
        raise BadInput('expected {"NAME": "value", ...}', file=file) from None


def _forms(value: str) -> set[str]:
    """Returns the plain and encoded forms in which a value may occur in a text."""
    value = value.strip()
    if len(value) < SHORTEST:
        return set()
    data, percent = value.encode(), {quote(value, safe=""), quote(value)}
    found = {value, data.hex(), data.hex().upper(), *percent, *map(_lower_escapes, percent), *_base64_forms(data)}
    found |= {value.encode("unicode_escape").decode(), msgspec.json.encode(value).decode()[1:-1], repr(value)[1:-1]}
    if "\n" in value:
        found |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _LONG_LINE}
        found.add(" ".join(value.split()))
    return found


def _lower_escapes(quoted: str) -> str:
    """Returns a percent-encoded text with lower-case escapes, as some programs write them."""
    return re.sub("%..", lambda escape: escape[0].lower(), quoted)


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yields the base64 of the bytes at each of the three offsets in a longer text (a Basic header), in both alphabets.

    A character encodes six bits. Characters that share bits with a neighbouring byte are left out.
    """
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode()
        inside = text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield from (inside, inside.translate(str.maketrans("+/", "-_")))
