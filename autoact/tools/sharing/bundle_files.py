"""The files of a project that belong to a tool: its code, the modules it imports, its server's descriptions."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from autoact.errors import BadInput, BadProject
from autoact.files import disk

FOLDER = "tools"
"""The folder of a project for such files. Files elsewhere are neither exported nor imported."""
DEEPEST = 5
_PART = re.compile(r"\w[\w .-]*")

Reading = Callable[[str], str | None]
"""Returns the text of a file by its path from the project's folder; None where there is none."""


def collect_files(entry: Mapping[str, Any], read: Reading) -> dict[str, str]:
    """Returns the texts of a tool's files by path, as far as `read` finds them."""
    found: dict[str, str] = {}
    settings = entry.get("settings", {})
    if entry.get("kind") == "python":
        _gather(code_of(entry), read, found)
    if entry.get("kind") == "mcp":
        _gather(f"{FOLDER}/{entry['name']}.mcp.json", read, found)
        for word in settings.get("command", []):
            _gather(word, read, found)
    return found


def code_of(entry: Mapping[str, Any]) -> str:
    """Returns the file of a Python tool's function; empty for a function of an installed module."""
    module: str = str(entry.get("settings", {}).get("function", "")).rpartition(":")[0]
    return module if module.endswith(".py") else ""


def bundle_path(path: str) -> str | None:
    """Returns the path in its only valid form; None for one that is not in the folder for such files."""
    parts_of = PurePosixPath(path).parts
    plain = len(parts_of) in range(2, DEEPEST + 1) and all(_PART.fullmatch(part) for part in parts_of)
    return "/".join(parts_of) if plain and parts_of[0] == FOLDER else None


def project_reader(root: Path) -> Reading:
    """Returns a function that reads files of a project; links that lead out of it are not followed. It raises
    BadProject."""

    def read(path: str) -> str | None:
        file = root / path
        if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
            return None
        try:
            return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BadProject(f"cannot be read as UTF-8 text: {error}", file=file) from error

    return read


def write_files(root: Path, files: Mapping[str, str], *, replace: bool) -> None:
    """Writes files into a project, all or none of them.

    Raises BadInput for one that would lie outside it, or that exists with another text and is not to be replaced.
    """
    for path, text in files.items():
        file = root / path
        if not _parent(file).resolve().is_relative_to(root.resolve()):
            raise BadInput("leads out of the project", file=file)
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise BadInput("is not a regular file, and is left as it is", file=file)
        if file.exists() and not replace and project_reader(root)(path) != text:
            raise BadInput("exists and differs; --replace uses the set's", file=file)
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(file, text.encode())
        file.chmod(0o644)


def _parent(file: Path) -> Path:
    """Returns the nearest parent folder that exists."""
    return next(folder for folder in file.parents if folder.exists())


def _gather(path: str, read: Reading, found: dict[str, str]) -> None:
    """Adds a file to `found`, with the modules beside it that it imports, and those that they import."""
    waiting = [path]
    home = PurePosixPath(path).parent
    while waiting:
        name = bundle_path(waiting.pop())
        if name is None or name in found or (text := read(name)) is None:
            continue
        found[name] = text
        if name.endswith(".py"):
            waiting += _module_files(text, home, PurePosixPath(name).parent)


def _module_files(source: str, home: PurePosixPath, beside: PurePosixPath) -> Iterator[str]:
    """Yields the possible files of the modules that a source imports: `home` is on the path, `beside` is the folder
    of the source."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _candidate_files(home, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            above = home if node.level == 0 else [beside, *beside.parents][min(node.level, len(beside.parts)) - 1]
            names = node.module.split(".") if node.module else []
            for alias in node.names:
                yield from _candidate_files(above, [*names, alias.name])


def _candidate_files(folder: PurePosixPath, names: list[str]) -> Iterator[str]:
    """Yields the possible files of a module or package, and of the packages above it."""
    for length in range(1, len(names) + 1):
        place = folder.joinpath(*names[:length])
        yield from (f"{place}.py", f"{place}/__init__.py")
