"""Finds the runs that the cells of an experiment share: cells with equal settings up to a stage share it.

The stages of all cells form a tree. A stage is identified by its key, a digest of the settings that its result depends
on: those of its own section and of the stages before it. Stages that follow each other without a branch are one run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from autoact.experiments.cells import Cell
from autoact.lessons import draw_kept
from autoact.project.config import Config, Plan
from autoact.registry.stages import (
    DIFFERENTIATION,
    FILTERING,
    GROUP_PLANNING,
    SYNTHESIS,
    pipeline,
)
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import FINISH, REFLECT

UNNEEDED = (SYNTHESIS, FILTERING, DIFFERENTIATION)
"""Stages without which the base model can answer."""
EVERY_STAGE = ("task", "model", "server", "author")
"""Sections on which the results of every stage depend."""

WITHOUT_EFFECT = (("model", "prompt_price"), ("model", "generated_price"), ("run", "without"))
"""Settings that change no result of a cell, or that cells do not have; keys from before they existed stay valid."""
LONGEST_NAME = 30
"""The most characters of an adapter's name."""


@dataclass(slots=True)
class StageNode:
    """One stage of some cells, in the tree of all stages."""

    key: str
    stage: str
    round: int
    config: Config
    """The settings of the stages up to this one; later sections are those that all cells share."""
    parent: str
    """The key of the stage before it; empty for the first."""
    trained: bool
    per_tool: bool
    children: list[str] = field(default_factory=list)
    ends: bool = False
    """Whether it is the last stage of a cell."""


@dataclass(slots=True)
class SharedRun:
    """Stages that follow each other and are played by one run."""

    nodes: list[StageNode]
    run: str = ""
    """The name of its run; empty before it is made."""

    @property
    def key(self) -> str:
        return self.nodes[-1].key

    @property
    def parent(self) -> str:
        """The key of the stage whose results it takes over; empty when it plays from the beginning."""
        return self.nodes[0].parent

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of its run, in order."""
        return tuple(node.stage for node in self.nodes)

    def make_config(self, base: RunFolder | None, before: RunState) -> Config:
        """Returns the settings of the run; `base` is the run with the stage before, `before` what is logged there."""
        last = self.nodes[-1]
        skips = () if last.trained else UNNEEDED
        plan = Plan(self.stages, base.name if base else "", round=self.nodes[0].round, skips=skips)
        config = replace(last.config, run=plan)
        if not last.per_tool or base is None or DIFFERENTIATION not in (*self.stages, *before.stages):
            return config
        if before.adapters:
            adapters = base.read_config()["differentiation"]["adapters"]
        else:
            adapters = make_tool_adapters(before, config)
        return replace(config, differentiation=replace(config.differentiation, adapters=adapters))


def make_tool_adapters(state: RunState, config: Config) -> dict[str, tuple[str, ...]]:
    """Returns an adapter for the arguments of each tool that is learned from, and one for all other arguments."""
    verdicts = draw_kept(state.verdicts, config.differentiation.trajectories, config.model.seed)
    kept = [one for unit, one in state.trajectories.items() if (verdict := verdicts.get(unit)) and verdict.kept]
    called = dict.fromkeys(step.action for one in kept for step in one.steps if step.action not in (FINISH, REFLECT))
    own = {_adapter_name(number, name): (f"tool:{name}",) for number, name in enumerate(sorted(called), 1)}
    return {"plan": ("plan",), "tool": ("tool",), **own, "reflect": ("reflect",)}


@dataclass(frozen=True, slots=True)
class StageTree:
    """The stages of all cells by key, parents first, and the key of each cell's last stage."""

    nodes: Mapping[str, StageNode]
    ends: Sequence[str]
    """In the order of the cells."""

    @classmethod
    def of(cls, cells: Sequence[Cell], seed_from: str) -> StageTree:
        """Returns the tree of these cells; stages before `seed_from` have the seed that all cells share."""
        nodes: dict[str, StageNode] = {}
        ends = [_add(nodes, cell, seed_from) for cell in cells]
        return cls(nodes, ends)

    def runs(self, journal: Mapping[str, str]) -> list[SharedRun]:
        """Returns the runs that play all stages, bases first. `journal` has the runs of stages that were begun."""
        found: dict[str, SharedRun] = {}
        for node in self.nodes.values():
            run, before = journal.get(node.key, ""), found.get(node.parent)
            if before is not None and run == before.run and (run or not self._begins_run(node)):
                before.nodes.append(node)
                found[node.key] = before
            else:
                found[node.key] = SharedRun([node], run)
        return list({id(run): run for run in found.values()}.values())

    def _begins_run(self, node: StageNode) -> bool:
        """Returns whether a stage is to be played by another run than the stage before it."""
        before = self.nodes[node.parent]
        named = node.per_tool and node.stage == DIFFERENTIATION  # its adapters are named after tools that were called
        return before.ends or len(before.children) > 1 or node.round > before.round or (named and not node.round)


def _adapter_name(number: int, tool: str) -> str:
    return f"tool{number}-{re.sub('[^a-z0-9]+', '-', tool.casefold())}"[:LONGEST_NAME].rstrip("-")


def _add(nodes: dict[str, StageNode], cell: Cell, seed_from: str) -> str:
    """Adds the stages of a cell to the tree; returns the key of the last."""
    parent, path = "", _path(cell)
    for at, (stage, number) in enumerate(path):
        done = path[: at + 1]
        config = _settings_up_to(cell, [name for name, _ in done], seed_from)
        per_tool = cell.per_tool and cell.trained and any(name == DIFFERENTIATION for name, _ in done)
        key = _digest(config, done, per_tool)
        if key not in nodes:
            nodes[key] = StageNode(key, stage, number, config, parent, cell.trained, cell.per_tool and cell.trained)
            if parent:
                nodes[parent].children.append(key)
        parent = key
    nodes[parent].ends = True
    return parent


def _path(cell: Cell) -> list[tuple[str, int]]:
    """Returns the stages of a cell in order, each with the number of its round."""
    stages = pipeline()
    if not cell.trained:
        return [(stage, 0) for stage in stages if stage not in UNNEEDED]
    again = stages[stages.index(SYNTHESIS) : stages.index(DIFFERENTIATION) + 1]
    first = [(stage, 0) for stage in stages if stage != GROUP_PLANNING]
    return [*first, *((stage, n) for n in range(1, cell.rounds + 1) for stage in again), (GROUP_PLANNING, cell.rounds)]


def _settings_up_to(cell: Cell, stages: Sequence[str], seed_from: str) -> Config:
    """Returns the settings of a cell in the sections of these stages, and those that all cells share elsewhere."""
    sections = {name: getattr(cell.config, name) for name in (*EVERY_STAGE, *stages) if hasattr(cell.config, name)}
    order = pipeline()
    if all(order.index(stage) < order.index(seed_from) for stage in stages):
        sections["model"] = replace(cell.config.model, seed=cell.common.model.seed)
    if SYNTHESIS not in stages:  # self-instruct reads whose questions are practised
        sections["synthesis"] = replace(cell.common.synthesis, questions=cell.config.synthesis.questions)
    if GROUP_PLANNING in stages and not cell.trained:  # the base model is shown the demonstrations of synthesis
        shown = cell.config.synthesis.demonstrations
        sections["synthesis"] = replace(sections["synthesis"], demonstrations=shown)
    return replace(cell.common, **sections)


def _digest(config: Config, path: Sequence[tuple[str, int]], per_tool: bool) -> str:
    values = msgspec.to_builtins(config, order="deterministic")
    for section, name in WITHOUT_EFFECT:
        del values[section][name]
    played = {stage for stage, _ in path}
    if GROUP_PLANNING not in played:  # the other settings of answers are those of validation and of rounds too
        for name in ("limit", "tokens", "compare", "keep"):
            del values["group_planning"][name]
    if DIFFERENTIATION not in played:
        del values["differentiation"]
    settings = msgspec.json.encode((values, path, per_tool))
    return hashlib.sha256(settings).hexdigest()[:16]
