"""`autoact run --rounds N`: the trained group tries the questions again, and what it gets right is trained on too.

Every round is a run of its own, from the base model and the questions of the first one. A round that does not raise the
F1 of the validation answers is set aside, and ends the rounds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from autoact.cli.start.run_start import find_same, start
from autoact.errors import AutoActError, BadInput
from autoact.files import disk
from autoact.metrics import interval
from autoact.registry import load_plugins
from autoact.registry.stages import DIFFERENTIATION, SELF_INSTRUCT, SYNTHESIS, pipeline
from autoact.run.process.launch import start_in_session
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

if TYPE_CHECKING:
    from autoact.project.config import Config
    from autoact.project.project import Project

Show = Callable[[RunFolder], None]
MODULE = "autoact.cli.start.rounds"
"""This module as a program, whose name Python replaces while it runs as one."""


def play_rounds(project: Project, config: Config, what: str, show: Show, arguments: argparse.Namespace) -> int:
    """Plays or resumes the first run and its rounds; returns the exit code of the last. Raises BadInput.

    With `--detach` the first run is started, and a process of its own waits for it and plays the rounds.
    """
    _check(config, arguments)
    code, first = _play(project, config, what, show, fresh=arguments.new, detach=arguments.detach)
    if code:
        return code
    if arguments.detach:
        start_in_session(first.rounds, MODULE, str(first.path.absolute()), what, str(arguments.rounds))
        print(f"`{first.rounds}` has the results of its rounds", file=sys.stderr)
        return 0
    return play_later_rounds(project, config, what, show, first, arguments.rounds)


def play_later_rounds(project: Project, config: Config, what: str, show: Show, first: RunFolder, rounds: int) -> int:
    """Plays or resumes the rounds after a finished first run; returns the exit code of the last.

    Raises BadInput when the first run trained no adapters.
    """
    if not first.adapters.exists():
        raise BadInput("no round can follow: it trained no adapters, as it kept no trajectories", file=first.path)
    best = first
    for number in range(1, rounds + 1):
        again = _round_config(config, best, number)
        code, folder = _play(project, again, f"{what}-round-{number}", show)
        if code:
            return code
        words, better = compare_rounds(best, folder)
        print(f"round {number}: {words}", file=sys.stderr, flush=True)
        if not better:
            disk.replace(folder.set_aside, f"round {number}: {words}\n".encode())
            break
        best = folder
    print(f"the best round is {best.name}", file=sys.stderr)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Runs `python -m autoact.cli.start.rounds RUN WHAT ROUNDS`: waits for the run and plays its rounds.

    `WHAT` is a part of the names of the rounds' runs. Returns an exit code; an error is printed.
    """
    import msgspec

    from autoact.cli.watch.follow import follow
    from autoact.cli.watch.table import print_result
    from autoact.project.config import Config
    from autoact.project.project import Project

    path, what, rounds = arguments
    first, show = RunFolder(Path(path)), partial(print_result, as_json=False)
    try:
        load_plugins()
        project = Project.open(first.path.parent.parent)
        config = msgspec.convert(first.read_config(), Config)
        return follow(first, show) or play_later_rounds(project, config, what, show, first, int(rounds))
    except (AutoActError, OSError) as error:  # the outermost handler of this process
        print(error, file=sys.stderr, flush=True)
        return 1


def _check(config: Config, arguments: argparse.Namespace) -> None:
    missing = {SELF_INSTRUCT, SYNTHESIS, DIFFERENTIATION} - set(config.run.stages)
    if missing:
        raise BadInput(f"rounds need all stages up to {DIFFERENTIATION}", key="--rounds")
    if not config.self_instruct.validation:
        raise BadInput(
            "rounds are compared on validation questions; expected a share above 0, such as 0.1",
            key="self_instruct.validation",
        )


def _play(
    project: Project, config: Config, what: str, show: Show, *, fresh: bool = False, detach: bool = False
) -> tuple[int, RunFolder]:
    """Plays a run, or resumes it; with `detach` only starts it. Takes a finished one with the same settings unless
    `fresh`."""
    found = None if fresh else find_same(project, config)
    if found is not None and RunState.of(found.events).status == "finished":
        if detach:
            print(found.name)
        return 0, found
    code = start(project, config, what, show, fresh=fresh, detach=detach)
    made = find_same(project, config)
    assert made is not None
    return code, made


def _round_config(config: Config, base: RunFolder, number: int) -> Config:
    import msgspec

    stages = tuple(name for name in config.run.stages if pipeline().index(name) >= pipeline().index(SYNTHESIS))
    plan = msgspec.structs.replace(config.run, stages=stages, base=base.name, round=number)
    return msgspec.structs.replace(config, run=plan)


def compare_rounds(before: RunFolder, after: RunFolder) -> tuple[str, bool]:
    """Returns the gain in F1 over the same validation answers in words, and whether there is one."""
    old, new = _validation_f1(before), _validation_f1(after)
    both = sorted(old.keys() & new.keys())
    if not both:
        return "no validation answers to compare", False
    gains = [new[unit] - old[unit] for unit in both]
    low, high = (100 * end for end in interval(gains))
    was, now = 100 * fmean(old[unit] for unit in both), 100 * fmean(new[unit] for unit in both)
    words = f"validation F1 {was:.1f} before, {now:.1f} now, {now - was:+.1f} ({low:+.1f} to {high:+.1f})"
    return f"{words} over {len(both)} answers", now > was


def _validation_f1(folder: RunFolder) -> dict[str, float]:
    return {one.trajectory.unit: one.f1 for one in RunState.of(folder.events).validated}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
