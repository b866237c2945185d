"""Rebuilds what the model was asked in a run, which the log has only as a digest: the unit's script is played again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoact.errors import BadInput
from autoact.events import QuestionSolved
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.registry.environments import ENVIRONMENTS
from autoact.registry.methods import METHODS
from autoact.registry.registry import load_object
from autoact.registry.roles import WORLD
from autoact.registry.stages import STAGES
from autoact.run.record.answers import Answers, Turn
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import read
from autoact.run.record.state import RunState, fold
from autoact.script import Ask, Unit, digest, root_of
from autoact.stages.context import StageContext
from autoact.trajectory import HINTED, META, Trajectory


@dataclass(frozen=True, slots=True)
class PastAsk:
    """An answer of a run's log, and the request to which it was given."""

    ask: Ask
    turn: Turn
    is_exact: bool
    """False if the request differs from the one that was answered: tools, prompts or settings have changed since."""
    state: RunState
    """The state of the whole run."""


def rebuild_ask(folder: RunFolder, config: Config, unit: str, n: int) -> PastAsk:
    """Returns answer `n` of a unit with its request. Raises BadInput if there is none, or if it cannot be rebuilt."""
    state, answers = _read(folder)
    turn = answers.get(unit, n)
    if turn is None:
        last = answers.next(unit) - 1
        raise BadInput(f"no answer {n} of `{unit}` in {folder.name}" + (f"; the last is {last}" if last >= 0 else ""))
    if turn.role == WORLD:
        raise BadInput(f"answer {n} of `{unit}` came from a tool or an environment, which gets no prompt")
    script = _find_unit(folder, config, state, unit).begin()
    try:
        request = script.send(None)
        for number in range(n):
            request = script.send(answers.units[unit][number].reply())
    except (StopIteration, KeyError) as error:
        raise BadInput(f"the answers of `{unit}` before {n} are incomplete, or its script has changed") from error
    finally:
        script.close()
    if not isinstance(request, Ask):
        raise BadInput(f"the script of `{unit}` has changed: answer {n} is not one of the model any more")
    return PastAsk(request, turn, digest(request) == turn.digest, state)


def _read(folder: RunFolder) -> tuple[RunState, Answers]:
    """Returns the state of a run and all answers in its log."""
    state, answers = RunState(), Answers()
    for record in read(folder.events):
        fold(state, record)
        answers.take(record.event, record.at)
    return state, answers


def _find_unit(folder: RunFolder, config: Config, state: RunState, name: str) -> Unit:
    """Returns the unit of an episode, of its root for a fork. Raises BadInput."""
    root = root_of(name)
    project = Project.open(folder.path.parent.parent)
    inputs, environments = load_object(ENVIRONMENTS.get(config.task.environment).open)(config, project)
    try:
        _end(state, root)
        context = StageContext(config, inputs, state, folder.path, lambda adapters: None)
        found: Any = None
        for stage in state.stages:
            if found is None and STAGES.get(stage).forkable:
                found = load_object(f"{STAGES.get(stage).module}:find")(root, context)
    finally:
        environments.close()
    if found is None:
        raise BadInput(f"`{name}` is no episode that the model has played in {folder.name}; its prompts are not kept")
    unit: Unit = found[0]
    return unit


def _end(state: RunState, unit: str) -> None:
    """Adds a result for an episode that has none, since stages find ended episodes only."""
    question = state.begun.get(unit)
    if question is None or unit in state.trajectories or any(one.trajectory.unit == unit for one in state.solved):
        return
    asked = state.injected.get(unit)
    named = (method.name for method in METHODS if unit == f"{method.name}-{question.id}")
    cast = asked.cast if asked is not None else next(named, "")
    if cast:
        state.solved.append(QuestionSolved(cast, Trajectory(unit, question, (), cast=cast)))
    elif unit.startswith(("t-", "h-")):
        made = HINTED if unit.startswith("h-") else ""
        state.trajectories[unit] = Trajectory(unit, question, (), cast=META, made=made)
