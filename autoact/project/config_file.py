"""Reads the settings of a project or a run from TOML, presets and changes; errors name file, line and key."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from autoact.errors import BadInput, BadProject
from autoact.files import disk, toml_text
from autoact.project.config import Config
from autoact.project.presets import PRESETS

DEFAULTS, PROJECT, PRESET, RUN = "defaults", "project", "preset", "this run"
"""The names of the layers of settings, from the one that every other overrides."""
OF_A_PROJECT = ("run", "task")
"""Sections that the defaults for all projects cannot have."""


def read(file: Path, *, preset: str | None = None, changes: Mapping[str, str] | None = None) -> Config:
    """Reads the settings in `file`, which override the defaults for all projects, and are overridden by a preset, then
    by `section.key=value` changes.

    Raises BadProject for a file, BadInput for the preset and the changes.
    """
    values: dict[str, Any] = {}
    for _, layer in read_layers(file, preset=preset, changes=changes):
        values = merge(values, layer)
    return _convert(values, lambda key, why: BadInput(f"{why} (in a preset or a --set)", key=key))


def read_layers(
    file: Path, *, preset: str | None = None, changes: Mapping[str, str] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """Returns the layers of settings, each with its name, from the one that every other overrides. Raises as `read`."""
    layers = []
    if (defaults := defaults_file()).exists():
        layers.append((DEFAULTS, _read_file(defaults)))
        for section in OF_A_PROJECT:
            if section in layers[0][1]:
                raise BadInput("belongs to a project, not to the defaults for all", file=defaults, key=section)
    layers.append((PROJECT, _read_file(file)))
    if preset:
        layers.append((PRESET, preset_values(preset)))
    if changes:
        layers.append((RUN, parse_changes(changes)))
    return layers


def defaults_file() -> Path:
    """Returns AUTOACT_DEFAULTS, else `defaults.toml` in the user's config folder: settings for all projects."""
    named = os.environ.get("AUTOACT_DEFAULTS")
    return disk.expand_user(named) if named else platformdirs.user_config_path("autoact") / "defaults.toml"


def _read_file(file: Path) -> dict[str, Any]:
    """Returns the checked settings in a TOML file. Raises BadProject."""
    try:
        text = file.read_text(encoding="utf-8")
        values = toml_text.parse(text)
    except FileNotFoundError as error:
        raise BadProject(
            "not found; a project folder holds a project.toml (`autoact new` makes one)", file=file
        ) from error
    except OSError as error:
        raise BadProject(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        raise BadProject(f"not UTF-8 text: {error.reason} at byte {error.start}", file=file) from error
    except toml_text.TOMLDecodeError as error:
        raise BadProject(f"not valid TOML: {error}", file=file) from error
    check_values(values, file, text)
    return values


def override(config: Config, settings: Mapping[str, Any], error: Callable[[str, str], BadInput]) -> Config:
    """Returns the settings with others replaced, by section.key. Raises `error(key, reason)` for one that is wrong."""
    values = msgspec.to_builtins(config)
    for dotted, value in settings.items():
        section, dot, key = dotted.partition(".")
        if not dot or section == "run":
            raise error(dotted, "expected section.key, as in synthesis.samples")
        values[section] = {**values.get(section, {}), key: value}
    return _convert(values, error)


def resolve_model_path(found: Config, root: Path) -> Config:
    """Returns the settings with the model's path absolute, because a job runs in another folder.

    A path that begins with a dot is resolved in the project's folder `root` first, then in the working folder.
    """
    path = Path(os.path.expanduser(found.model.id))  # noqa: PTH111 - Path.expanduser raises for an unknown user
    candidates = [root / path, path.absolute()] if found.model.id.startswith(".") else [path.absolute()]
    for candidate in candidates:
        if (candidate / "config.json").exists() or (candidate.suffix == ".gguf" and candidate.exists()):
            return msgspec.structs.replace(found, model=msgspec.structs.replace(found.model, id=str(candidate)))
    return found


def check_values(values: Mapping[str, Any], file: Path, text: str) -> Config:
    """Converts the values of a file; errors name its lines. Raises BadProject."""
    return _convert(values, lambda key, why: BadProject(why, file=file, line=toml_text.find_line(text, key), key=key))


def _convert(values: Mapping[str, Any], error: Any) -> Config:
    try:
        return msgspec.convert(values, Config)
    except msgspec.ValidationError as found:
        raise error(*toml_text.explain(str(found), Config)) from found


def preset_values(preset: str) -> dict[str, Any]:
    """Returns the settings of a preset. Raises BadInput for an unknown name."""
    if preset not in PRESETS:
        raise BadInput(f"no preset `{preset}`; known: {', '.join(PRESETS)}", key="--preset")
    file = resources.files("autoact.project.presets").joinpath(f"{preset}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def parse_changes(changes: Mapping[str, str]) -> dict[str, Any]:
    """Returns `section.key=value` pairs as nested settings; a value that is not TOML is text. Raises BadInput."""
    values: dict[str, Any] = {}
    for key, text in changes.items():
        section, dot, name = key.partition(".")
        if not dot:
            raise BadInput("expected section.key=value, as in synthesis.samples=8", key=key)
        *tables, last = name.split(".")
        table = values.setdefault(section, {})
        for inner in tables:
            table = table.setdefault(inner, {})
        table[last] = toml_text.parse_value(text)
    return values


def merge(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Returns nested settings; those of `override` replace those of `base`, a table of adapters as a whole."""
    result = dict(base)
    for key, value in override.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and key != "adapters":
            value = merge(old, value)
        result[key] = value
    return result
