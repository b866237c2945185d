"""The context of a stage: the settings, the project's own files, and the results of earlier stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoact.errors import BadProject
from autoact.project.config import Config
from autoact.registry.methods import METHODS
from autoact.registry.stages import DIFFERENTIATION, SYNTHESIS
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.script import Card
from autoact.tools.library.demonstration import is_usable
from autoact.trajectory import Cast, Example, Page, Question, Tool


@dataclass(frozen=True, slots=True)
class Inputs:
    """The material that a project gives to its runs."""

    examples: tuple[Example, ...]
    """Seed examples; those with steps have their observations."""
    asked: tuple[Question, ...]
    """The questions of group planning: held-out questions, a data set, or one question of a person."""
    ready: tuple[Tool, ...]
    """Tools that can run."""
    unfit: Mapping[str, str]
    """Tools that cannot run, with the reason."""
    passages: tuple[Page, ...] = ()
    """This field and the next two are for self-instruct, and empty in runs without it."""
    reference: tuple[Question, ...] = ()
    held_out: tuple[Question, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    """Digests of what the run reads, by name: corpus, tools, prompts, model."""
    make_task: str = ""
    """The environment's action that makes a practice task from a number; empty where the model writes questions."""


@dataclass(frozen=True, slots=True)
class StageContext:
    """The settings, inputs and earlier results that a stage may use."""

    config: Config
    inputs: Inputs
    state: RunState
    """The content of the log so far."""
    root: Path
    """The run folder; paths of adapters are relative to it."""
    adapt: Callable[[Mapping[str, Path]], None]
    """Loads adapters into the engine, by name."""

    def adapt_earlier(self) -> Cast:
        """Loads the adapters of the round before; returns their cast. Raises BadProject when some are missing."""
        cast, folder = self.sub_agents(), RunFolder(self.root).earlier_adapters
        if missing := [name for name in cast.names() if not (folder / name).is_dir()]:
            raise BadProject(
                f"the base run has no adapter {', '.join(missing)}, which `differentiation.adapters` names"
            )
        self.adapt({name: folder / name for name in cast.names()})
        return cast

    def meta_card(self) -> Card:
        """Returns the card of the meta-agent, with worked seed examples."""
        return self._card(self.config.synthesis.demonstrations)

    def group_card(self) -> Card:
        """Returns the card of the sub-agents, the same in training and in group planning."""
        return self._card(self.config.differentiation.demonstrations)

    def card(self, cast: Cast) -> Card:
        """Returns the card of a cast."""
        return self.group_card() if cast.adapters else self.meta_card()

    def tools(self) -> Sequence[Tool]:
        """Returns the selected tools, or every tool that can run when none was selected."""
        by_name = {tool.name: tool for tool in self.inputs.ready}
        return [by_name[name] for name, _ in self.state.selected if name in by_name] or self.inputs.ready

    def sub_agents(self) -> Cast:
        """Returns the cast of the adapters that differentiation trains."""
        return self.config.differentiation.cast()

    def casts(self) -> dict[str, Cast]:
        """Returns the cast of every method to be compared, by the method's name, and loads the adapters they need.

        Leaves out methods that need adapters when this run's training had nothing to learn from: the scores of
        the others remain valid. Raises BadInput for an unknown method, BadProject when no run has trained the adapters.
        """
        methods = [METHODS.get(name) for name in self.config.group_planning.compare]
        trained = self.sub_agents().adapters
        casts = {method.name: Cast(method.name, trained) if method.trained else method.cast for method in methods}
        needed = dict.fromkeys(name for cast in casts.values() for name in cast.names())
        adapters = {name: self.root / found.path for name in needed if (found := self.state.adapters.get(name))}
        if len(adapters) < len(needed):
            run = self.config.run
            if not (DIFFERENTIATION in run.stages and SYNTHESIS in self.state.stages):
                raise BadProject("the group needs a run that trained its adapters; start with `autoact run`")
            casts = {name: cast for name, cast in casts.items() if all(one in adapters for one in cast.names())}
        if adapters:
            self.adapt(adapters)
        return casts

    def _card(self, demonstrations: int) -> Card:
        tools = self.tools()
        names = {tool.name for tool in tools}
        shown = [example for example in self.inputs.examples if is_usable(example, names)]
        return Card(self.config.task.description, tuple(tools), tuple(shown[:demonstrations]))
