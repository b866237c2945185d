"""tools.toml: which tools a project wants, how they are described to agents, and their settings."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from autoact.errors import BadProject
from autoact.tools.record import Bridge, Kind, Limits, ToolRecord

_KEYS = {"name": str, "kind": str, "enabled": bool, "definition": str, "usage": str, "settings": dict}
_TYPES = {
    str: "text in quotes", bool: "true or false", dict: "a table of texts", list: "a list of texts",
    int: "a whole number", float: "a number",
}  # fmt: skip


def tool_key(name: str) -> str:
    """What two spellings of a tool's name share: case, spaces, underscores and hyphens do not count."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def named(records: Iterable[ToolRecord]) -> dict[str, ToolRecord]:
    """Records by the key of each of their names."""
    return {tool_key(name): record for record in records for name in (record.name, *record.aliases)}


def curated(file: Path, known: Iterable[ToolRecord], bridges: Mapping[Kind, Bridge] | None = None) -> list[ToolRecord]:
    """The enabled tools of `file` in its order, as it describes and sets them. Raises BadProject."""
    content = _read(file)
    for key in content:
        if key != "tool":
            raise BadProject(f"unknown{_nearest(key, ['tool'])}", file=file, key=key)
    entries = content.get("tool", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadProject("expected [[tool]] tables", file=file, key="tool")
    names, chosen = named(known), dict[str, ToolRecord | None]()
    for number, entry in enumerate(entries, 1):
        _Entry(file, f"tool[{number}]", entry, bridges or {}).add_to(chosen, names)
    return [record for record in chosen.values() if record is not None]


def adjusted(record: ToolRecord, settings: Mapping[str, Any], file: Path | str | None, key: str) -> ToolRecord:
    """The record with `settings` over its own; limits are settings too. Raises BadProject with the key at fault."""
    allowed: dict[str, Any] = {**msgspec.structs.asdict(record.limits), **record.settings}
    for name, value in settings.items():
        if name not in allowed:
            raise BadProject(f"unknown{_nearest(name, allowed)}", file=file, key=f"{key}.{name}")
        _check(value, type(allowed[name]), file, f"{key}.{name}")
        allowed[name] = value
    limits = Limits(timeout_s=float(allowed.pop("timeout_s")), max_chars=allowed.pop("max_chars"))
    return msgspec.structs.replace(record, limits=limits, settings=allowed)


class _Entry:
    """One [[tool]] table, with where it stands."""

    def __init__(self, file: Path, key: str, content: dict[str, Any], bridges: Mapping[Kind, Bridge]) -> None:
        self._file, self._key, self._content, self._bridges = file, key, content, bridges

    def add_to(self, chosen: dict[str, ToolRecord | None], names: Mapping[str, ToolRecord]) -> None:
        """Put the tool into `chosen`, as None when it is switched off."""
        for key, value in self._content.items():
            if key not in _KEYS:
                raise BadProject(f"unknown{_nearest(key, _KEYS)}", file=self._file, key=f"{self._key}.{key}")
            _check(value, _KEYS[key], self._file, f"{self._key}.{key}")
        record = self._record(names)
        if record.name in chosen:
            raise BadProject(f"`{record.name}` is listed twice", file=self._file, key=f"{self._key}.name")
        settings = self._content.get("settings", {})
        told = {key: self._content[key] for key in ("definition", "usage") if key in self._content}
        record = adjusted(msgspec.structs.replace(record, **told), settings, self._file, f"{self._key}.settings")
        chosen[record.name] = record if self._content.get("enabled", True) else None

    def _record(self, names: Mapping[str, ToolRecord]) -> ToolRecord:
        if "name" not in self._content:
            raise BadProject("expected the name of a tool", file=self._file, key=f"{self._key}.name")
        name: str = self._content["name"]
        if self._content.get("kind", "builtin") != "builtin":
            return self._brought(name, names)
        if tool_key(name) not in names:
            spellings = {key: record.name for key, record in names.items()}
            near = difflib.get_close_matches(tool_key(name), spellings, n=1, cutoff=0.5)
            hint = (
                f"did you mean `{spellings[near[0]]}`?"
                if near
                else f"known: {', '.join(sorted(set(spellings.values())))}"
            )
            raise BadProject(f"unknown tool `{name}`; {hint}", file=self._file, key=f"{self._key}.name")
        return names[tool_key(name)]

    def _brought(self, name: str, names: Mapping[str, ToolRecord]) -> ToolRecord:
        """A tool of the person's own; what it says of itself stands in for a definition they did not write."""
        kind = self._content["kind"]
        if kind not in self._bridges:
            raise BadProject(
                f"unknown{_nearest(kind, ['builtin', *self._bridges])}", file=self._file, key=f"{self._key}.kind"
            )
        if tool_key(name) in names:
            raise BadProject(
                f"`{name}` is a built-in tool; choose another name", file=self._file, key=f"{self._key}.name"
            )
        bridge = self._bridges[kind]
        return ToolRecord(name, "", "", kind=kind, powers=bridge.powers, settings=dict(bridge.settings))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise BadProject(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        raise BadProject(f"expected UTF-8 text; byte {error.start} is not", file=file) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        raise BadProject(str(error), file=file, line=int(place[1]) if place else None) from error


def _check(value: Any, kind: type, file: Path | str | None, key: str) -> None:
    fits = type(value) is kind or (kind is float and type(value) is int)
    if not fits:
        raise BadProject(f"expected {_TYPES[kind]}, not {value!r:.40}", file=file, key=key)
    if kind is str and not value.strip():
        raise BadProject("expected some text", file=file, key=key)
    if kind is list and not all(isinstance(one, str) for one in value):
        raise BadProject(f"expected {_TYPES[kind]}, not {value!r:.40}", file=file, key=key)
    if kind in (int, float) and not 0 < value < 1_000_000:
        raise BadProject(f"expected a number above 0 and below a million, not {value}", file=file, key=key)


def _nearest(name: str, known: Iterable[str]) -> str:
    """How a message goes on after `unknown`."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(names)}"
