"""Reads an experiment, experiments/NAME/experiment.toml in a project; errors name file, line and key.

title = "..."               what it is about, in a few words
preset = "quick"            settings for all cells
[settings]                  more settings for all cells, by section.key
[axes]                      each name has a list of values; every combination of values is a cell
[[rows]]                    values that are not a grid; each row is combined with the axes
seed_from = "STAGE"         the first stage that the axis `seed` changes; the stages before it are shared by all seeds
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoact.errors import BadInput
from autoact.files import disk, toml_text
from autoact.project.presets import PRESETS
from autoact.registry.stages import pipeline

FILE = "experiment.toml"
KEYS = ("title", "preset", "settings", "axes", "rows", "seed_from")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}")
"""The name of an experiment, which is that of its folder and begins the names of its runs."""
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"-]+)\s*\]")


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment, as its file says it. Values are not checked yet; cells.py does."""

    folder: Path
    title: str
    preset: str
    settings: Mapping[str, Any]
    """By section.key."""
    axes: Mapping[str, list[Any]]
    rows: list[Mapping[str, Any]]
    seed_from: str
    text: str
    """The text of the file, in which errors find their line."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def error(self, why: str, table: str, key: str = "", row: int = 0) -> BadInput:
        """Returns the error for a key of a table, or of one of the rows, which are counted from 1."""
        place = f"rows[{row}]" if row else table
        dotted = ".".join(part for part in (place, key) if part)
        return BadInput(why, file=self.file, line=find_line(self.text, table, key, row), key=dotted)


def experiments_folder(project_root: Path) -> Path:
    """Returns the folder with a folder for each experiment of a project."""
    return project_root / "experiments"


def list_experiments(project_root: Path) -> list[str]:
    """Returns the names of a project's experiments, sorted."""
    return sorted(file.parent.name for file in experiments_folder(project_root).glob(f"*/{FILE}"))


def find_experiment(project_root: Path, name: str = "") -> Experiment:
    """Reads the experiment of this name, or the only one. Raises BadInput, which lists those that there are."""
    names = list_experiments(project_root)
    if not name and len(names) == 1:
        name = names[0]
    if name not in names:
        problem = f"no experiment `{name}`" if name else "expected the name of an experiment"
        others = f"there is {', '.join(names)}" if names else "there is none yet; `autoact lab new` makes one"
        raise BadInput(f"{problem}; {others}", file=experiments_folder(project_root))
    return read_experiment(experiments_folder(project_root) / name)


def create_experiment(project_root: Path, name: str, text: str) -> Path:
    """Makes the folder and the file of an experiment; returns the file. Raises BadInput, also when there is one."""
    if not NAME.fullmatch(name):
        raise BadInput(f"`{name}` is no name: expected letters, digits, - and _", key="EXPERIMENT")
    file = experiments_folder(project_root) / name / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise BadInput("there is an experiment of this name already", file=file) from error
    return file


def read_experiment(folder: Path) -> Experiment:
    """Reads the experiment in a folder. Raises BadInput."""
    file = folder / FILE
    try:
        text = disk.read_file(file).decode()
        values = toml_text.parse(text)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 text: {error.reason} at byte {error.start}", file=file) from error
    except toml_text.TOMLDecodeError as error:
        raise BadInput(f"not valid TOML: {error}", file=file) from error
    found = Experiment(
        folder, str(values.get("title", folder.name)), values.get("preset", ""), flatten(values.get("settings", {})),
        flatten(values.get("axes", {})), _rows(values.get("rows", [])), values.get("seed_from", pipeline()[0]), text,
    )  # fmt: skip
    _check(found, values)
    return found


def flatten(table: Any) -> dict[str, Any]:
    """Returns a table with `section.key` in place of tables within it; other values, and no table, are left as is."""
    flat: dict[str, Any] = {}
    for key, value in table.items() if isinstance(table, Mapping) else ():
        if isinstance(value, Mapping) and "." not in key:
            flat |= {f"{key}.{inner}": one for inner, one in value.items()}
        else:
            flat[key] = value
    return flat


def _rows(rows: Any) -> list[Mapping[str, Any]]:
    return [flatten(row) for row in rows] if isinstance(rows, list) else []


def _check(found: Experiment, values: Mapping[str, Any]) -> None:
    """Raises BadInput for an unknown key, a value of another kind, and an axis without values."""
    for key, value in values.items():
        if key not in KEYS:
            raise found.error(f"unknown key; known: {', '.join(KEYS)}", "", key)
        kind, words = _KINDS.get(key, (str, "a text"))
        rows = value if key == "rows" else ()
        if not isinstance(value, kind) or any(not isinstance(row, dict) for row in rows):
            raise found.error(f"expected {words}", "", key)
    if found.preset and found.preset not in PRESETS:
        raise found.error(f"no preset `{found.preset}`; known: {', '.join(PRESETS)}", "", "preset")
    if found.seed_from not in pipeline():
        raise found.error(f"no stage `{found.seed_from}`; known: {', '.join(pipeline())}", "", "seed_from")
    for name, axis in found.axes.items():
        if not isinstance(axis, list) or not axis:
            raise found.error("expected a list of values, such as [1, 2, 3]", "axes", name)
        if any(axis.count(value) > 1 for value in axis):
            raise found.error("a value stands twice in this axis", "axes", name)
    for number, row in enumerate(found.rows, 1):
        if twice := next((name for name in row if name in found.axes), ""):
            raise found.error("is an axis already, whose values every row has", "rows", twice, number)
    if not found.axes and not found.rows:
        raise found.error("expected [axes] or [[rows]], from which cells are made", "")


_KINDS: dict[str, tuple[type, str]] = {
    "settings": (dict, "a table of settings, as in synthesis.samples = 2"),
    "axes": (dict, "a table of lists, as in seed = [1, 2, 3]"),
    "rows": (list, "tables, each under a line [[rows]]"),
}


def find_line(text: str, table: str, key: str = "", row: int = 0) -> int | None:
    """Returns the line of a key in a table of a TOML text, of the table if the key is absent, None without either."""
    here, seen, found = "", 0, None
    name = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=") if key else None
    section, _, inner = key.partition(".")
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            here = header[2].replace('"', "")
            seen += header[1] == "[[" and here == table
            if here == (table or key) and (not row or seen == row):
                found = number
        inside = here == table and (not row or seen == row)
        if name and inside and name.match(line):
            return number
        if inner and here == f"{table}.{section}" and re.match(rf"\s*{re.escape(inner)}\s*=", line):
            return number
    return found
