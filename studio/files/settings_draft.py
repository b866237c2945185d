"""The settings of a run that a person is about to start, or of a project: values, where each comes from, changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoact.errors import AutoActError
from autoact.project import config_file, settings
from autoact.project.config import Config
from autoact.project.presets import PRESETS
from autoact.project.settings import Setting
from autoact.registry.stages import pipeline, title
from studio.files import project_toml
from studio.files.file_undo import FileUndo

DEFAULT = "default"
"""The origin of a value that no layer sets."""
NO_PRESET, LATEST = "none", "latest"
HELD_BACK = 0.2
"""The share of the questions on which rounds are compared: three of the quick preset's sixteen."""
THIS_RUN, CHANGED = "this run", "changed"
"""The origins of a change, in a run and in a project."""
ORIGINS = {config_file.DEFAULTS: "your defaults", config_file.PROJECT: "project"}
"""The texts for two layers of settings."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting with its current value."""

    setting: Setting
    value: str
    origin: str


class SettingsDraft:
    """Settings with the changes that a person has made. Reading them raises AutoActError for a file that is wrong."""

    def __init__(
        self, project: Path, undo: FileUndo, *, bases: Sequence[str] | None = None, first: str = "", base: str = ""
    ):
        """`undo` gets what is saved in project.toml. `bases` are the runs whose results a new run can use, from the
        stage `first` on; None for the settings of the project itself."""
        self.project, self.undo = project, undo
        self._plan = () if bases is None else _plan(bases, first, base)
        self._planned = {setting.key: setting.default for setting in self._plan}
        self.changes: dict[str, str] = {}
        """The changed settings, as TOML."""

    @property
    def is_run(self) -> bool:
        """True for a new run, False for the settings of the project."""
        return bool(self._plan)

    @property
    def preset(self) -> str | None:
        found = self._planned.get("run.preset", NO_PRESET)
        return None if found == NO_PRESET else found

    @property
    def edited(self) -> Mapping[str, str]:
        """The values that a person changes: the plan of a run, and the changed settings."""
        return {**self._planned, **self.changes}

    def rows(self) -> list[SettingRow]:
        """Returns all settings, those of the run first. Raises AutoActError."""
        layers = self._layers()
        origins = settings.find_origins(layers)
        values: dict[str, Any] = {}
        for _, layer in layers:
            values = config_file.merge(values, layer)
        plan = [(one, self._planned[one.key]) for one in self._plan]
        chosen = [SettingRow(one, value, DEFAULT if value == one.default else THIS_RUN) for one, value in plan]
        return [*chosen, *(self._row(one, values, origins.get(one.key, "")) for one in settings.all_settings())]

    def _layers(self) -> list[tuple[str, dict[str, object]]]:
        file = self.project / "project.toml"
        return config_file.read_layers(file, preset=self.preset, changes=self.changes)

    def _row(self, setting: Setting, values: Mapping[str, object], layer: str) -> SettingRow:
        found = settings.find_value(values, setting.key)
        match layer:
            case config_file.PRESET:
                origin = f"preset {self.preset}"
            case config_file.RUN:
                origin = THIS_RUN if self.is_run else CHANGED
            case _:
                origin = ORIGINS.get(layer, DEFAULT)
        return SettingRow(setting, setting.default if found is None else settings.value_text(found), origin)

    def change(self, setting: Setting, text: str) -> str:
        """Sets a value; returns the error text if it is refused."""
        if setting.key in self._planned:
            return self._change_plan(setting, text)
        written = json.dumps(text, ensure_ascii=False) if setting.kind in ("text", "one of its words") else text
        changes = {**self.changes, setting.key: written}
        try:
            config_file.read(self.project / "project.toml", preset=self.preset, changes=changes)
        except AutoActError as error:  # the boundary of a command: shown, not raised
            reason = str(error).replace(" (in a preset or a --set)", "")
            is_number = setting.kind.startswith(("whole number", "number"))
            of_type = is_number and f"key `{setting.key}`: expected `" in reason
            return f"{setting.key}: expected a {setting.kind}, found {text.strip() or 'nothing'}" if of_type else reason
        self.changes = changes
        return ""

    def _change_plan(self, setting: Setting, text: str) -> str:
        if setting.words and text not in setting.words:
            return f"expected {' or '.join(setting.words)}, not `{text}`"
        self._planned[setting.key] = text.strip()
        return ""

    def reset(self, setting: Setting) -> None:
        """Takes a change back."""
        self.changes.pop(setting.key, None)
        if setting.key in self._planned:
            self._planned[setting.key] = setting.default

    def config(self) -> Config:
        """Returns the settings with the changes. Raises AutoActError."""
        return config_file.read(self.project / "project.toml", preset=self.preset, changes=self.changes)

    def save(self) -> None:
        """Writes the changes into project.toml, where they are no longer changes. Raises AutoActError or OSError."""
        if self.changes:
            self.undo.add(*project_toml.save_sections(self.project, config_file.parse_changes(self.changes)))
        self.changes = {}

    def options(self) -> tuple[str, ...]:
        """Returns the options of `autoact run` for this run. Raises AutoActError."""
        first, last, rounds = (self._planned[f"run.{name}"] for name in ("from", "to", "rounds"))
        options = [
            "--new",
            "--detach",
            *(("--preset", self.preset) if self.preset else ()),
            "--from",
            first,
            "--to",
            last,
        ]
        if first != pipeline()[0] and self._planned["run.base"] != LATEST:
            options.append(f"--base={self._planned['run.base']}")
        if rounds not in ("", "0"):
            options.append(f"--rounds={rounds}")
            if not self.config().self_instruct.validation:
                options.append(f"--set=self_instruct.validation={HELD_BACK}")
        return (*options, *(f"--set={key}={value}" for key, value in self.changes.items()))


def _plan(bases: Sequence[str], first: str, base: str) -> tuple[Setting, ...]:
    """Returns what `autoact run` asks beside the settings."""
    stages = pipeline()
    named = ", ".join(f"{name}: {title(name)}" for name in stages if name.replace("_", " ") != title(name))
    return (
        Setting("run", "preset", "one of its words", "quick", "", "Settings that override those of the project.",
                (*PRESETS, NO_PRESET)),
        Setting("run", "from", "one of its words", first or stages[0], "", f"The first stage to play. {named}", stages),
        Setting("run", "to", "one of its words", stages[-1], "", "The last stage to play.", stages),
        Setting("run", "base", "one of its words", base or LATEST, "", "The run whose results replace those of the "
                "stages that are left out.", (LATEST, *bases)),
        Setting("run", "rounds", "whole number from 0", "0", "rounds", "Further rounds, compared on questions that are "
                "held back: a fifth of them, where self_instruct.validation is 0."),
    )  # fmt: skip
