"""Starts runs: the checks before one, one with the same settings that is resumed, and its keeper."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from autoact.errors import BadInput

if TYPE_CHECKING:
    from autoact.project.config import Config
    from autoact.project.project import Project
    from autoact.run.record.folder import RunFolder
    from autoact.trajectory import Question


def start(
    project: Project, config: Config, what: str, show: Callable[[RunFolder], None], *, fresh: bool = False,
    detach: bool = False,
) -> int:  # fmt: skip
    """Resumes an interrupted run with the same settings, or starts one; follows it to its end unless `detach`."""
    import msgspec

    from autoact.run.record.folder import new_run

    folder = None if fresh else find_interrupted(project, config)
    if folder is None:
        folder = new_run(project.root, what, msgspec.to_builtins(config), now=datetime.now())
    return launch_and_follow(folder, show, detach=detach)


def launch_and_follow(folder: RunFolder, show: Callable[[RunFolder], None], *, detach: bool) -> int:
    """Starts a run's keeper and follows the run, or prints its name with `detach`; ends a pause. Raises RunBusy."""
    from autoact.cli.watch.follow import follow
    from autoact.run.process.launch import launch
    from autoact.run.process.logout import warning
    from autoact.security import trust

    trust.require_start(folder.path)
    lift_pause(folder)
    launch(folder)
    if text := warning():
        print(text, file=sys.stderr)
    if not detach:
        return follow(folder, show)
    print(folder.name)
    print(f"`autoact attach {folder.path}` shows it, `autoact cancel` stops it", file=sys.stderr)
    return 0


def lift_pause(folder: RunFolder) -> None:
    """Resumes a paused run: without it, a run that was paused when its job died would stay paused."""
    from autoact.run.control.command import Command, new_id, user_name
    from autoact.run.control.control_socket import save_command
    from autoact.run.record.state import RunState

    state = RunState.of(folder.events)
    if state.status == "paused" or state.halted:
        save_command(folder, Command(new_id(), "resume", by=user_name()))


def find_interrupted(project: Project, config: Config) -> RunFolder | None:
    """Returns the newest unfinished run with the same settings. Raises RunBusy when it has a live job anywhere."""
    from autoact.errors import RunBusy
    from autoact.run.process.health import ELSEWHERE, is_active, verdict
    from autoact.run.record.folder import list_own_runs
    from autoact.run.record.state import RunState

    for folder in list_own_runs(project.root):
        if not _has_config(folder, config):
            continue
        if is_active(folder):
            raise RunBusy(f"{folder.name} already runs with these settings; `autoact attach {folder.path}` shows it")
        found = verdict(folder, RunState.of(folder.events))
        if found.startswith(ELSEWHERE):
            raise RunBusy(f"{folder.name} has the same settings and is {found}; `--new` starts another run")
        return None if found == "finished" else folder
    return None


def find_same(project: Project, config: Config) -> RunFolder | None:
    """Returns the newest run with the same settings; None without one."""
    from autoact.run.record.folder import list_runs

    return next((folder for folder in list_runs(project.root) if _has_config(folder, config)), None)


def _has_config(folder: RunFolder, config: Config) -> bool:
    """Returns whether a run has these settings; those of another version may not be readable."""
    import msgspec

    from autoact.project.config import Config

    try:
        return bool(msgspec.convert(folder.read_config(), Config) == config)
    except (BadInput, msgspec.ValidationError):
        return False


def check(project: Project, config: Config) -> None:
    """Checks examples, questions, tools and the model's name before a job starts. Raises BadInput."""
    from autoact.cli.output import progress_bars
    from autoact.job.inputs import read_asked
    from autoact.registry.engines import ENGINES
    from autoact.registry.registry import load_object
    from autoact.registry.stages import SELF_INSTRUCT
    from autoact.tools.library.tools_toml import read_enabled_tools

    project.examples()
    if SELF_INSTRUCT in config.run.stages:
        for which in ("reference", "heldout"):
            project.questions(which)
    asked = read_asked(config, project)
    _check_gold(config, asked)
    if project.tools_toml:
        from autoact.tools.library.catalogue import BRIDGES, GROUPS

        read_enabled_tools(project.tools_toml, [record for group in GROUPS for record in group.records], BRIDGES)
        _warn(project, config, asked)
    if prepare := ENGINES.get(config.model.engine).prepare:
        with progress_bars():
            load_object(prepare)(config)


def _check_gold(config: Config, asked: Sequence[Question]) -> None:
    """Raises BadInput when a method sees the gold answer and a question has none."""
    from autoact.registry.methods import METHODS

    for name in config.group_planning.compare:
        for question in asked if name in METHODS and METHODS.get(name).gold else ():
            if question.answer is None:
                raise BadInput(f"the method `{name}` sees the gold answer, and question {question.id} has none")


def _warn(project: Project, config: Config, asked: Sequence[Question]) -> None:
    """Warns of listed tools that cannot run, which agents are not given."""
    from contextlib import closing
    from pathlib import Path

    from autoact.job.inputs import open_library
    from autoact.project.questions import has_paragraphs

    library, corpus = open_library(project, asked=asked)
    with closing(corpus), closing(library):
        unfit = {record.name: record.reason for record in library.records() if not record.runs}
    if config.run.data and has_paragraphs(Path(config.run.data), config.run.columns):
        unfit = {name: reason for name, reason in unfit.items() if name not in ("Retrieve", "WebSearch", "Lookup")}
    for name, reason in unfit.items():
        print(f"{name} is not ready: {reason}", file=sys.stderr)
