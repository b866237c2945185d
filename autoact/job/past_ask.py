"""Rebuilds what the model was asked in a run, which the log has only as a digest: the unit's script is played again.

An episode is found by its stage. For a unit of another kind, such as a draft of self-instruct, the script of its stage
is played again with the answers of the log, as when a run is resumed, until it makes that unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from autoact.errors import BadInput
from autoact.events import QuestionSolved, StageStarted
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
from autoact.run.record.origins import explain_absence
from autoact.run.record.state import RunState, fold
from autoact.script import Ask, Round, StageScript, Train, Unit, digest, root_of
from autoact.stages.context import StageContext
from autoact.trajectory import HINTED, META, Adapter, Trajectory


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
    state, answers, stages = _read(folder)
    turn = answers.get(unit, n)
    if turn is None:
        last = answers.next(unit) - 1
        reason = f"the last is {last}" if last >= 0 else explain_absence(state, unit)
        raise BadInput(f"no answer {n} of `{unit}` in {folder.name}" + (f"; {reason}" if reason else ""))
    if turn.role == WORLD:
        raise BadInput(f"answer {n} of `{unit}` came from a tool or an environment, which gets no prompt")
    script = _find_unit(folder, config, state, answers, stages, unit).begin()
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


def _read(folder: RunFolder) -> tuple[RunState, Answers, dict[str, str]]:
    """Returns the state of a run, all answers in its log, and the stage in which each unit got its first answer."""
    state, answers, stages = RunState(), Answers(), dict[str, str]()
    for record in read(folder.events):
        fold(state, record)
        if unit := answers.take(record.event, record.at):
            stages.setdefault(unit, state.stage)
    return state, answers, stages


def _find_unit(
    folder: RunFolder, config: Config, state: RunState, answers: Answers, stages: Mapping[str, str], name: str
) -> Unit:
    """Returns the unit of an answer, that of its root for a fork. Raises BadInput."""
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
        unit: Unit | None = found[0] if found is not None else None
        if unit is None and (stage := stages.get(root, "")) in state.stages:
            context = replace(context, state=_state_before(folder, stage))
            script, _ = load_object(f"{STAGES.get(stage).module}:begin")(context)
            unit = _replay(script, answers, state.adapters, root)
    finally:
        environments.close()
    if unit is None:
        raise BadInput(f"`{name}` is no unit of {folder.name} whose prompts can be made again")
    return unit


def _state_before(folder: RunFolder, stage: str) -> RunState:
    """Returns the state in which a stage began."""
    state = RunState()
    for record in read(folder.events):
        if isinstance(record.event, StageStarted) and record.event.stage == stage:
            break
        fold(state, record)
    return state


def _replay(script: StageScript, answers: Answers, adapters: Mapping[str, Adapter], wanted: str) -> Unit | None:
    """Plays a stage with the answers of the log until it makes a unit, which is returned; None if it does not."""
    results: Any = None
    with closing(script):
        while True:
            try:
                item = script.send(results)
            except StopIteration:
                return None
            results = None
            if isinstance(item, Round):
                for unit in item.units:
                    if unit.name == wanted:
                        return unit
                results = [_find_result(unit, answers, adapters) for unit in item.units]


def _find_result(unit: Unit, answers: Answers, adapters: Mapping[str, Adapter]) -> Any:
    """Returns the result of a unit by the answers of the log; None if these do not reach its end, or if it fails."""
    n = 0
    reply: Any = None
    with closing(unit.begin()) as script:
        while True:
            try:
                request = script.send(reply)
            except StopIteration as end:
                return end.value
            except Exception:  # the boundary of a unit: the conductor too went on without the result
                return None
            if isinstance(request, Train):
                if (reply := adapters.get(request.adapter)) is None:
                    return None
            elif (turn := answers.get(unit.name, n)) is None:
                return None
            else:
                reply, n = turn.reply(), n + 1


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
