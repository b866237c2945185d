"""The part of `autoact import` and `autoact export` that is about the forms of other programs."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autoact.cli.output import print_json, printable
from autoact.cli.target import parse_pairs
from autoact.exchange.imported_run import find_missing_tools, read_tool_names, write_imported_run
from autoact.exchange.reading import TrajectoryReader
from autoact.exchange.tracked_metrics import FORM, TRACKERS, read_metrics, send_metrics, write_metrics
from autoact.exchange.writing import write_trajectories
from autoact.lab.inspection.figures import SetFigures, measure_set
from autoact.project.project import Project
from autoact.registry.forms import FORMS, TrajectoryForm
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

SHOWN = 8
"""The most lines that are named of one missing tool."""


class ImportReport(Struct, frozen=True):
    """The findings of an import of trajectories."""

    file: str
    form: str
    figures: SetFigures
    unjudged: int
    """Trajectories without a gold answer."""
    missing_tools: Mapping[str, Sequence[str]]
    """Names of tools that the project does not have, with the lines or records of the trajectories that call them."""
    run: str = ""
    """The folder of the new run; empty with --check."""
    kept: int = 0
    refused: Mapping[str, int] = {}
    """Number of trajectories that the project's filter refused, by reason."""


def import_trajectories(arguments: argparse.Namespace, file: Path) -> None:
    """Makes a run of the trajectories of a file, or only checks them, and prints their quality."""
    project = Project.open(arguments.project)
    names = read_tool_names(project, parse_pairs(arguments.tools, "--tools"))
    reader = TrajectoryReader(names, arguments.form, right=arguments.right)
    found = reader.read(file)
    form = reader.form.name if reader.form else ""
    missing = {
        name: [str(reader.places[unit]) for unit in units] for name, units in find_missing_tools(project, found).items()
    }
    report = ImportReport(str(file), form, measure_set(found), reader.unjudged, missing)
    if not arguments.check:
        report = _add_verdicts(report, write_imported_run(project, found, file, form))
    if arguments.json:
        print_json(report)
    else:
        for line in lines(report):
            print(printable(line))


def export_in_form(arguments: argparse.Namespace, folder: RunFolder, file: Path) -> int:
    """Writes the metrics of a run, or its trajectories, in the form that was asked for."""
    if arguments.form in (FORM, *TRACKERS):
        return export_metrics(folder, arguments.form, file)
    return export_trajectories(arguments, folder, file)


def export_trajectories(arguments: argparse.Namespace, folder: RunFolder, file: Path) -> int:
    """Writes a run's kept trajectories, or all, and prints the file's path and their number."""
    form: TrajectoryForm = FORMS.get(arguments.form)
    if file.is_dir():
        file = file / f"{folder.name}.{form.name}.jsonl"
    state = RunState.of(folder.events)
    chosen = list(state.trajectories.values()) if arguments.all else state.kept
    print(f"{printable(str(file))}: {write_trajectories(chosen, form, file)} trajectories")
    return 0


def export_metrics(folder: RunFolder, form: str, file: Path) -> int:
    """Writes a run's metrics by step, or sends them to a tracker, and prints where they are and the number of steps."""
    if form in TRACKERS:
        sent = send_metrics(read_metrics(folder.events), folder, form, file)
        print(f"{printable(str(file / folder.name) if form == 'tensorboard' else form)}: {sent} steps")
        return 0
    if file.is_dir():
        file = file / f"{folder.name}.{FORM}.csv"
    print(f"{printable(str(file))}: {write_metrics(read_metrics(folder.events), file)} steps")
    return 0


def lines(report: ImportReport) -> Iterator[str]:
    """Yields the report for people; its first line is the run's folder."""
    found, refused = report.figures, _list_counts(report.refused)
    failed = _list_counts({gate.name: gate.failed for gate in found.gates if gate.failed}, "fail: ")
    yield report.run or report.file
    yield f"form          {FORMS.get(report.form).title}"
    yield f"trajectories  {found.n}, of {found.questions} questions"
    yield f"steps         {found.steps:.2f} on average, {found.sequences} distinct action sequences"
    yield f"of the steps  {found.empty_thoughts:.1%} with an empty thought, {found.invalid_steps:.1%} an invalid action"
    yield f"clean         {found.gates[-1].left} of {found.n}{failed}"
    if report.run:
        yield f"kept          {report.kept} of {found.n} by this project's filter{refused}"
    if report.unjudged:
        yield f"no gold       {report.unjudged} have no gold answer, so none of them is kept; see --right"
    for name, places in report.missing_tools.items():
        more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
        yield f"no such tool  {name}, in {', '.join(places[:SHOWN])}{more}; refused, unless --tools gives another name"


def _add_verdicts(report: ImportReport, folder: RunFolder) -> ImportReport:
    verdicts = list(RunState.of(folder.events).verdicts.values())
    refused = Counter(verdict.refusal for verdict in verdicts if not verdict.kept)
    kept = sum(verdict.kept for verdict in verdicts)
    return replace(report, run=str(folder.path), kept=kept, refused=dict(refused.most_common()))


def _list_counts(counts: Mapping[str, int], words: str = "") -> str:
    return f" ({words}{', '.join(f'{count} {name}' for name, count in counts.items())})" if counts else ""
