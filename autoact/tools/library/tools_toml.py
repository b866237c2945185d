"""Reads tools.toml: the tools that a project enables, their descriptions for agents, and their settings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from autoact.errors import BadProject
from autoact.files import toml_text
from autoact.tools.library.tool import Bridge, Kind, ToolLimits, ToolRecord

_KEYS = {"name": str, "kind": str, "enabled": bool, "definition": str, "usage": str, "settings": dict}
_NAME = re.compile(r"\w[\w .-]{0,63}")
"""The name of a tool that a person brings."""
_TYPES = {
    str: "text in quotes", bool: "true or false", dict: "a table of texts", list: "a list of texts",
    int: "a whole number", float: "a number",
}  # fmt: skip


def tool_key(name: str) -> str:
    """Returns a tool's name without case, spaces, underscores and hyphens: the key by which tools are found."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def index_names(records: Iterable[ToolRecord]) -> dict[str, ToolRecord]:
    """Returns records by the key of each of their names."""
    return {tool_key(name): record for record in records for name in (record.name, *record.aliases)}


def read_enabled_tools(
    file: Path, known: Iterable[ToolRecord], bridges: Mapping[Kind, Bridge] | None = None
) -> list[ToolRecord]:
    """Reads the enabled tools of a file in its order, with its descriptions and settings. Raises BadProject."""
    return [record for record, enabled in parse_tools(_read(file), file, known, bridges) if enabled]


def parse_tools(
    text: str,
    file: Path,
    known: Iterable[ToolRecord],
    bridges: Mapping[Kind, Bridge] | None = None,
    *,
    beside: str = "",
) -> list[tuple[ToolRecord, bool]]:
    """Returns every tool of a tools.toml with this text, and whether it is enabled. Raises BadProject.

    `beside` names a kind of table that may stand beside those of tools.
    """
    names, chosen = index_names(known), dict[str, tuple[ToolRecord, bool]]()
    for number, entry in enumerate(parse_entries(text, file, beside=beside), 1):
        place = EntryLocation(file, f"tool[{number}]", find_block(text, number))
        _Entry(place, entry, bridges or {}).add_to(chosen, names)
    return list(chosen.values())


def parse_entries(text: str, file: Path | str, *, beside: str = "", of: str = "tool") -> list[dict[str, Any]]:
    """Returns the [[tool]] tables of a text, or those of another name, as plain values. Raises BadProject."""
    try:
        content = toml_text.parse(text)
    except toml_text.TOMLDecodeError as error:
        spot = re.search(r"at line (\d+)", str(error))
        raise BadProject(str(error), file=file, line=int(spot[1]) if spot else None) from error
    for key in content:
        if key not in ("tool", beside):
            raise BadProject(f"unknown{_nearest(key, ['tool'])}", file=file, line=_line(text, key), key=key)
    found = content.get(of, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise BadProject(f"expected [[{of}]] tables", file=file, line=_line(text, of), key=of)
    return found


class EntryLocation(NamedTuple):
    """The location of an entry's settings, for messages."""

    file: Path | str | None
    key: str
    block: tuple[int, str] = (0, "")
    """Number of the entry's first line, and its text; 0 when the line is unknown."""

    def fault(self, what: str, *names: str) -> BadProject:
        """Returns an error about the setting that these names lead to."""
        first, text = self.block
        within = next((line for name in reversed(names) if (line := _line(text, name))), 1)
        line = first + within - 1 if first else None
        return BadProject(what, file=self.file, line=line, key=".".join((self.key, *names)))


def find_block(text: str, number: int) -> tuple[int, str]:
    """Returns the first line number and the text of the `number`-th [[tool]] table; 0 and no text when there is
    none."""
    lines = text.split("\n")
    starts = [at for at, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*tool\s*\]\]", line)]
    if number > len(starts):
        return 0, ""
    end = starts[number] - 1 if number < len(starts) else len(lines)
    return starts[number - 1], "\n".join(lines[starts[number - 1] - 1 : end])


def _line(text: str, key: str) -> int | None:
    """Returns the number of the first line that sets `key` or opens a table of that name, counted from 1."""
    written = re.compile(
        rf"""^\s*(?:\[+(?:tool\.)?)?["']?{re.escape(key)}["']?\s*[\].=]|[{{,]\s*{re.escape(key)}\s*="""
    )
    return next((number for number, line in enumerate(text.split("\n"), 1) if written.search(line)), None)


def apply_settings(record: ToolRecord, settings: Mapping[str, Any], place: EntryLocation) -> ToolRecord:
    """Returns the record with `settings` over its own; limits are settings too. Raises BadProject with the wrong
    key."""
    allowed: dict[str, Any] = {**msgspec.structs.asdict(record.limits), **record.settings}
    for name, value in settings.items():
        if name not in allowed:
            raise place.fault(f"unknown{_nearest(name, allowed)}", name)
        _check(value, type(allowed[name]), place, name)
        allowed[name] = value
    limits = ToolLimits(timeout_s=float(allowed.pop("timeout_s")), max_chars=allowed.pop("max_chars"))
    return msgspec.structs.replace(record, limits=limits, settings=allowed)


class _Entry:
    """One [[tool]] table and its location."""

    def __init__(self, place: EntryLocation, content: dict[str, Any], bridges: Mapping[Kind, Bridge]) -> None:
        self._place, self._content, self._bridges = place, content, bridges

    def add_to(self, chosen: dict[str, tuple[ToolRecord, bool]], names: Mapping[str, ToolRecord]) -> None:
        """Adds the tool to `chosen`, with whether it is enabled."""
        for key, value in self._content.items():
            if key not in _KEYS:
                raise self._place.fault(f"unknown{_nearest(key, _KEYS)}", key)
            _check(value, _KEYS[key], self._place, key)
        record = self._record(names)
        if tool_key(record.name) in map(tool_key, chosen):
            raise self._place.fault(f"`{record.name}` is listed twice", "name")
        settings = self._content.get("settings", {})
        texts = {key: self._content[key] for key in ("definition", "usage") if key in self._content}
        place = self._place._replace(key=f"{self._place.key}.settings")
        record = apply_settings(msgspec.structs.replace(record, **texts), settings, place)
        chosen[record.name] = record, self._content.get("enabled", True)

    def _record(self, names: Mapping[str, ToolRecord]) -> ToolRecord:
        if "name" not in self._content:
            raise self._place.fault("expected the name of a tool", "name")
        name: str = self._content["name"]
        if self._content.get("kind", "builtin") != "builtin":
            return self._own_tool(name, names)
        if tool_key(name) not in names:
            raise self._place.fault(unknown_tool_message(name, names), "name")
        return names[tool_key(name)]

    def _own_tool(self, name: str, names: Mapping[str, ToolRecord]) -> ToolRecord:
        """Returns the record of a person's own tool. Its kind describes it where the entry does not."""
        kind = self._content["kind"]
        if kind not in self._bridges:
            raise self._place.fault(f"unknown{_nearest(kind, ['builtin', *self._bridges])}", "kind")
        if not _NAME.fullmatch(name):  # it becomes part of a file name, and a model has to write it
            raise self._place.fault(f"expected letters, digits, spaces, dots and hyphens, not {name!r:.40}", "name")
        if tool_key(name) in names:
            raise self._place.fault(f"`{name}` is a built-in tool; choose another name", "name")
        bridge = self._bridges[kind]
        return ToolRecord(name, "", "", kind=kind, powers=bridge.powers, settings=dict(bridge.settings))


def unknown_tool_message(name: str, names: Mapping[str, ToolRecord]) -> str:
    """Says that there is no such tool, and which one may be meant."""
    spellings = {key: record.name for key, record in names.items()}
    near = difflib.get_close_matches(tool_key(name), spellings, n=1, cutoff=0.5)
    known = ", ".join(sorted(set(spellings.values())))
    return f"unknown tool `{name}`; " + (f"did you mean `{spellings[near[0]]}`?" if near else f"known: {known}")


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadProject(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        raise BadProject(f"expected UTF-8 text; byte {error.start} is not", file=file) from error


def _check(value: Any, kind: type, place: EntryLocation, name: str) -> None:
    fits = type(value) is kind or (kind is float and type(value) is int)
    texts = value if kind is list else value.values() if fits and name in ("headers", "environment") else ()
    if not fits or not all(isinstance(one, str) for one in texts):
        raise place.fault(f"expected {_TYPES[kind]}, not {value!r:.40}", name)
    if kind is str and not value.strip():
        raise place.fault("expected some text", name)
    if kind in (int, float) and not 0 < value < 1_000_000:
        raise place.fault(f"expected a number above 0 and below a million, not {value}", name)


def _nearest(name: str, known: Iterable[str]) -> str:
    """Returns the end of a message that begins with `unknown`."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(names)}"
