"""`autoact run`: start the loop on a project, or go on where an interrupted run stopped."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from autoact.cli.trust import add_trust, admitted
from autoact.errors import BadInput

if TYPE_CHECKING:
    from autoact.run.record.folder import RunFolder

STAGES = ("self_instruct", "tool_selection", "synthesis", "filtering", "differentiation", "group_planning")


def add(subparsers: Any) -> None:
    """The verb and its options."""
    parser = subparsers.add_parser(
        "run", help="run the stages on a project, or resume",
        description="Runs the stages of the method. An interrupted run with the same settings goes on; its answers "
        "are not asked again. Ctrl-C stops the run so that it can go on later; closing the terminal does not.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder")
    parser.add_argument("--preset", choices=("quick", "full"), help="settings for a short or a thorough run")
    parser.add_argument("--from", dest="first", choices=STAGES, help="first stage; earlier material from --base")
    parser.add_argument("--to", dest="last", choices=STAGES, help="last stage")
    parser.add_argument("--only", choices=STAGES, help="just this stage")
    parser.add_argument("--base", default="", help="run that skipped stages' material comes from (default: the latest)")
    parser.add_argument(
        "--questions", choices=("self", "reference"), help="practise on self-made or reference questions"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in synthesis.samples=8")
    parser.add_argument("--new", action="store_true", help="start afresh even if a run could go on")
    parser.add_argument("--detach", action="store_true", help="start it, print its name, and leave it running")
    parser.add_argument("--json", action="store_true", help="print the final figures as JSON")
    add_trust(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start or resume, follow, print the table."""
    from autoact.cli.table import print_result

    project = admitted(arguments)
    config = _with_plan(project, arguments)
    check(project, config)
    what = arguments.preset or "run"
    show = partial(print_result, as_json=arguments.json)
    return start(project, config, what, show, fresh=arguments.new, detach=arguments.detach)


def start(
    project: Any, config: Any, what: str, show: Callable[[RunFolder], None], *, fresh: bool = False,
    detach: bool = False,
) -> int:  # fmt: skip
    """Resume an interrupted run of the same settings, or start one; follow it to its end unless it is to be left."""
    import msgspec

    from autoact.run.record.folder import new_run

    folder = None if fresh else interrupted(project, config)
    if folder is None:
        folder = new_run(project.root, what, msgspec.to_builtins(config), now=datetime.now())
    return begin(folder, show, detach=detach)


def begin(folder: RunFolder, show: Callable[[RunFolder], None], *, detach: bool) -> int:
    """Give a run a keeper and follow it, or print its name and leave; a pause is lifted. Raises RunBusy."""
    from autoact import trust
    from autoact.cli.follow import follow
    from autoact.run.process.launch import launch
    from autoact.run.process.logout import warning

    trust.require_start(folder.path)
    lift_pause(folder)
    launch(folder)
    if told := warning():
        print(told, file=sys.stderr)
    if not detach:
        return follow(folder, show)
    print(folder.name)
    print(f"`autoact attach {folder.path}` shows it, `autoact cancel` stops it", file=sys.stderr)
    return 0


def lift_pause(folder: RunFolder) -> None:
    """A run that was paused when its job died would stay so: whoever starts it by hand wants it to go on."""
    import getpass

    from autoact.run.control.command import Command, new_id
    from autoact.run.control.control_socket import leave
    from autoact.run.record.state import RunState

    state = RunState.of(folder.events)
    if state.status == "paused" or state.halted:
        leave(folder, Command(new_id(), "resume", by=getpass.getuser()))


def interrupted(project: Any, config: Any) -> Any:
    """The newest unfinished run with these very settings. Raises RunBusy when it has a job, or another machine's."""
    from autoact.errors import RunBusy
    from autoact.run.process.health import AFAR, attended, verdict
    from autoact.run.record.folder import own_runs
    from autoact.run.record.state import RunState

    for folder in own_runs(project.root):
        if not _has(folder, config):
            continue
        if attended(folder):
            raise RunBusy(f"{folder.name} is running these settings already; `autoact attach {folder.path}` shows it")
        found = verdict(folder, RunState.of(folder.events))
        if found.startswith(AFAR):
            raise RunBusy(f"{folder.name} has these settings: {found}; `--new` starts another")
        return None if found == "finished" else folder
    return None


def _has(folder: RunFolder, config: Any) -> bool:
    """Whether these are a run's settings; those of another version may mean nothing to this one."""
    import msgspec

    from autoact.config import Config

    try:
        return bool(msgspec.convert(folder.read_config(), Config) == config)
    except (BadInput, msgspec.ValidationError):
        return False


def _with_plan(project: Any, arguments: argparse.Namespace) -> Any:
    import msgspec

    changes = dict(_pair(text) for text in arguments.set)
    if arguments.questions:
        changes["synthesis.questions"] = arguments.questions
    config = project.config(arguments.preset, changes)
    stages = _stages(arguments)
    base = ""
    if stages[0] != STAGES[0]:
        base = _base(project, arguments.base)
    return msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, stages=stages, base=base))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise BadInput("expected KEY=VALUE, as in synthesis.samples=8", key=f"--set {text}")
    return key, value


def _stages(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.only and (arguments.first or arguments.last):
        raise BadInput("goes alone; leave out --from and --to", key="--only")
    first = STAGES.index(arguments.only or arguments.first or STAGES[0])
    last = STAGES.index(arguments.only or arguments.last or STAGES[-1])
    if first > last:
        raise BadInput(f"{STAGES[first]} comes after {STAGES[last]}", key="--from")
    return STAGES[first : last + 1]


def _base(project: Any, name: str) -> str:
    from autoact.run.record.folder import find_run, latest

    found = find_run(project.root, name) if name else latest(project.root)
    return str(found.name)


def check(project: Any, config: Any) -> None:
    """Raises BadInput for what can be known to be wrong before a job starts and loads its model."""
    from autoact.cli.output import bars
    from autoact.job.inputs import read_asked
    from autoact.model.store import find
    from autoact.tools.library.tools_toml import read_enabled_tools

    project.examples()
    if "self_instruct" in config.run.stages:
        for which in ("reference", "heldout"):
            project.questions(which)
    asked = read_asked(config, project)
    find(config.model.id)
    if project.tools_toml:
        from autoact.tools.library.catalogue import BRIDGES, GROUPS

        read_enabled_tools(project.tools_toml, [record for group in GROUPS for record in group.records], BRIDGES)
        _warn(project, config, asked)
    with bars():
        find(config.model.id)


def _warn(project: Any, config: Any, asked: Any) -> None:
    """Print the tools that the project lists and that cannot run: agents do without them."""
    from contextlib import closing
    from pathlib import Path

    from autoact.job.inputs import open_library
    from autoact.questions import brings_paragraphs

    library, corpus = open_library(project, asked=asked)
    with closing(corpus), closing(library):
        unfit = {record.name: record.reason for record in library.records() if not record.runs}
    if config.run.data and brings_paragraphs(Path(config.run.data)):
        unfit = {name: reason for name, reason in unfit.items() if name not in ("Retrieve", "WebSearch", "Lookup")}
    for name, reason in unfit.items():
        print(f"{name} is not ready: {reason}", file=sys.stderr)
