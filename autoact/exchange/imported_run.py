"""Makes a finished run of imported trajectories: its log has the questions, the tools, the trajectories, the verdicts.

Another run can begin after it, at filtering or at differentiation.
"""

from __future__ import annotations

import os
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from autoact.errors import BadInput
from autoact.events import (
    Event,
    QuestionAccepted,
    RunFinished,
    RunOpened,
    StageFinished,
    StageStarted,
    ToolSelected,
    TrajectoryCommitted,
    TrajectoryJudged,
)
from autoact.files import disk
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.registry.stages import FILTERING, SELF_INSTRUCT, SYNTHESIS, TOOL_SELECTION
from autoact.run.archive.pack import publish_imported_run
from autoact.run.record.folder import RunFolder, make_run_name, to_toml
from autoact.run.record.log import LogWriter
from autoact.stages.filtering import filtering
from autoact.tools.library.catalogue import BRIDGES, GROUPS
from autoact.tools.library.tool import ToolRecord
from autoact.tools.library.tools_toml import read_enabled_tools
from autoact.trajectory import FINISH, REFLECT, Trajectory

STAGES = (SELF_INSTRUCT, TOOL_SELECTION, SYNTHESIS, FILTERING)
"""The stages whose results an imported run has."""


def read_tool_names(project: Project, given: Mapping[str, str]) -> dict[str, str]:
    """Returns the names of tools by what a file may call them, in lower case: their names, aliases, and those `given`.

    Raises BadInput for a given name of no tool.
    """
    records = [*(record for group in GROUPS for record in group.records), *_enabled(project)]
    names = {name.casefold(): record.name for record in records for name in (record.name, *record.aliases)}
    known = {**names, FINISH.casefold(): FINISH, REFLECT.casefold(): REFLECT}
    for theirs, ours in given.items():
        if ours.casefold() not in known:
            raise BadInput(f"no tool `{ours}` for `{theirs}`; there is {', '.join(sorted({*known.values()}))}",
                           key="--tools")  # fmt: skip
    return names | {theirs.casefold(): known[ours.casefold()] for theirs, ours in given.items()}


def find_missing_tools(project: Project, trajectories: Sequence[Trajectory]) -> dict[str, list[str]]:
    """Returns the units that call what is no tool of the project, by its name, the most frequent first.

    Failed steps do not count. The filter refuses these trajectories.
    """
    known = {record.name for record in _enabled(project)} | {FINISH, REFLECT}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in trajectories:
        for action in dict.fromkeys(step.action for step in one.steps if not step.failed):
            if action and action not in known:
                found[action].append(one.unit)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def write_imported_run(project: Project, trajectories: Sequence[Trajectory], file: Path, form: str) -> RunFolder:
    """Adds a finished run of trajectories from `file` to a project; after an error nothing is left of it.

    The run is foreign until a person trusts it. Raises BadInput for a trajectory that no log can hold.
    """
    config = project.config()
    plan = msgspec.structs.replace(config.run, stages=STAGES, imported=str(file.resolve()))
    config = msgspec.structs.replace(config, run=plan)

    def write(part: Path) -> str:
        folder = RunFolder(part)
        disk.replace(folder.config, to_toml(msgspec.to_builtins(config)).encode())
        with LogWriter(folder, flush=lambda descriptor: None) as log:  # the whole folder is flushed at the end
            for event in _make_events(project, config, trajectories, form):
                _append(log, event, file)
        return make_run_name(f"import-{form}", datetime.now())

    return publish_imported_run(project.root, file.name, write)


def _append(log: LogWriter, event: Event, file: Path) -> None:
    try:
        log.append(event)
    except ValueError as error:
        unit = event.trajectory.unit if isinstance(event, TrajectoryCommitted) else type(event).__name__
        raise BadInput(f"cannot be stored: {error}", file=file, key=unit) from error


def _make_events(
    project: Project, config: Config, trajectories: Sequence[Trajectory], form: str
) -> Iterator[Event]:  # fmt: skip
    settings = msgspec.to_builtins(config)
    yield RunOpened(1, os.getpid(), socket.gethostname(), f"imported from {form}", settings)
    tools = {record.name for record in _enabled(project)}
    verdicts = list(filtering(trajectories, config.filtering, {}, tools=tools))
    questions = {one.question.id: one.question for one in trajectories}
    made: dict[str, list[Event]] = {
        SELF_INSTRUCT: [QuestionAccepted(question) for question in questions.values()],
        TOOL_SELECTION: list(_select_tools(project, trajectories)),
        SYNTHESIS: [TrajectoryCommitted(one) for one in trajectories],
        FILTERING: [event for event in verdicts if isinstance(event, Event)],
    }
    for stage, events in made.items():
        yield StageStarted(stage, len(events))
        yield from events
        kept = sum(event.verdict.kept for event in events if isinstance(event, TrajectoryJudged))
        yield StageFinished(stage, kept if stage == FILTERING else len(events))
    yield RunFinished()


def _select_tools(project: Project, trajectories: Sequence[Trajectory]) -> Iterator[ToolSelected]:
    used = Counter(step.action for one in trajectories for step in one.steps if not step.failed)
    for record in _enabled(project):
        if count := used[record.name]:
            yield ToolSelected(record.name, f"called {count} times in the imported trajectories")


def _enabled(project: Project) -> list[ToolRecord]:
    """Returns the tools that a project enables, without opening them; every built-in tool if it has no tools.toml."""
    known = [record for group in GROUPS for record in group.records]
    return read_enabled_tools(project.tools_toml, known, BRIDGES) if project.tools_toml else known
