"""Secrets: keys by name from the environment or a file only its owner can read, and their removal from any text.

The environment wins over the file. The file is JSON, {"NAME": "value"}, in the user's config folder or where
AUTOACT_SECRETS says. Projects hold names of secrets only.
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

from autoact import disk
from autoact.errors import BadInput
from autoact.untrusted_text import FilteredStream

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
SHORTEST = 6
"""Characters. A shorter value would turn up by chance in texts that it must be kept out of."""
LONGEST_FILE = 1_000_000
_SOUNDS_SECRET = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|PAT|CREDENTIALS?)(?:_|$)", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")
_LONG_LINE = 16
"""Characters from which a line of a secret with several lines, as a private key has, is hidden by itself."""

Place = Literal["environment", "file"]


class Secret:
    """A value that shows itself to nobody who does not ask for it by `reveal`."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The value, for the one header or connection that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"(secret {self.name})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} is neither copied nor sent to another process")


class Vault:
    """The secrets of this user. What it reads it reads once."""

    def __init__(self, file: Path, environment: Mapping[str, str]) -> None:
        self.file = file
        self._environment = environment
        self._asked: set[str] = set()
        self._lock = threading.RLock()

    @classmethod
    def open(cls) -> Vault:
        """The vault of this process. Raises BadInput when its file must not be trusted."""
        vault = cls(vault_file(), os.environ)
        disk.sweep(vault.file)  # a command that was killed may have left a copy
        vault.hide("")  # reads the file now, so that hiding cannot fail later, in the middle of a tool's call
        return vault

    def get(self, name: str) -> Secret | None:
        """The secret of that name; None when there is none. Raises BadInput when the file must not be trusted."""
        value = self._environment.get(name) or self._kept.get(name)
        if not value:
            return None
        with self._lock:  # a pattern that another thread makes meanwhile would lack this name
            if name not in self._asked:
                self._asked.add(name)  # whatever its name: what is used as a secret is hidden from now on
                self.__dict__.pop("_pattern", None)
        return Secret(name, value)

    def reveal(self, name: str) -> str | None:
        """The value of the secret of that name; None when there is none."""
        secret = self.get(name)
        return secret.reveal() if secret else None

    def places(self) -> dict[str, Place]:
        """Where each secret comes from, by name. Of the environment, those whose names sound like one."""
        found: dict[str, Place] = dict.fromkeys(self._kept, "file")
        for name, value in self._environment.items():
            if value and (name in found or _SOUNDS_SECRET.search(name)):
                found[name] = "environment"
        return dict(sorted(found.items()))

    def set(self, name: str, value: str) -> None:
        """Keep a secret in the file. Raises BadInput for a name or a value that cannot be one."""
        if not NAME.fullmatch(name):
            raise BadInput(f"expected a name like TAVILY_API_KEY, not `{name:.40}`", key="NAME")
        if len(value.strip()) < SHORTEST:
            raise BadInput(f"the value has fewer than {SHORTEST} characters, too few to be kept out of texts")
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._change(lambda kept: {**kept, name: value.strip()})

    def remove(self, name: str) -> bool:
        """Forget a secret of the file; whether there was one."""
        there = name in _read(self.file)
        if there:
            self._change(lambda kept: {other: value for other, value in kept.items() if other != name})
        return there

    def hide(self, text: str) -> str:
        """The text with `(secret NAME)` wherever a secret stood, plainly or encoded: percent, base64, hex."""
        with self._lock:
            names, pattern = self._pattern
        return pattern.sub(lambda found: f"(secret {names[found.group()]})", text) if names else text

    @cached_property
    def _kept(self) -> dict[str, str]:
        return _read(self.file)

    @cached_property
    def _pattern(self) -> tuple[dict[str, str], re.Pattern[str]]:
        """Every form of every secret with its name, and what finds them, the longest first."""
        names: dict[str, str] = {}
        values = dict(self._kept)
        for name, value in self._environment.items():
            if name in self._asked or _SOUNDS_SECRET.search(name):
                values[name] = value
            elif inside := _URL_PASSWORD.search(value):
                values[name] = inside[1]
        for name, value in values.items():
            for form in _forms(value):
                names.setdefault(form, name)
        return names, re.compile("|".join(re.escape(form) for form in sorted(names, key=len, reverse=True)))

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Rewrites the file from what it holds at that moment, which is not what this process read at its start."""

        def changed(before: bytes | None) -> bytes:
            kept = change(_read(self.file))
            return msgspec.json.format(msgspec.json.encode(dict(sorted(kept.items())))) + b"\n"

        disk.change_file(self.file, changed, mode=disk.OWNER_ONLY)
        for name in ("_kept", "_pattern"):
            self.__dict__.pop(name, None)


def hide_output(vault: Vault) -> None:
    """From now on, what this process prints shows no secret."""
    sys.stdout = cast(TextIO, FilteredStream(sys.stdout, vault.hide))
    sys.stderr = cast(TextIO, FilteredStream(sys.stderr, vault.hide))


def vault_file() -> Path:
    """Where this user's secrets are kept."""
    named = os.environ.get("AUTOACT_SECRETS")
    return Path(named).expanduser() if named else platformdirs.user_config_path("autoact") / "secrets.json"


def _read(file: Path) -> dict[str, str]:
    """What the file holds; nothing when there is none. Raises BadInput when others can read it or it is no JSON."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error
    with os.fdopen(descriptor, "rb") as stream:
        # Asked of the open file, so that nobody swaps it between the question and the reading.
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LONGEST_FILE:
            raise BadInput("expected a small file of secrets", file=file)
        if status.st_mode & 0o077:
            raise BadInput(f"others can read these secrets; `chmod 600 {file}` keeps them yours", file=file)
        data = stream.read()
    try:
        return msgspec.json.decode(data or b"{}", type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Without the decoder's words and without its error: both may quote a value.
        raise BadInput('expected {"NAME": "value", ...}', file=file) from None


def _forms(value: str) -> set[str]:
    """The ways in which a value may turn up in a text."""
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
    """A percent-encoded text with the escapes in lower case, as some programs write them."""
    return re.sub("%..", lambda escape: escape[0].lower(), quoted)


def _base64_forms(data: bytes) -> Iterator[str]:
    """What base64 makes of the bytes alone and inside others, as in a Basic header, in both alphabets.

    A character stands for six bits. Those that are shared with a neighbour before or after are left out.
    """
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode()
        inside = text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield from (inside, inside.translate(str.maketrans("+/", "-_")))
