"""Edits tools.toml as a person would: text that does not change stays as it was written, comments included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from autoact.errors import BadInput, BadProject
from autoact.files import disk
from autoact.tools.library.catalogue import BRIDGES, GROUPS
from autoact.tools.library.tool import ToolRecord
from autoact.tools.library.tools_toml import parse_entries, parse_tools, tool_key, unknown_tool_message

HEADING = "# The tools the agents may be given. Tool selection chooses among those that can run here.\n"
_START = re.compile(r"^[ \t]*\[\[\s*tool\s*\]\]", re.MULTILINE)
_COMMENTS = re.compile(r"(?:^[ \t]*#[^\n]*\n)+\Z", re.MULTILINE)


def known_tools() -> dict[str, ToolRecord]:
    """Returns the built-in tools by the key of each of their names."""
    records = [record for group in GROUPS for record in group.records]
    return {tool_key(name): record for record in records for name in (record.name, *record.aliases)}


class ToolsFile:
    """The text of a tools.toml in blocks: the lines before the first tool, and one block for each tool.

    A tool's block begins with the comment lines directly above its [[tool]].
    """

    def __init__(self, file: Path, text: str) -> None:
        """Raises BadProject when the text is not a valid tools.toml, or cannot be edited block by block."""
        self._file = file
        self._preamble, self._blocks = _split_blocks(text)
        self._check()

    @classmethod
    def open(cls, file: Path) -> ToolsFile:
        """Opens the file. When there is none, the text lists every tool, as a project without the file has them all."""
        if file.exists():
            return cls(file, _text(file))
        names = (record.name for group in GROUPS for record in group.records)
        return cls(file, HEADING + "".join(f'\n[[tool]]\nname = "{name}"\n' for name in names))

    def names(self) -> list[str]:
        """Returns the names of the tools in their order."""
        return [record.name for record, _ in self._tools()]

    def enabled(self) -> dict[str, bool]:
        """Returns whether each tool is enabled, by name."""
        return {record.name: enabled for record, enabled in self._tools()}

    def text(self) -> str:
        """Returns the whole text of the file."""
        blocks = [block if block.endswith("\n") else f"{block}\n" for block in self._blocks]
        return self._preamble + "".join(blocks)

    def save(self) -> None:
        """Writes the file as a whole. Raises BadProject, and leaves the file as it was, when the text is not valid."""
        self._check()
        disk.rewrite(self._file, self.text().encode())  # it holds no secret, so others may read it

    def add(self, entry: Mapping[str, Any]) -> None:
        """Adds a tool at the end. Raises BadProject when the entry is wrong or the tool is listed already."""
        if self._blocks:
            self._blocks[-1] = self._blocks[-1].rstrip("\n") + "\n\n"
        elif self._preamble.strip():
            self._preamble = self._preamble.rstrip("\n") + "\n\n"
        self._blocks.append(format_entry(entry))
        self._check()

    def remove(self, name: str) -> None:
        """Removes a tool and the comments above it."""
        del self._blocks[self._index(name)]

    def enable(self, name: str, *, enabled: bool) -> None:
        """Enables or disables a tool. Raises BadInput when it is not listed."""
        self._edit(name, lambda table: _set_enabled(table, enabled=enabled))

    def use(self, names: Sequence[str]) -> None:
        """Enables exactly these tools, in this order, and adds built-in ones that are not listed. Raises BadInput for
        an unknown name."""
        listed = {tool_key(name) for name in self.names()}
        for name in names:
            if tool_key(name) not in listed and tool_key(name) in known_tools():
                self.add(new_entry(name, "builtin", {}, {}, self.names()))
        wanted = {self._index(name) for name in names}
        for at, name in enumerate(self.names()):
            self.enable(name, enabled=at in wanted)
        self.order(names)

    def describe(self, name: str, described: Mapping[str, str]) -> None:
        """Changes a tool's definition or usage; an empty text restores its own."""

        def change(table: Any) -> None:
            for key, text in described.items():
                if text:
                    table[key] = text
                elif key in table:
                    del table[key]

        self._edit(name, change)

    def configure(self, name: str, settings: Mapping[str, Any]) -> None:
        """Changes some settings of a tool; the others stay."""

        def change(table: Any) -> None:
            if "settings" not in table:
                table["settings"] = tomlkit.inline_table()
            table["settings"].update(settings)

        self._edit(name, change)

    def order(self, names: Sequence[str]) -> None:
        """Moves these tools to the beginning, in this order; the others follow in theirs. Raises BadInput for an
        unknown name."""
        first = list(dict.fromkeys(self._index(name) for name in names))
        rest = [at for at in range(len(self._blocks)) if at not in first]
        # The blank lines between blocks stay in place while the blocks move.
        gaps = [block[len(block.rstrip("\n")) :] or "\n" for block in self._blocks]
        moved = [self._blocks[at].rstrip("\n") for at in (*first, *rest)]
        self._blocks = [block + gap for block, gap in zip(moved, gaps, strict=True)]

    def entry(self, name: str) -> dict[str, Any]:
        """Returns a tool's table as plain values."""
        return parse_entries(self._blocks[self._index(name)], self._file)[0]

    def _edit(self, name: str, change: Callable[[Any], None]) -> None:
        at = self._index(name)
        block = tomlkit.parse(self._blocks[at])
        change(block["tool"][0])
        self._blocks[at] = tomlkit.dumps(block)

    def _index(self, name: str) -> int:
        """Returns the index of a tool. Raises BadInput when it is not listed."""
        keys = [tool_key(one) for one in self.names()]
        record = known_tools().get(tool_key(name))
        key = tool_key(record.name) if record else tool_key(name)
        if key not in keys:
            described = "is not listed here; `autoact tools add` adds it" if record else "is no tool of this project"
            raise BadInput(
                f"`{name}` {described}; there are {', '.join(self.names()) or 'none'}", file=self._file, key="NAME"
            )
        return keys.index(key)

    def _tools(self) -> list[tuple[ToolRecord, bool]]:
        records = [record for group in GROUPS for record in group.records]
        return parse_tools(self.text(), self._file, records, BRIDGES)

    def _check(self) -> None:
        """Raises BadProject when there are not as many blocks as tools: then other text looks like a block."""
        if len(self._tools()) != len(self._blocks):
            raise BadProject("cannot be edited block by block: write each tool as [[tool]]", file=self._file)


def format_entry(entry: Mapping[str, Any]) -> str:
    """Returns an entry as TOML, with its settings in a table of their own."""
    document, tools, table = tomlkit.document(), tomlkit.aot(), tomlkit.table()
    for key, value in entry.items():
        if key != "settings":
            table[key] = value
    if settings := entry.get("settings"):
        table["settings"] = tomlkit.item(dict(settings))
    tools.append(table)
    document["tool"] = tools
    return tomlkit.dumps(document)


def new_entry(
    name: str, kind: str, settings: Mapping[str, Any], described: Mapping[str, str], taken: Iterable[str]
) -> dict[str, Any]:
    """Returns a new entry. Raises BadInput for an unknown tool, an unknown kind, or a tool that is listed already."""
    record = known_tools().get(tool_key(name))
    if kind == "builtin" and record is None:
        raise BadInput(f"{unknown_tool_message(name, known_tools())}; other kinds take --kind", key="NAME")
    if kind != "builtin" and kind not in BRIDGES:
        raise BadInput(f"unknown kind `{kind}`; known: builtin, {', '.join(BRIDGES)}", key="--kind")
    proper = record.name if record and kind == "builtin" else name
    if tool_key(proper) in map(tool_key, taken):
        raise BadInput(f"`{proper}` is listed already; `autoact tools enable` switches it on", key="NAME")
    typed = {**({"kind": kind} if kind != "builtin" else {}), **described}
    return {"name": proper, **typed, **({"settings": dict(settings)} if settings else {})}


def _set_enabled(table: Any, *, enabled: bool) -> None:
    """Sets `enabled`; the default is not written unless the key is there."""
    if "enabled" in table or not enabled:
        table["enabled"] = enabled


def _split_blocks(text: str) -> tuple[str, list[str]]:
    starts: list[int] = []
    for match in _START.finditer(text):
        comments = _COMMENTS.search(text[: match.start()])
        starts.append(comments.start() if comments and starts else match.start())
    ends = [*starts[1:], len(text)] if starts else []
    preamble = text[: starts[0]] if starts else text
    return preamble, [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadProject(f"cannot be read as UTF-8 text: {error}", file=file) from error
