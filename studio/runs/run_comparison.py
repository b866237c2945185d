"""Compares two runs: their figures side by side, what their scores say, and the settings that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from autoact.errors import BadInput
from autoact.lab import comparison
from autoact.lab.comparison import ComparedSide, collect_answers
from autoact.lab.duration import short_duration
from autoact.lab.manifest import find_unlike, make_manifest
from autoact.lab.scores import Score
from autoact.lab.tally import LogTotals, Tally, count_figures, describe_training, describe_validation
from autoact.registry.roles import ROLES
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from studio.episodes.document import Document, Paragraph
from studio.runs.config_diff import differences
from studio.terminal.wrap import wrap

NONE = "-"


def compare_runs(one: RunFolder, other: RunFolder, widest: int) -> Document:
    """Returns the comparison of two runs as a document. Reads both logs, so call it in a thread.

    Each column has at most `widest` cells.
    """
    totals = [LogTotals.of_run(folder) for folder in (one, other)]
    left, right = (_figures(count_figures(each)) for each in totals)
    rows = [(name, left.get(name, NONE), right.get(name, NONE)) for name in _in_order(left, right)]
    width = min(widest, max(len(value) for _, value, _ in [("", one.name, ""), *rows]))
    document = Document([Paragraph("", "runs", _side_by_side(one.name, other.name, width, widest))])
    for name, mine, its in rows:
        text = _side_by_side(mine, its, width, widest)
        document.add(Paragraph(name if name in ROLES else "", name, text))
    for part, text in (*_compare_scores(one, other, *(each.state for each in totals)), *_settings(one, other)):
        document.add(Paragraph("", part, text))
    document.longest_part = max(len(name) for name, _, _ in rows)
    return document


def _side_by_side(mine: str, its: str, width: int, widest: int) -> str:
    """Returns two texts in columns, the left one of `width` cells, the right one of at most `widest`."""
    lines = zip_longest(wrap(mine, width), wrap(its, widest), fillvalue="")
    return "\n".join(f"{left:<{width}} | {right}" for left, right in lines)


def _in_order(left: Mapping[str, str], right: Mapping[str, str]) -> list[str]:
    """Returns the names of both, one that only the right has behind the name that it follows there."""
    names = list(left)
    before = -1
    for name in right:
        if name in names:
            before = names.index(name)
        else:
            before += 1
            names.insert(before, name)
    return names


def _figures(made: Tally) -> dict[str, str]:
    """Returns the figures of a run by their names."""
    encoded = sum(cost.prefilled for cost in made.tokens.values())
    generated = sum(cost.decoded for cost in made.tokens.values())
    return {
        "status": made.status,
        "time": short_duration(made.seconds),
        "tokens": f"{encoded:,} encoded, {generated:,} generated",
        "questions": f"{made.questions_kept} of {made.questions_asked} accepted",
        "tools": ", ".join(made.tools) or NONE,
        "kept": f"{made.trajectories_kept} of {made.trajectories_tried} trajectories",
        **{one.role: describe_training(one) for one in made.adapters},
        **({"validation": describe_validation(made.validation)} if made.validation else {}),
        **{f"F1 {one.cast}": _score(one) for one in made.scores},
    }


def _score(score: Score) -> str:
    low, high = score.f1_interval
    interval = f"({100 * low:.1f} to {100 * high:.1f})"
    return f"EM {100 * score.em:.1f}, F1 {100 * score.f1:.1f} {interval} of {score.n}"


def _compare_scores(one: RunFolder, other: RunFolder, left: RunState, right: RunState) -> Iterator[tuple[str, str]]:
    """Yields what the paired answers of the methods in both runs say, after what makes the runs unlike."""
    sides = collect_answers(left.solved), collect_answers(right.solved)
    shared = [method for method in sides[0] if sides[0][method].keys() & sides[1].get(method, {}).keys()]
    if not shared:
        return
    unlike = find_unlike([make_manifest(one.name, left), make_manifest(other.name, right)])
    if other_conditions := [what.what for what in unlike if what.condition]:
        yield "unlike", f"other {', '.join(other_conditions)}: the scores do not measure the same"
    pairs = [
        (ComparedSide(f"left {method}", (sides[0][method],)), ComparedSide(f"right {method}", (sides[1][method],)))
        for method in shared
    ]
    for method, found in zip(shared, comparison.compare(pairs), strict=True):
        yield "paired", f"{method}: {found.n} questions in both; {found.words}"


def _settings(one: RunFolder, other: RunFolder) -> Iterator[tuple[str, str]]:
    """Yields the settings that differ."""
    try:
        rows = differences(one.read_config(), other.read_config())
    except BadInput as error:
        yield "settings", str(error)
        return
    for name, left, right in rows:
        yield "setting", f"{name}:  {left}  |  {right}"
    if not rows:
        yield "settings", "The same settings."
