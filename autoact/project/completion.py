"""The words with which a shell completes a command line: projects, runs, stages and settings."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

REQUESTED = "_ARGCOMPLETE"
"""An environment variable that a shell sets when it asks for completions."""


def complete(parser: argparse.ArgumentParser) -> None:
    """Prints completions and ends the process, if a shell asks for them."""
    if REQUESTED not in os.environ:
        return
    import argcomplete

    add_completers(parser)
    argcomplete.autocomplete(parser)


def add_completers(parser: argparse.ArgumentParser) -> None:
    """Gives each argument of a parser and of its verbs the function that lists its values."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                add_completers(verb)
        elif completer := COMPLETERS.get(action.dest):
            action.completer = completer  # type: ignore[attr-defined]


def list_project_names(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Returns the names of the person's projects, and of those in the working folder."""
    from pathlib import Path

    from autoact.project.project import list_projects
    from autoact.project.recent import recent_projects

    here = [project.root for project in list_projects(Path())]
    return [root.name for root in (*here, *(one.root for one in list_projects()), *recent_projects())]


def list_run_names(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Returns the names of the runs of the project on the command line; none where there is no project."""
    from autoact.errors import AutoActError
    from autoact.project.project import Project
    from autoact.run.record.folder import list_runs

    named = getattr(parsed_args, "project", None) or getattr(parsed_args, "target", None)
    try:
        return [run.name for run in list_runs(Project.open(named).root)] if named else []
    except AutoActError:  # what is typed so far is no project
        return []


def list_setting_names(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Returns every setting as `section.key=`."""
    from autoact.files.toml_text import known_keys
    from autoact.project.config import Config

    return [f"{section}.{key}=" for section in known_keys("", Config) for key in known_keys(section, Config)]


def list_stage_names(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Returns the stages of the pipeline."""
    from autoact.registry.stages import pipeline

    return list(pipeline())


COMPLETERS: dict[str, Callable[..., list[str]]] = {
    "project": list_project_names, "target": list_project_names, "runs": list_project_names,
    "where": list_project_names, "plain": list_project_names, "name": list_run_names, "base": list_run_names,
    "set": list_setting_names, "first": list_stage_names, "last": list_stage_names, "only": list_stage_names,
}  # fmt: skip
"""By the name of an argument."""
