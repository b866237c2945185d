"""Removes secrets from tools that are shared, replaces them by their names, or refuses the tool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from autoact.errors import BadInput
from autoact.security.secrets import NAME, Vault

_SOUNDS_SECRET = re.compile(
    r"(?:^|[_-])(?:api[_-]?key|key|token|secret|password|passwd|authorization|cookie)(?:$|[_-])", re.I
)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_\w{20}|\bgithub_pat_\w{20}|\bsk-[\w-]{20}|\bsk_live_\w{10}|\bhf_\w{20}|"
    r"\bglpat-[\w-]{20}|\bxox[abprs]-[\w-]{10}|\bAKIA[0-9A-Z]{16}|\bAIza[\w-]{30}|://[^/@\s:]*:[^/@\s{$]+@"
)
"""The forms of keys of well-known services, and a URL with a password."""
_WRITTEN_OUT = re.compile(r"""["']?\b([A-Za-z][\w-]*)["']?\s*(?::[^=\n"']*=|[:=])\s*["']([^"'\s{}$]{8,})["']""")
"""A name with a word in quotes, as in most languages."""
_OPTION = re.compile(r"--?([\w-]+)(?:=(.*))?", re.DOTALL)
_PLACE = re.compile(r"\{secret:\w+\}|\$\{\w+\}|\$\w+")
_SCHEME = re.compile(rf"(?:[A-Za-z-]+[ =:]+)?(?:{_PLACE.pattern})")
"""A placeholder for a secret, also after a word like Bearer, as headers have it."""


class Redaction:
    """One entry of tools.toml, from which secrets are removed setting by setting."""

    def __init__(self, entry: Mapping[str, Any], vault: Vault) -> None:
        self._entry, self._vault = entry, vault
        self._name: str = entry["name"]
        self._kind: str = entry.get("kind", "builtin")
        self._secrets: list[str] = []
        self.notices: list[str] = []
        """The changes, a line for each setting."""

    def entry(self) -> dict[str, Any]:
        """Returns the entry without secrets. Raises BadInput when name, definition or usage holds one."""
        for key in ("name", "definition", "usage"):
            if shows_secret(str(self._entry.get(key, "")), self._vault):
                raise BadInput("holds a secret; such a tool is not shared", key=f"{self._name[:20]}.{key}")
        kept = {key: value for key, value in self._entry.items() if key not in ("settings", "enabled")}
        settings = dict(self._settings(self._entry.get("settings", {}), ()))
        if self._secrets:
            settings["secrets"] = list(dict.fromkeys([*settings.get("secrets", []), *self._secrets]))
        return {**kept, **({"settings": settings} if settings else {})}

    def _settings(self, settings: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for key, value in settings.items():
            place = (*above, key)
            if shows_secret(key, self._vault):
                self._leave_out((*above, "(a key)"))
            elif isinstance(value, dict):
                if inner := dict(self._settings(value, place)):
                    yield key, inner
            elif not self._is_secret(key, value):
                yield key, value
            elif (named := self._replace(place, value)) is not None:
                yield key, named

    def _is_secret(self, key: str, value: Any) -> bool:
        """Returns whether a value is a secret of this user, looks like one, or has a name that says so.

        The name of an environment variable is not a secret: it says where the receiver keeps theirs.
        """
        if isinstance(value, list):
            texts = [str(one) for one in value]
            named = key != "secrets" or all(NAME.fullmatch(text) for text in texts)
            return not named or _options_hold_secret(texts) or any(shows_secret(text, self._vault) for text in texts)
        if shows_secret(str(value), self._vault) or _has_password(str(value)) or _query_holds_secret(str(value)):
            return True
        plain = not isinstance(value, str) or NAME.fullmatch(value) or _SCHEME.fullmatch(value)
        return _SOUNDS_SECRET.search(key) is not None and not plain

    def _replace(self, place: tuple[str, ...], value: Any) -> str | None:
        """Returns the value with secrets replaced by their names; None when it is left out."""
        if self._kind == "mcp" and place[0] == "environment" and NAME.fullmatch(place[-1]):
            self._ask_for(place)
            return None
        form = {("http", "url"): "{secret:%s}", ("http", "headers"): "{secret:%s}", ("http", "body"): "{secret:%s}",
                ("mcp", "headers"): "${%s}"}.get((self._kind, place[0]))  # fmt: skip
        text = str(value)
        names: list[str] = []
        for name in self._vault.sources():
            if form and (secret := self._vault.reveal(name)) and secret in text:
                text, names = text.replace(secret, form % name), [*names, name]
        if not names or self._is_secret(place[-1], text):
            self._leave_out(place)
            return None
        self._secrets += names if self._kind == "mcp" else []
        self.notices.append(f"replaced by its name: {self._setting_path(place)} now says {', '.join(names)}")
        return text

    def _ask_for(self, place: tuple[str, ...]) -> None:
        """Lists a secret that the receiver has to provide under this name."""
        self._secrets.append(place[-1])
        self.notices.append(f"replaced by its name: {self._setting_path(place)} is now asked for in `secrets`")

    def _leave_out(self, place: tuple[str, ...]) -> None:
        self.notices.append(f"left out, as it holds a secret or could: {self._setting_path(place)}")

    def _setting_path(self, place: tuple[str, ...]) -> str:
        return ".".join((self._name, *place))


def refuse_secrets(path: str, text: str, vault: Vault) -> None:
    """Raises BadInput, with the line, when a file holds a secret of this user or text that looks like one."""
    for number, line in enumerate(text.split("\n"), 1):
        if shows_secret(line, vault):
            raise BadInput(
                "holds a secret, or what looks like one; read it from the environment and name it in the tool's "
                "setting `secrets`", file=path, line=number,
            )  # fmt: skip
        for name, value in _WRITTEN_OUT.findall(line):
            if _SOUNDS_SECRET.search(name) and _may_be_key(name, value):
                raise BadInput(
                    f"`{name}` looks like a secret that is written out; read it from the environment and name it in "
                    "the tool's setting `secrets`, or give it another name if it is none", file=path, line=number,
                )  # fmt: skip
    if vault.hide(text) != text:
        raise BadInput("holds a secret over several lines", file=path)


def shows_secret(text: str, vault: Vault) -> bool:
    """Returns whether a text holds a secret of this user, or text in the form of a key."""
    return vault.hide(text) != text or _SHAPES.search(text) is not None


def _may_be_key(name: str, value: str) -> bool:
    """Returns whether a value may be a secret: keys have letters and digits, a password may be any word."""
    if NAME.fullmatch(value):
        return False
    mixed = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
    return mixed or re.search("pass|secret", name, re.IGNORECASE) is not None


def _has_password(text: str) -> bool:
    try:
        return urlsplit(text).password is not None and "{" not in urlsplit(text).netloc
    except ValueError:
        return "@" in text  # a URL that cannot be taken apart may hide one


def _query_holds_secret(text: str) -> bool:
    """Returns whether a URL's query has a value under a name that sounds secret."""
    query = text.partition("?")[2]
    return any(_SOUNDS_SECRET.search(name) and not _PLACE.search(value) for name, value in parse_qsl(query))


def _options_hold_secret(words: list[str]) -> bool:
    """Returns whether a command's options have a value under a name that sounds secret: `--token=x` or `--token x`."""
    for word, following in zip(words, [*words[1:], "-"], strict=True):
        option = _OPTION.fullmatch(word)
        if option and _SOUNDS_SECRET.search(option[1]) and (option[2] or not following.startswith("-")):
            return True
    return False
