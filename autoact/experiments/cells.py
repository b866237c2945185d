"""Expands an experiment to cells: each has a value for every axis, and the settings that follow from them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from autoact.errors import BadInput
from autoact.experiments.experiment import Experiment
from autoact.project import config_file
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.registry.methods import METHODS

ADAPTERS = ("none", "one", "three", "per tool")
"""Values of the axis `adapters`. `per tool` has one adapter for the arguments of each selected tool."""
SWITCHES = ("filtering", "reflection", "training")
"""Axes that are true or false."""
MOST_CELLS, MOST_ROUNDS = 2000, 20
AXES = ("method", "seed", "data", "adapters", *SWITCHES, "rounds", "model")
"""Names of axes that are no settings. A row may also have a `name`."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of values."""

    values: Mapping[str, Any]
    """By axis, in the order of the file."""
    config: Config
    common: Config
    """The settings that all cells share: those of stages that this cell's values do not change."""
    method: str
    """The method that answers; that of the base model where the cell trains none."""
    trained: bool
    """Whether its method needs adapters."""
    per_tool: bool
    rounds: int

    @property
    def title(self) -> str:
        """The name of its row, if it has one, and its values in words."""
        words = ", ".join(describe_value(axis, value) for axis, value in self.values.items() if axis != "name")
        name = str(self.values.get("name", ""))
        return f"{name} ({words})" if name and words else name or words


def describe_value(axis: str, value: Any) -> str:
    """Returns the value of an axis in words."""
    if isinstance(value, bool):
        return f"{axis} {'on' if value else 'off'}"
    return str(value) if axis == "method" else f"{axis} {value}"


def expand(project: Project, experiment: Experiment) -> list[Cell]:
    """Returns the cells: each row, or none, with each combination of the axes. Raises BadInput with file and line."""
    common = config_file.override(
        project.config(experiment.preset or None), experiment.settings,
        lambda key, why: experiment.error(why, "settings", key),
    )  # fmt: skip
    count = max(1, len(experiment.rows))
    for values in experiment.axes.values():
        count *= len(values)
    if count > MOST_CELLS:
        raise experiment.error(f"makes {count} cells; expected at most {MOST_CELLS}", "axes")
    return [_cell(project.root, experiment, common, *each) for each in _combinations(experiment)]


def _combinations(experiment: Experiment) -> Iterator[tuple[dict[str, Any], int]]:
    """Yields values by axis, with the number of their row; 0 without rows."""
    rows = list(enumerate(experiment.rows, 1)) or [(0, {})]
    for number, row in rows:
        for values in product(*experiment.axes.values()):
            yield {**row, **dict(zip(experiment.axes, values, strict=True))}, number


def _cell(root: Path, experiment: Experiment, common: Config, values: dict[str, Any], row: int) -> Cell:
    for axis, value in values.items():
        if problem := _find_problem(axis, value):
            raise _error(experiment, axis, problem, row)
    settings: dict[str, Any] = {axis: value for axis, value in values.items() if "." in axis}
    settings |= {key: value for axis, value in values.items() if axis in AXES for key, value in _settings(axis, value)}
    config = config_file.override(
        common, settings, lambda key, why: _error(experiment, _axis_of(key, values), why, row)
    )
    config = config_file.resolve_model_path(config, root)
    untrained = values.get("training") is False or values.get("adapters") == "none" or values.get("data") == 0
    method = values.get("method", "group")
    if untrained and METHODS.get(method).needs_adapters:
        method = _untrained_method(experiment, method, row)
    config = replace(config, group_planning=replace(config.group_planning, compare=(method,)))
    return Cell(
        values, config, common, method, METHODS.get(method).needs_adapters, values.get("adapters") == "per tool",
        values.get("rounds", 0),
    )  # fmt: skip


def _settings(axis: str, value: Any) -> list[tuple[str, Any]]:
    """Returns the settings that a value of an axis stands for, by section.key."""
    match axis:
        case "seed":
            return [("model.seed", value)]
        case "model":
            return [("model.id", value)]
        case "method" if own := METHODS.get(value).cast.adapters:  # adapters of its own, such as that of FireAct
            return [("differentiation.adapters", _parts_by_adapter(own))]
        case "data":
            return [("differentiation.trajectories", value)]
        case "adapters" if value == "one":
            return [("differentiation.adapters", {"one": ["plan", "tool", "reflect"]})]
        case "adapters" if value == "three":
            return [("differentiation.adapters", {name: [name] for name in ("plan", "tool", "reflect")})]
        case "filtering":
            return [("filtering.everything", not value)]
        case "reflection" if not value:
            return [("group_planning.reflections", 0)]
    return []


def _parts_by_adapter(adapters: Mapping[str, str]) -> dict[str, list[str]]:
    """Returns the parts that each adapter of a cast plays."""
    return {name: [part for part, plays in adapters.items() if plays == name] for name in adapters.values()}


def _find_problem(axis: str, value: Any) -> str:
    """Returns why a value does not fit an axis; empty if it does. Settings are checked where they are converted."""
    if "." in axis:
        own = {"group_planning.compare": "method", "model.seed": "seed", "model.id": "model"}.get(axis)
        return f"expected the axis `{own}` in its place" if own else ""
    if axis not in (*AXES, "name"):
        near = difflib.get_close_matches(axis, AXES, 1)
        return "unknown axis" + (f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(AXES)}, section.key")
    whole = isinstance(value, int) and not isinstance(value, bool)
    fits, expected = {
        "method": (isinstance(value, str) and value in METHODS, f"one of {', '.join(METHODS.names())}"),
        "adapters": (isinstance(value, str) and value in ADAPTERS, f"one of {', '.join(ADAPTERS)}"),
        "seed": (whole, "a whole number"),
        "data": (whole and value >= 0, "a number of trajectories, 0 for no training"),
        "rounds": (whole and 0 <= value <= MOST_ROUNDS, f"a number from 0 to {MOST_ROUNDS}"),
    }.get(axis, (isinstance(value, bool), "true or false") if axis in SWITCHES else (isinstance(value, str), "a text"))
    return "" if fits else f"expected {expected}, found {value!r}"


def _untrained_method(experiment: Experiment, method: str, row: int) -> str:
    """Returns the method of the base model that answers as this one does. Raises BadInput when there is none."""
    twin = method.replace("group", "meta", 1)
    if twin not in METHODS or METHODS.get(twin).needs_adapters:
        raise _error(experiment, "method", f"`{method}` needs adapters, and a cell with it trains none", row)
    return twin


def _error(experiment: Experiment, axis: str, why: str, row: int) -> BadInput:
    of_row = bool(row) and axis not in experiment.axes
    return experiment.error(why, "rows" if of_row else "axes", axis, row if of_row else 0)


def _axis_of(key: str, values: Mapping[str, Any]) -> str:
    """Returns the axis that gave a setting its value."""
    return next((axis for axis in values if axis == key or key.startswith(f"{axis}.")), key)
