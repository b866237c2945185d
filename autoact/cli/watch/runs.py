"""`autoact runs` and `autoact stats`: lists a project's runs, and prints the figures of one run, from logs only."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run
from autoact.lab.duration import format_duration

if TYPE_CHECKING:
    from autoact.lab.tally import Tally
    from autoact.run.record.folder import RunFolder

CAUSE = 80
"""Characters of a cause in the table; --json has all."""
MOST_SCORES = 3
"""Scores of a run in the table, the best first; --json has all."""


def add(subparsers: Any) -> None:
    """Adds the verbs and their options."""
    parser = subparsers.add_parser("runs", help="list a project's runs")
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=runs)
    parser = subparsers.add_parser(
        "stats", help="print a run's figures: questions, trajectories, adapters, scores, tokens"
    )
    add_target(parser)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=stats)


def runs(arguments: argparse.Namespace) -> int:
    """Prints a line for every run, the newest first."""
    from autoact.cli.output import print_columns, print_json
    from autoact.project.project import Project
    from autoact.run.record.folder import list_runs

    project = Project.open(arguments.project)
    lines = [_line(folder) for folder in list_runs(project.root)]
    if arguments.json:
        print_json(lines)
    elif not lines:
        print(f"no runs yet; `autoact run {arguments.project}` makes one")
    else:
        headings = (
            "RUN",
            "STATUS",
            "STAGE",
            "DONE",
            "STARTED",
            "TIME",
            "QUESTIONS",
            "KEPT",
            "ADAPTERS",
            "F1",
            "REASON",
        )
        print_columns([headings, *map(_cells, lines)], "lllrlrrrrl")
    return 0


def _line(folder: RunFolder) -> dict[str, Any]:
    from statistics import fmean

    from autoact.lab.tally import LogTotals
    from autoact.run.process.health import cause, verdict

    totals = LogTotals.of_run(folder)
    state = totals.state
    found = verdict(folder, state)
    name = state.stage or next(reversed(state.stages), "")
    stage = state.stages.get(name)
    scores: dict[str, list[float]] = {}
    for solved in state.solved:
        if solved.scored:
            scores.setdefault(solved.cast, []).append(solved.f1)
    return {
        "name": folder.name, "path": str(folder.path), "verdict": found, "cause": cause(folder, state, found),
        "stage": name, "done": stage.done if stage else 0, "of": stage.of if stage else 0,
        "started": totals.started, "seconds": round(totals.seconds, 3), "questions": len(state.questions),
        "kept": sum(verdict.kept for verdict in state.verdicts.values()), "adapters": list(state.adapters),
        "f1": {cast: fmean(values) for cast, values in scores.items()},
    }  # fmt: skip


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    from datetime import datetime

    from autoact.cli.output import printable

    started = f"{datetime.fromtimestamp(line['started']):%Y-%m-%d %H:%M}" if line["started"] else ""
    best = sorted(line["f1"].items(), key=lambda score: -score[1])
    f1 = ", ".join(f"{cast} {100 * value:.1f}" for cast, value in best[:MOST_SCORES])
    f1 += f" and {len(best) - MOST_SCORES} more" if len(best) > MOST_SCORES else ""
    done = f"{line['done']}/{line['of']}" if line["of"] else str(line["done"] or "")
    return (
        line["name"], line["verdict"], line["stage"], done, started, format_duration(line["seconds"]),
        str(line["questions"]), str(line["kept"]), str(len(line["adapters"])), f1, printable(line["cause"])[:CAUSE],
    )  # fmt: skip


def stats(arguments: argparse.Namespace) -> int:
    """Prints the figures of one run."""
    from msgspec import to_builtins

    from autoact.cli.output import print_json
    from autoact.lab.tally import LogTotals, count_figures
    from autoact.run.process.health import cause, verdict
    from autoact.run.record.marks import read_marks

    folder = find_target_run(arguments)
    totals = LogTotals.of_run(folder)
    made, state = count_figures(totals, read_marks(folder)), totals.state
    now = verdict(folder, state)
    why = cause(folder, state, now)
    if arguments.json:
        print_json({"run": folder.name, "path": str(folder.path), "verdict": now, "cause": why, **to_builtins(made)})
    else:
        _print(folder.name, now, why, made)
    return 0


def _print(name: str, now: str, why: str, made: Tally) -> None:
    """Prints the results of a run, then stages and tokens."""
    from autoact.cli.output import print_columns, printable
    from autoact.cli.watch.table import lines

    attempts = f", {made.attempts} attempts" if made.attempts > 1 else ""
    print(printable(f"run {name}: {now}{attempts}, {format_duration(made.seconds)} at work"))
    if made.engine:
        print(printable(f"model {made.engine}"))
    if made.error:
        print(printable(f"error {made.error}"))
    if why:
        print(printable(f"because {why}"))
    for line in lines(made):
        print(printable(line))
    if made.stages:
        print()
        rows = [(stage.name, *stage.describe(), format_duration(stage.seconds)) for stage in made.stages]
        print_columns([("STAGE", "STATUS", "DONE", "TIME"), *rows], "llrr")
    if made.tokens:
        print()
        print_columns([_TOKENS, *_token_rows(made)], "llrrrrrr")
    _print_trouble(made)


_TOKENS = ("TOKENS OF", "ROLE", "CALLS", "PROMPT", "PREFILLED", "DISTINCT", "RATIO", "DECODED")


def _token_rows(made: Tally) -> list[tuple[str, ...]]:
    rows = []
    for stage, roles in made.tokens_by_role.items():
        total = {"all": made.tokens[stage]} if len(roles) > 1 else {}
        for role, cost in {**roles, **total}.items():
            counts = (cost.calls, cost.prompt_tokens, cost.prefilled, cost.distinct_prompt_tokens)
            ratio = f"{cost.prefill_ratio:.3f}"
            rows.append((stage or "-", role, *(f"{count:,}" for count in counts), ratio, f"{cost.decoded:,}"))
    return rows


def _print_trouble(made: Tally) -> None:
    from collections import Counter

    from autoact.cli.output import printable

    for error, count in Counter(made.failed_units.values()).most_common(5):
        print(printable(f"{count} unit{'s' if count > 1 else ''} failed: {error}"))
    for offset, reason in made.damage[:5]:
        print(f"the log is damaged at byte {offset}: {reason}")
    if made.torn:
        print(f"the log ends with {made.torn} bytes of an unfinished line")
