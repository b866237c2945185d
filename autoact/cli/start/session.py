"""Asks a project's live session: a run that keeps the model loaded and ends after a time without questions."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoact.project.project import Project
    from autoact.run.record.folder import RunFolder
    from autoact.trajectory import Trajectory


def ask_session(project: Project, question: str, cast: str, base: str, idle: int | None) -> Trajectory:
    """Returns the answer of the project's live session; starts one when there is none.

    Raises BadInput when the session refuses the question, AutoActError when it ends before it answers.
    """
    from autoact.cli.control.command import deliver, wait_for_trajectory
    from autoact.run.control.command import Command, new_id, user_name
    from autoact.run.control.control_socket import save_command
    from autoact.run.process.launch import launch

    command = Command(new_id(), "inject", text=question, cast=cast, by=user_name())
    folder = find_live_session(project)
    if folder is not None:
        deliver(folder, command)
    else:
        folder = new_session(project, base, idle)
        save_command(folder, command)
        launch(folder)
    return wait_for_trajectory(folder, command)


def find_live_session(project: Project) -> RunFolder | None:
    """Returns the newest session with a live job; None when there is none."""
    from autoact.registry.stages import SESSION
    from autoact.run.process.health import is_active
    from autoact.run.record.folder import list_own_runs

    for folder in list_own_runs(project.root):
        if folder.stages() == (SESSION,) and is_active(folder):
            return folder
    return None


def new_session(project: Project, base: str, idle: int | None) -> RunFolder:
    """Makes the folder of a new session, with every method that can answer. Raises BadInput."""
    import msgspec

    from autoact.cli.start.run_start import check
    from autoact.errors import BadInput
    from autoact.job.answer_config import make_answer_config
    from autoact.project.trained_runs import find_trained_run, trained_adapters
    from autoact.registry.methods import answerable_methods
    from autoact.registry.stages import SESSION
    from autoact.run.record.folder import find_run, new_run

    found = find_run(project.root, base) if base else find_trained_run(project.root)
    methods = answerable_methods(trained=found is not None, adapters=trained_adapters(found) if found else ())
    config = make_answer_config(project, base, methods, stages=(SESSION,))
    if idle is not None and idle < 1:
        raise BadInput(f"expected 1 or more seconds, found {idle}", key="--idle")
    if idle is not None:
        config = msgspec.structs.replace(config, session=msgspec.structs.replace(config.session, idle=idle))
    check(project, config)
    folder = new_run(project.root, SESSION, msgspec.to_builtins(config), now=datetime.now())
    print(f"session {folder.name} started; it ends after {config.session.idle} s without a question", file=sys.stderr)
    return folder
