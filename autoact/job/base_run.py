"""Copies the results of stages that a run skips from its base run, which it does not need afterwards."""

from __future__ import annotations

import shutil

from autoact.errors import BadInput
from autoact.events import Event, StageFinished, TrajectoryCommitted, TrajectoryJudged
from autoact.project.config import Plan
from autoact.registry.stages import DIFFERENTIATION, STAGES, SYNTHESIS, pipeline, stage_of_event
from autoact.run.archive.pack import check_adapter
from autoact.run.record.folder import RunFolder, find_run
from autoact.run.record.journal import Journal
from autoact.run.record.log import read
from autoact.run.record.replay import Memory
from autoact.trajectory import BY_FILTER


def adopt(journal: Journal, folder: RunFolder, plan: Plan) -> None:
    """Logs, once, the base run's results of every stage before this run's first.

    Raises BadInput when some are missing or cannot be read.
    """
    first = STAGES.get(plan.stages[0])
    before = pipeline()[: pipeline().index(first.takes_from or first.name)]
    wanted = [stage for stage in before if stage not in plan.skips]
    if all(stage in journal.state.stages for stage in wanted):
        return
    base = find_run(folder.path.parent.parent, plan.base)
    unreadable = Memory.of(base.events).unreadable.keys() & set(wanted)
    copied = {*wanted, SYNTHESIS} if plan.round else set(wanted)
    finished: list[StageFinished] = []
    for record in read(base.events):
        event = record.event
        if record.unread and stage_of_event(record.type) in unreadable:
            raise BadInput(f"{record.unread}; `autoact resume {base.path}` does that work again", file=base.events)
        if isinstance(event, StageFinished) and event.stage in wanted:
            finished.append(event)
        elif event is not None and _unit(event) not in plan.without:
            by_hand = plan.round and isinstance(event, TrajectoryJudged) and event.verdict.by != BY_FILTER
            if by_hand or stage_of_event(record.type) in copied:
                journal.append_once(event)
    if missing := set(wanted) - {event.stage for event in finished}:
        raise BadInput(f"run {base.name} has not finished {', '.join(sorted(missing))}; start from there", key="--from")
    if plan.round:
        _check_adapters(base)
        shutil.copytree(base.adapters, folder.earlier_adapters, dirs_exist_ok=True)
    if DIFFERENTIATION in wanted:
        _check_adapters(base)
        shutil.copytree(base.adapters, folder.adapters, dirs_exist_ok=True)
    for event in finished:  # last: they mark the results above as complete
        journal.append_once(event)


def _unit(event: Event) -> str:
    """Returns the unit of the trajectory that an event commits or judges; empty for other events."""
    if isinstance(event, TrajectoryCommitted):
        return event.trajectory.unit
    return event.verdict.unit if isinstance(event, TrajectoryJudged) else ""


def _check_adapters(base: RunFolder) -> None:
    """Raises BadInput for adapters with more than weights and LoRA settings: the base may come from somebody else."""
    for path in base.adapters.rglob("*"):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise BadInput("is a link, or no plain file; its adapters are not taken", file=path)
        if path.name == "adapter_config.json":
            try:
                check_adapter(path)
            except ValueError as error:
                raise BadInput(f"not the settings of a LoRA adapter: {error}", file=path) from error
