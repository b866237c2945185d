"""A tool set as one file to share: entries of a tools.toml and a project's own code, without secrets.

An import takes only what a person allows. The code is in [[file]] tables after the tools, so that people can read
it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import tomlkit
from msgspec import Struct

from autoact.errors import BadInput, BadProject
from autoact.security import grants
from autoact.security.secrets import Vault
from autoact.tools.library.catalogue import BRIDGES, GROUPS
from autoact.tools.library.secret_use import SecretUse, reaches_network, secrets_of
from autoact.tools.library.tool import Power, ToolRecord
from autoact.tools.library.tools_toml import parse_entries, parse_tools
from autoact.tools.library.tools_toml_edit import ToolsFile, format_entry
from autoact.tools.sharing import redaction
from autoact.tools.sharing.bundle_files import FOLDER, bundle_path, code_of, collect_files, project_reader

HEADING = "# A tool set of AutoAct Studio: `autoact tools import PROJECT FILE` takes it in. It holds no secrets.\n\n"
LARGEST = 1_000_000
LOOSENING = ("allow", "read_only_role")
"""Settings that weaken a protection: hosts that are not public, servers that may be written to."""
_OF_THE_WEB = ("http", "https", "ws", "wss")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+")


class BundledTool(Struct, frozen=True):
    """One tool of a set, with its files."""

    entry: dict[str, Any]
    record: ToolRecord
    files: dict[str, str] = {}
    """Texts by path from the project's folder."""
    left_out: tuple[str, ...] = ()
    """Settings that the set may not bring, as they would weaken a protection of the receiver."""

    @property
    def powers(self) -> tuple[Power, ...]:
        """The powers of the tool; a setting that leads out of the project adds files, one that is a URL adds
        network."""
        texts = list(_texts(self.entry.get("settings", {})))
        also: dict[Power, bool] = {"files": any(map(_leads_out, texts)), "network": any(map(reaches_network, texts))}
        return tuple(dict.fromkeys([*self.record.powers, *(power for power, so in also.items() if so)]))

    @property
    def secrets(self) -> list[SecretUse]:
        """The secrets that it uses, with the URLs they are sent to."""
        return secrets_of(self.record)

    @property
    def settings_text(self) -> str:
        """The settings that say what is run and reached, as they stand."""
        settings = self.entry.get("settings", {})
        return ", ".join(f"{key} = {msgspec.json.encode(value).decode()}" for key, value in settings.items())


class ImportedTool(Struct, frozen=True):
    """The result for one tool of a set."""

    piece: BundledTool
    enabled: bool
    """Whether it is enabled: all its powers are allowed."""


Consent = Callable[[BundledTool], bool]
"""Returns whether a person allows all that a tool may do."""


# -- giving ----------------------------------------------------------------------------------------------------------


def export_tools(source: ToolsFile, names: Iterable[str], vault: Vault, root: Path) -> tuple[str, list[str]]:
    """Returns the set as text, and a line for each thing that was left out or replaced because it holds a secret, or
    could.

    Raises BadInput, with file and line, when code or a description holds a secret.
    """
    blocks: list[str] = []
    files: dict[str, str] = {}
    notices: list[str] = []
    for entry in map(source.entry, names):
        settings_text = redaction.Redaction(entry, vault)
        blocks.append(format_entry(settings_text.entry()))
        notices += settings_text.notices
        files |= collect_files(entry, project_reader(root))
        if (code := code_of(entry)) and bundle_path(code) not in files:
            notices.append(f"left out, as it is not a file in {FOLDER}/: {code} of {entry['name']}")
    for path, text in files.items():
        redaction.refuse_secrets(path, text, vault)
        _plain(text, path)
        blocks.append(_file(path, text))
    text = HEADING + "\n".join(blocks)
    if len(text.encode()) > LARGEST:
        raise BadInput(f"the set would take more than {LARGEST:,} bytes; --only takes some of the tools")
    return text, notices


def _file(path: str, text: str) -> str:
    """Returns a [[file]] table, with the text as it is where TOML can hold it so."""
    literal = "'''" not in text
    table = tomlkit.table()
    table["path"] = path
    table["text"] = tomlkit.string(text, literal=literal, multiline=True)
    tables = tomlkit.aot()
    tables.append(table)
    document = tomlkit.document()
    document["file"] = tables
    return tomlkit.dumps(document)


# -- taking ----------------------------------------------------------------------------------------------------------


def read_bundle(file: Path) -> list[BundledTool]:
    """Reads the tools of a set. Raises BadProject with file, line and key."""
    try:
        if file.stat().st_size > LARGEST:
            raise BadProject(f"expected at most {LARGEST:,} bytes", file=file)
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadProject(f"cannot be read as UTF-8 text: {error}", file=file) from error
    _plain(text, file)
    records = [record for group in GROUPS for record in group.records]
    found = [record for record, _ in parse_tools(text, file, records, BRIDGES, beside="file")]
    files = _files(text, file)
    settings_text = parse_entries(text, file, beside="file")
    pieces = [_piece(one, record, files) for one, record in zip(settings_text, found, strict=True)]
    for value in _texts([settings_text, files]):
        _plain(value, file)  # what TOML's escapes stand for
    if unused := files.keys() - {path for piece in pieces for path in piece.files}:
        raise BadProject(f"no tool of the set uses {min(unused)}", file=file, key="file")
    return pieces


def _piece(entry: dict[str, Any], record: ToolRecord, files: Mapping[str, str]) -> BundledTool:
    """Makes a tool of a set, without the settings that only the receiver may decide."""
    settings = entry.get("settings", {})
    left_out = tuple(key for key in LOOSENING if settings.get(key))
    if left_out:
        usual = {key: type(settings[key])() for key in left_out}  # an empty list, a no
        record = msgspec.structs.replace(record, settings={**record.settings, **usual})
        entry = {**entry, "settings": {key: value for key, value in settings.items() if key not in left_out}}
    return BundledTool(entry, record, collect_files(entry, files.get), left_out)


def _files(text: str, file: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, table in enumerate(parse_entries(text, file, beside="file", of="file"), 1):
        path, content = table.get("path"), table.get("text")
        if table.keys() != {"path", "text"} or not isinstance(path, str) or not isinstance(content, str):
            raise BadProject("expected path and text", file=file, key=f"file[{number}]")
        if bundle_path(path) != path:
            raise BadProject(f"expected a path in {FOLDER}/, not {path!r:.60}", file=file, key=f"file[{number}].path")
        if path.casefold() in map(str.casefold, found):
            raise BadProject(f"{path} comes twice", file=file, key=f"file[{number}].path")
        found[path] = content
    return found


def import_tools(
    target: ToolsFile, arriving: Iterable[BundledTool], consents: Consent, *, replace: bool
) -> list[ImportedTool]:
    """Adds the tools to `target`; a tool that may do more than is allowed is added disabled.

    Tools that are there already stay as they are, unless `replace` is set. `target` is not saved, and the files of
    the enabled tools are not written.
    """
    arrivals = []
    for piece in arriving:
        there = piece.record.name in target.names()
        if there and not replace:
            continue
        if there:
            target.remove(piece.record.name)
        enabled = consents(piece)
        plain = {key: value for key, value in piece.entry.items() if key != "enabled"}
        target.add(plain if enabled else {"name": plain.pop("name"), "enabled": False, **plain})
        arrivals.append(ImportedTool(piece, enabled))
    return arrivals


def may_run(piece: BundledTool, allowed: Iterable[str]) -> bool:
    """Returns whether all powers of a tool are allowed; `all` allows every power, and no secret."""
    granted = set(allowed)
    return "all" in granted or set(piece.powers) <= granted


def consent_for(use: SecretUse) -> str:
    """Returns the word by which a person allows a secret: `secret:NAME@HOST`, or `secret:NAME` for a program."""
    name, url = use
    try:
        return f"secret:{name}@{grants.destination(url)}" if url else f"secret:{name}"
    except ValueError:  # no host: the tool cannot run as it stands
        return f"secret:{name}@{url}"


def withheld_secrets(piece: BundledTool, allowed: Iterable[str]) -> list[SecretUse]:
    """Returns the secrets that a tool uses and that neither these words nor earlier grants allow for their host."""
    granted = set(allowed)
    return [use for use in piece.secrets if _is_withheld(use, granted)]


def _is_withheld(use: SecretUse, granted: set[str]) -> bool:
    name, url = use
    if url and grants.obstacle(name, url):
        return True
    return consent_for(use) not in granted and not (url and grants.allows(name, url))


# -- texts -----------------------------------------------------------------------------------------------------------


def _plain(text: str, file: Path | str) -> None:
    """Raises BadProject for characters that a reader would not see, or a terminal would obey."""
    for number, line in enumerate(text.split("\n"), 1):
        shown = line.removesuffix("\r").replace("\t", " ")
        if any(unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for character in shown):
            raise BadProject("control or hidden characters are not accepted", file=file, line=number)


def _texts(value: Any) -> Iterator[str]:
    """Yields every text in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (key, *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _leads_out(text: str) -> bool:
    """Returns whether a text is a path, or a file URL, outside the project's folder.

    Schemes are read as the programs that open them read them: in any case, with a driver behind them,
    percent-encoded.
    """
    scheme, separator, rest = text.partition(":")
    name = scheme.casefold().partition("+")[0]
    if name == "file":
        return True
    if name in _OF_THE_WEB or not separator or not _SCHEME.fullmatch(scheme):
        return name not in _OF_THE_WEB and _climbs(text)
    path = rest[2:].partition("/")[2] if rest.startswith("//") else rest  # behind the host
    return _climbs(path) or _climbs(unquote(path))


def _climbs(path: str) -> bool:
    return path.startswith(("/", "~", "\\")) or ".." in path.replace("\\", "/").split("/")
