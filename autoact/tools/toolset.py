"""A tool set as one file to share: entries of a tools.toml without secrets, taken in only as far as a person allows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from autoact.errors import BadProject
from autoact.secrets import Vault
from autoact.tools.catalogue import BRIDGES, GROUPS
from autoact.tools.curation import entries, listed
from autoact.tools.record import Power, ToolRecord
from autoact.tools.tools_file import ToolsFile, written

HEADING = "# A tool set of AutoAct Studio: `autoact tools import PROJECT FILE` takes it in. It holds no secrets.\n\n"
LARGEST = 1_000_000
_SOUNDS_SECRET = re.compile(r"(?:^|[_-])(?:api[_-]?key|key|token|secret|password|authorization|cookie)(?:$|[_-])", re.I)
_NAME_OF_ONE = re.compile(r"[A-Z][A-Z0-9_]*")


class Arrival(Struct, frozen=True):
    """One tool of a set, and what becomes of it."""

    name: str
    kind: str
    powers: tuple[Power, ...]
    told: str
    """What it would run or reach, in one line."""
    enabled: bool
    """Whether it is switched on: all that it may do is allowed."""


def exported(source: ToolsFile, names: Iterable[str], vault: Vault) -> tuple[str, list[str]]:
    """The set as text, and the settings that were left out because they hold a secret, or could."""
    left: list[str] = []
    blocks = []
    for name in names:
        entry = source.entry(name)
        kept = {key: value for key, value in entry.items() if key not in ("settings", "enabled")}
        if settings := dict(_harmless(entry.get("settings", {}), name, vault, left)):
            kept["settings"] = settings
        blocks.append(written(kept))
    return HEADING + "\n".join(blocks), left


def _harmless(settings: Mapping[str, Any], place: str, vault: Vault, left: list[str]) -> Iterator[tuple[str, Any]]:
    """The settings without those that hold a secret; `left` takes their places."""
    for key, value in settings.items():
        if isinstance(value, dict):
            if inner := dict(_harmless(value, f"{place}.{key}", vault, left)):
                yield key, inner
        elif _tells_secret(key, value, vault):
            left.append(f"{place}.{key}")
        else:
            yield key, value


def _tells_secret(key: str, value: Any, vault: Vault) -> bool:
    """Whether a value is a secret of this user, a URL with a password, or stands under a name that says so.

    The name of an environment variable is none: it says where the receiver keeps theirs.
    """
    texts = [str(one) for one in (value if isinstance(value, list) else [value])]
    if any(vault.hide(text) != text or _has_password(text) for text in texts):
        return True
    plain = all(_NAME_OF_ONE.fullmatch(text) for text in texts) or not isinstance(value, str)
    return bool(_SOUNDS_SECRET.search(key)) and not plain


def _has_password(text: str) -> bool:
    try:
        return urlsplit(text).password is not None
    except ValueError:
        return "@" in text  # a URL that cannot be taken apart may hide one


def read(file: Path) -> list[tuple[dict[str, Any], ToolRecord]]:
    """Entries of a tool set with their records. Raises BadProject with file, line and key."""
    try:
        if file.stat().st_size > LARGEST:
            raise BadProject(f"expected at most {LARGEST:,} bytes", file=file)
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadProject(f"cannot be read as UTF-8 text: {error}", file=file) from error
    for number, line in enumerate(text.splitlines(), 1):
        if any(unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs") for character in line.replace("\t", " ")):
            raise BadProject("control or hidden characters are not accepted", file=file, line=number)
    records = [record for group in GROUPS for record in group.records]
    found = [record for record, _ in listed(text, file, records, BRIDGES)]
    return list(zip(entries(text, file), found, strict=True))


def taken(
    target: ToolsFile, arriving: Iterable[tuple[dict[str, Any], ToolRecord]], allowed: Iterable[str], *, replace: bool
) -> list[Arrival]:
    """Put the tools into `target`; those that may do more than is allowed arrive switched off.

    Tools that are there already are left as they are, unless they are to be replaced. `target` is not saved.
    """
    arrivals = []
    for entry, record in arriving:
        there = record.name in target.names()
        if there and not replace:
            continue
        if there:
            target.remove(record.name)
        enabled = may_run(record, allowed)
        plain = {key: value for key, value in entry.items() if key != "enabled"}
        target.add(plain if enabled else {"name": plain.pop("name"), "enabled": False, **plain})
        arrivals.append(Arrival(record.name, record.kind, record.powers, _effect(entry), enabled))
    return arrivals


def may_run(record: ToolRecord, allowed: Iterable[str]) -> bool:
    """Whether everything that a tool may do is allowed; `all` allows everything."""
    granted = set(allowed)
    return "all" in granted or set(record.powers) <= granted


def _effect(entry: Mapping[str, Any]) -> str:
    """The settings that say what is run and reached, as they stand."""
    settings = entry.get("settings", {})
    told = ", ".join(f"{key} = {msgspec.json.encode(value).decode()}" for key, value in settings.items())
    return told if len(told) <= 200 else f"{told[:199]}…"
