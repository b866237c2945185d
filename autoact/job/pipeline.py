"""What each stage is given: the project's own files, and what earlier stages left in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoact import stages
from autoact.config import Config
from autoact.errors import BadProject
from autoact.job.inputs import Inputs
from autoact.run.conductor.world import Commits, World
from autoact.run.record.state import RunState
from autoact.script import Card, Stage, Unit
from autoact.stages.differentiation import differentiation
from autoact.stages.filtering import filtering
from autoact.stages.group_planning import group_planning, session, solved, turn
from autoact.stages.self_instruct import Grounds, reference, self_instruct
from autoact.stages.synthesis import attempt, committed, synthesis
from autoact.stages.tool_selection import tool_selection
from autoact.tools.library.demonstration import is_usable
from autoact.tools.library.shortlist import choose_tools
from autoact.trajectory import GROUP, SUB_AGENTS, Role, Tool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The paper's stages over one project's inputs."""

    config: Config
    inputs: Inputs
    world: World
    teach: Callable[[Card], None]
    """Tells the trainer under which prompt the sub-agents will work."""
    root: Path
    """The run folder, which adapter paths are relative to."""

    def stage(self, name: str, state: RunState) -> tuple[Stage, int]:
        """A stage's script over what the log holds so far, and how many results it expects (0: it cannot know)."""
        return {
            stages.SELF_INSTRUCT: self._self_instruct,
            stages.TOOL_SELECTION: self._tool_selection,
            stages.SYNTHESIS: self._synthesis,
            stages.FILTERING: self._filtering,
            stages.DIFFERENTIATION: self._differentiation,
            stages.GROUP_PLANNING: self._group_planning,
            stages.SESSION: self._session,
        }[name](state)

    def made(self, name: str, state: RunState) -> int:
        """What a finished stage leaves behind, as a count."""
        return {
            stages.SELF_INSTRUCT: len(state.questions),
            stages.TOOL_SELECTION: len(state.selected),
            stages.SYNTHESIS: len(state.trajectories),
            stages.FILTERING: sum(verdict.kept for verdict in state.verdicts.values()),
            stages.DIFFERENTIATION: len(state.adapters),
            stages.GROUP_PLANNING: len(state.solved),
            stages.SESSION: len(state.solved),
        }[name]

    # -- the stages --------------------------------------------------------------------------------------------------

    def _self_instruct(self, state: RunState) -> tuple[Stage, int]:
        if self.config.synthesis.questions == "reference":
            return reference(self.inputs.reference), len(self.inputs.reference)
        grounds = Grounds(
            self.config.task, self.inputs.examples, self.inputs.passages, self.inputs.held_out, self.config.model.seed
        )
        return self_instruct(grounds, self.config.self_instruct), self.config.self_instruct.target

    def _tool_selection(self, state: RunState) -> tuple[Stage, int]:
        inputs, task, settings = self.inputs, self.config.task, self.config.tool_selection
        best, others = choose_tools(task.description, inputs.examples, inputs.ready, settings.offered)
        unfit = {**inputs.unfit, **others}
        return tool_selection(task, inputs.examples, best, unfit, settings, crowded=bool(others)), 0

    def _synthesis(self, state: RunState) -> tuple[Stage, int]:
        questions = [*(example.question for example in self.inputs.examples), *state.questions]
        settings = self.config.synthesis
        return synthesis(questions, self.meta_card(state), settings), len(questions) * settings.samples

    def _filtering(self, state: RunState) -> tuple[Stage, int]:
        trajectories = list(state.trajectories.values())
        return filtering(trajectories, self.config.filtering, state.verdicts), len(trajectories)

    def _differentiation(self, state: RunState) -> tuple[Stage, int]:
        self.teach(self.group_card(state))
        settings, seed = self.config.differentiation, self.config.model.seed
        trajectories = list(state.trajectories.values())
        return differentiation(trajectories, state.verdicts, settings, seed), len(SUB_AGENTS)

    def _group_planning(self, state: RunState) -> tuple[Stage, int]:
        settings, cards = self.config.group_planning, self._cards(state)
        asked = self.inputs.asked
        return group_planning(asked, cards, settings), len(asked) * len(cards)

    def _session(self, state: RunState) -> tuple[Stage, int]:
        return session(self._cards(state), self.config.group_planning, self.config.session.idle), 0

    def revive(self, name: str, state: RunState) -> tuple[Unit, Commits] | None:
        """The unit of a finished stage again, so that it can be forked; None when no episode has this name."""
        if (trajectory := state.trajectories.get(name)) is not None:
            return attempt(name, trajectory.question, self.meta_card(state), self.config.synthesis), committed
        for solution in state.solved:
            if solution.trajectory.unit == name:
                card = self._cards(state)[solution.cast]
                return turn(solution.cast, solution.trajectory.question, card, self.config.group_planning), solved
        return None

    def _cards(self, state: RunState) -> dict[str, Card]:
        """What each cast that answers is told; the group's adapters are put on."""
        cards = {"meta": self.meta_card(state), "group": self.group_card(state)}
        chosen = {name: cards[name] for name in self.config.group_planning.compare}
        if GROUP.name in chosen:
            adapters = self._adapters(state)
            if adapters:
                self.world.engine.adapt(adapters)
            else:
                del chosen[GROUP.name]  # nothing was kept to train it on: the meta-agent's scores still stand
        return chosen

    def _adapters(self, state: RunState) -> dict[Role, Path]:
        """Folders of the three adapters; none when this run's training had nothing to learn from.

        Raises BadProject when no run has trained a group yet.
        """
        if all(role in state.adapters for role in SUB_AGENTS):
            return {role: self.root / state.adapters[role].path for role in SUB_AGENTS}
        if stages.DIFFERENTIATION in self.config.run.stages and stages.SYNTHESIS in state.stages:
            return {}
        raise BadProject("the group needs a run that trained its adapters; start with `autoact run`")

    # -- cards -------------------------------------------------------------------------------------------------------

    def meta_card(self, state: RunState) -> Card:
        """What the meta-agent is told, worked seed examples included."""
        return self._card(state, self.config.synthesis.demonstrations)

    def group_card(self, state: RunState) -> Card:
        """What the sub-agents are told, in training and in group planning alike."""
        return self._card(state, self.config.differentiation.demonstrations)

    def _card(self, state: RunState, demonstrations: int) -> Card:
        tools = self._tools(state)
        names = {tool.name for tool in tools}
        shown = [example for example in self.inputs.examples if is_usable(example, names)]
        return Card(self.config.task.description, tuple(tools), tuple(shown[:demonstrations]))

    def _tools(self, state: RunState) -> Sequence[Tool]:
        """The selected tools; every ready one when nothing was selected."""
        selected = [name for name, _ in state.selected]
        by_name = {tool.name: tool for tool in self.inputs.ready}
        return [by_name[name] for name in selected if name in by_name] or self.inputs.ready
