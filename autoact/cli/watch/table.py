"""Prints the results of a run as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from autoact.cli.output import print_json, printable
from autoact.lab.precision import describe_precision
from autoact.lab.scores import Score
from autoact.lab.tally import Tally, ToolUse, describe_pass_rates, describe_training, describe_validation, tally
from autoact.registry.methods import METHODS
from autoact.run.record.folder import RunFolder
from autoact.verdicts import describe_verdicts

GOLD = "*"
"""Marks the scores of methods that see the gold answer."""
LONGEST_REASON = 80
"""The most characters of the reason of a failed call."""


def print_result(folder: RunFolder, *, as_json: bool) -> None:
    """Prints questions, trajectories, adapters and scores of a run."""
    made = tally(folder.events)
    if as_json:
        print_json(made)
        return
    print(f"\nrun {printable(folder.name)}")
    for line in lines(made):
        print(printable(line))


def lines(made: Tally) -> Iterator[str]:
    """Yields the lines of the table."""
    if made.questions_asked:
        refused = _reasons(made.questions_refused)
        yield f"questions     {made.questions_asked} asked, {made.questions_kept} kept{refused}"
    if made.precision.marked:
        yield f"precision     {describe_precision(made.precision)}"
    if made.tools:
        yield f"tools         {', '.join(made.tools)}"
    if made.trajectories_tried:
        refused = _reasons(made.trajectories_refused)
        yield f"trajectories  {made.trajectories_tried} tried, {made.trajectories_kept} kept{refused}"
    if made.tool_calls:
        yield f"tool calls    {_calls(made.tool_calls)}"
    if len(made.trajectories_made) > 1:
        parts = (f"{one.kept} of {one.tried} {name}" for name, one in made.trajectories_made.items())
        yield f"kept          {', '.join(parts)}"
    if made.pass_rates:
        yield f"pass@k        {describe_pass_rates(made.pass_rates)}"
    for adapter in made.adapters:
        yield f"{adapter.role + '-agent':<13} {describe_training(adapter)}"
    if made.validation:
        yield f"validation    {describe_validation(made.validation)}"
    if made.scores:
        yield from _score_table(made)


def _score_table(made: Tally) -> Iterator[str]:
    yield ""
    interval = f"{'95 % interval':>14}"
    success, mean, steps = ("won", "score", f"  {'steps':>5}") if made.scores[0].played else ("EM", "F1", "")
    header = f"{'held-out':<22}{'n':>4}  {success:>5} {interval}  {mean:>5} {interval}"
    yield f"{header}  {'tokens':>7}  {'s':>6}{steps}"
    for score in made.scores:
        yield from _scores(score)
        if score.stopped:
            yield f"  the limit of tokens ended {score.stopped} of {score.n} answers"
        if score.verdicts and score.verdicts.n:
            yield f"  reflect: {describe_verdicts(score.verdicts)}"
        if score.gain:
            gain, low, high = (100 * value for value in score.gain)
            yield f"  {mean} over the meta-agent alone: {gain:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}"
    if made.token_limit:
        yield f"Each method generated at most {made.token_limit} tokens for a question."
    if any(_sees_gold(score.cast) for score in made.scores):
        yield f"{GOLD} sees the gold answer: no fair comparison with the others."


def _calls(uses: Mapping[str, ToolUse]) -> str:
    """Returns the number of calls, and by tool those that failed or found nothing, with the most frequent reason."""
    parts = [str(sum(use.calls for use in uses.values()))]
    for word, counts in (
        ("failed", {tool: use.failed for tool, use in uses.items()}),
        ("found nothing", {tool: use.empty for tool, use in uses.items()}),
    ):
        failures = [
            f"{sum(reasons.values())} of {uses[tool].calls} {tool} ({printable(next(iter(reasons)))[:LONGEST_REASON]})"
            for tool, reasons in counts.items()
            if reasons
        ]
        parts.append(f"{word}: {', '.join(failures) or 'none'}")
    return "; ".join(parts)


def _reasons(refused: Mapping[str, int]) -> str:
    if not refused:
        return ""
    ordered = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
    return "; refused: " + ", ".join(f"{count} {why}" for why, count in ordered)


def _scores(score: Score) -> Iterator[str]:
    yield _row(f"{score.cast} {GOLD}" if _sees_gold(score.cast) else score.cast, score)
    for group in (*score.by_level, *score.by_type):
        yield _row(f"  {group.name or 'unknown'}", group)


def _sees_gold(cast: str) -> bool:
    return cast in METHODS and METHODS.get(cast).gold


def _row(label: str, score: Score) -> str:
    em, f1 = 100 * score.em, 100 * score.f1
    em_range = f"{100 * score.em_interval[0]:.1f} to {100 * score.em_interval[1]:.1f}"
    f1_range = f"{100 * score.f1_interval[0]:.1f} to {100 * score.f1_interval[1]:.1f}"
    cost = f"{score.tokens:>7.0f}  {score.seconds:>6.1f}" if score.tokens else ""
    if score.played:
        cost = f"{cost:>15}  {score.steps:>5.1f}"
    return f"{label:<22}{score.n:>4}  {em:>5.1f} {em_range:>14}  {f1:>5.1f} {f1_range:>14}  {cost}"
