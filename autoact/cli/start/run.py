"""`autoact run`: runs the stages on a project, or resumes an interrupted run with the same settings."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from autoact.cli.project.trust import add_trust, open_trusted_project
from autoact.cli.start.run_start import check, start
from autoact.errors import BadInput
from autoact.project.presets import PRESETS
from autoact.registry import load_plugins

if TYPE_CHECKING:
    from autoact.project.config import Config
    from autoact.project.project import Project
    from autoact.run.record.folder import RunFolder

MOST_ROUNDS = 20
"""More rounds than have ever been of use."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "run", help="run the stages on a project, or resume",
        description="Runs the stages of the method. An interrupted run with the same settings is resumed; its logged "
        "answers are reused. Ctrl-C stops the run, which can be resumed; closing the terminal does not stop it.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
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
        "--without", default="", metavar="IDS",
        help="IDs of trajectories or practice questions of the base run: train in its settings, without these",
    )  # fmt: skip
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


def _with_plan(project: Project, arguments: argparse.Namespace) -> Config:
    import msgspec

    from autoact.project.config import Plan
    from autoact.registry.stages import pipeline

    changes = dict(_pair(text) for text in arguments.set)
    if arguments.questions:
        changes["synthesis.questions"] = arguments.questions
    stages = _stages(arguments)
    base = _base(project, arguments.base) if stages[0] != pipeline()[0] else None
    without = _find_rows(arguments.without, stages, base)
    config = _read_base_settings(base, changes) if base and without and not arguments.preset else None
    config = config or project.config(arguments.preset, changes)
    plan = Plan(stages, base.name if base else "", config.run.data, config.run.columns, without=without)
    return msgspec.structs.replace(config, run=plan)


def _find_rows(ids: str, stages: Sequence[str], base: RunFolder | None) -> tuple[str, ...]:
    """Returns the units of the trajectories to leave out. Raises BadInput for unknown ones, and without a training."""
    from autoact.lab.lineage import resolve_rows
    from autoact.registry.stages import DIFFERENTIATION, FILTERING
    from autoact.run.record.state import RunState

    names = [name.strip() for name in ids.split(",") if name.strip()]
    if not names:
        return ()
    if base is None or stages[0] not in (FILTERING, DIFFERENTIATION):
        raise BadInput(f"expected --from {DIFFERENTIATION} or --from {FILTERING} with it", key="--without")
    return resolve_rows(RunState.of(base.events), names)


def _read_base_settings(base: RunFolder, changes: Mapping[str, str]) -> Config | None:
    """Returns the settings of a base run with changes, so that a comparison with it has one cause.

    None for a run from elsewhere that nobody has trusted: its settings may name servers.
    """
    from autoact.project import config_file
    from autoact.security import trust

    return config_file.read(base.config, changes=changes) if trust.allows("run", "chosen", base.path) else None


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


def _base(project: Project, name: str) -> RunFolder:
    from autoact.run.record.folder import find_run, latest_run

    return find_run(project.root, name) if name else latest_run(project.root)
