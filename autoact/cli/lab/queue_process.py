"""Plays the queue of an experiment in this process, or in one of its own that outlives the terminal."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from autoact.cli.start.run_start import check, lift_pause
from autoact.errors import AutoActError
from autoact.experiments.experiment import Experiment, read_experiment
from autoact.experiments.progress import FINISHED, CellProgress, Grid, describe_counts, is_playing
from autoact.experiments.queue import Queue
from autoact.project.project import Project
from autoact.registry import load_plugins
from autoact.run.process.launch import launch, start_in_session
from autoact.run.process.lock import busy_error
from autoact.run.process.notify import notify_of_queue
from autoact.run.record.folder import RunFolder
from autoact.security import trust

MODULE = "autoact.cli.lab.queue_process"
"""This module as a program, whose name Python replaces while it runs as one."""


def play(project: Project, experiment: Experiment, jobs: int, cards: Sequence[str] = (), *, detach: bool) -> int:
    """Checks an experiment and plays it. Returns 0 if all cells are finished, 1 if some are not, 130 if stopped.

    Raises BadInput for settings that cannot run, and RunBusy when a queue plays it already.
    """
    grid = Grid.of(project, experiment)
    if is_playing(experiment.folder):
        raise busy_error(RunFolder(experiment.folder))
    _check(project, grid)
    if detach:
        given = (",".join(cards),) if cards else ()
        start_in_session(RunFolder(experiment.folder).console, MODULE, str(experiment.folder), str(jobs), *given)
        print(experiment.name)
        print("`autoact lab status` shows it, `autoact lab stop` stops it", file=sys.stderr)
        return 0
    queue = Queue(grid, start_run, _print, jobs, cards)
    with stopped_by_signals(queue):
        cells = queue.play()
    if not queue.stopping:
        finished = sum(one.status == FINISHED for one in cells)
        notify_of_queue(project.root.name, experiment.name, finished, len(cells))
    return _report(cells, stopped=queue.stopping)


def start_run(folder: RunFolder, cards: Sequence[str]) -> None:
    """Starts or resumes a run's keeper, which sees only these cards if there are any; ends a pause."""
    trust.require_start(folder.path)
    lift_pause(folder)
    launch(folder, variables={"CUDA_VISIBLE_DEVICES": ",".join(cards)} if cards else {})


@contextmanager
def stopped_by_signals(queue: Queue) -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM stop the queue and its runs."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: queue.stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check(project: Project, grid: Grid) -> None:
    """Checks what the runs need before any starts, once for each distinct model and way to answer."""
    from msgspec.structs import replace

    seen = set()
    for cell in grid.cells:
        config = replace(cell.config, run=replace(cell.config.run, stages=("self_instruct", "group_planning")))
        if (what := repr((config.model.id, config.model.engine, config.server, config.group_planning))) not in seen:
            seen.add(what)
            check(project, config)


def _print(line: str) -> None:
    from autoact.cli.output import printable

    print(printable(line), flush=True)


def _report(cells: Sequence[CellProgress], *, stopped: bool) -> int:
    for one in cells:
        if one.status != FINISHED:
            _print(f"{one.cell.title}: {one.status}" + (f", {one.cause}" if one.cause else ""))
    _print(describe_counts(cells))
    if all(one.status == FINISHED for one in cells):
        return 0
    print("the same command goes on with the cells that are not finished", file=sys.stderr)
    return 130 if stopped else 1


def main(arguments: Sequence[str]) -> int:
    """Runs `python -m autoact.cli.lab.queue_process FOLDER JOBS [CARDS]`: plays the experiment in this folder."""
    path, jobs, *cards = arguments
    try:
        load_plugins()
        experiment = read_experiment(Path(path))
        project = Project.open(experiment.folder.parent.parent)
        return play(project, experiment, int(jobs), cards[0].split(",") if cards else (), detach=False)
    except (AutoActError, OSError) as error:  # the outermost handler of this process
        print(error, file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
