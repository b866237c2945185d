"""`autoact run`: runs the stages on a project, or resumes an interrupted run with the same settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from autoact.cli.project.trust import add_trust, open_trusted_project
from autoact.errors import BadInput
from autoact.project.presets import PRESETS
from autoact.registry import load_plugins

if TYPE_CHECKING:
    from autoact.project.config import Config
    from autoact.project.project import Project
    from autoact.run.record.folder import RunFolder
    from autoact.trajectory import Question


MOST_ROUNDS = 20
"""More rounds than have ever been of use."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "run", help="run the stages on a project, or resume",
        description="Runs the stages of the method. An interrupted run with the same settings is resumed; its logged "
        "answers are reused. Ctrl-C stops the run, which can be resumed; closing the terminal does not stop it.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder")
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="settings for a short or a thorough run, of the paper, or today's best adapters",
    )
    parser.add_argument(
        "--from", dest="first", type=_stage, metavar="STAGE",
        help="first stage; results of earlier stages come from --base",
    )  # fmt: skip
    parser.add_argument("--to", dest="last", type=_stage, metavar="STAGE", help="last stage")
    parser.add_argument("--only", type=_stage, metavar="STAGE", help="only this stage")
    parser.add_argument("--base", default="", help="run with the results of skipped stages (default: the latest)")
    parser.add_argument(
        "--questions", choices=("self", "reference"), help="practise on self-made or reference questions"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, such as synthesis.samples=8"
    )
    parser.add_argument(
        "--rounds", type=_count, default=0, metavar="N",
        help="afterwards, up to N times: the trained group tries the questions again, and the adapters are trained "
        "anew; ends when answers to validation questions get no better",
    )  # fmt: skip
    parser.add_argument("--new", action="store_true", help="start a new run even if one could be resumed")
    parser.add_argument("--detach", action="store_true", help="start it, print its name, and leave it running")
    parser.add_argument("--json", action="store_true", help="print the final figures as JSON")
    add_trust(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Starts or resumes a run, follows it, and prints the table."""
    from autoact.cli.watch.table import print_result

    project = open_trusted_project(arguments)
    config = _with_plan(project, arguments)
    check(project, config)
    what = arguments.preset or "run"
    show = partial(print_result, as_json=arguments.json)
    if arguments.rounds:
        from autoact.cli.start.rounds import play_rounds

        return play_rounds(project, config, what, show, arguments)
    return start(project, config, what, show, fresh=arguments.new, detach=arguments.detach)


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
    import getpass

    from autoact.run.control.command import Command, new_id
    from autoact.run.control.control_socket import save_command
    from autoact.run.record.state import RunState

    state = RunState.of(folder.events)
    if state.status == "paused" or state.halted:
        save_command(folder, Command(new_id(), "resume", by=getpass.getuser()))


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


def _with_plan(project: Project, arguments: argparse.Namespace) -> Config:
    import msgspec

    from autoact.registry.stages import pipeline

    changes = dict(_pair(text) for text in arguments.set)
    if arguments.questions:
        changes["synthesis.questions"] = arguments.questions
    config = project.config(arguments.preset, changes)
    stages = _stages(arguments)
    base = ""
    if stages[0] != pipeline()[0]:
        base = _base(project, arguments.base)
    return msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, stages=stages, base=base))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise BadInput("expected KEY=VALUE, such as synthesis.samples=8", key=f"--set {text}")
    return key, value


def _count(text: str) -> int:
    """Returns a number of rounds. Raises ArgumentTypeError for any other text."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ROUNDS:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1 to {MOST_ROUNDS}")
    return int(text)


def _stage(name: str) -> str:
    """Returns the name of a stage of the pipeline. Raises ArgumentTypeError for any other."""
    from autoact.registry.stages import pipeline

    load_plugins()  # a stage may come from one
    if name not in pipeline():
        raise argparse.ArgumentTypeError(f"no stage `{name}`; choose from {', '.join(pipeline())}")
    return name


def _stages(arguments: argparse.Namespace) -> tuple[str, ...]:
    from autoact.registry.stages import pipeline

    if arguments.only and (arguments.first or arguments.last):
        raise BadInput("cannot be combined with --from or --to", key="--only")
    stages = pipeline()
    first = stages.index(arguments.only or arguments.first or stages[0])
    last = stages.index(arguments.only or arguments.last or stages[-1])
    if first > last:
        raise BadInput(f"{stages[first]} comes after {stages[last]}", key="--from")
    return stages[first : last + 1]


def _base(project: Project, name: str) -> str:
    from autoact.run.record.folder import find_run, latest_run

    found = find_run(project.root, name) if name else latest_run(project.root)
    return str(found.name)


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
    if project.tools_toml:
        from autoact.tools.library.catalogue import BRIDGES, GROUPS

        read_enabled_tools(project.tools_toml, [record for group in GROUPS for record in group.records], BRIDGES)
        _warn(project, config, asked)
    if prepare := ENGINES.get(config.model.engine).prepare:
        with progress_bars():
            load_object(prepare)(config)


def _warn(project: Project, config: Config, asked: Sequence[Question]) -> None:
    """Warns of listed tools that cannot run, which agents are not given."""
    from contextlib import closing
    from pathlib import Path

    from autoact.job.inputs import open_library
    from autoact.project.questions import has_paragraphs

    library, corpus = open_library(project, asked=asked)
    with closing(corpus), closing(library):
        unfit = {record.name: record.reason for record in library.records() if not record.runs}
    if config.run.data and has_paragraphs(Path(config.run.data)):
        unfit = {name: reason for name, reason in unfit.items() if name not in ("Retrieve", "WebSearch", "Lookup")}
    for name, reason in unfit.items():
        print(f"{name} is not ready: {reason}", file=sys.stderr)
