"""The figures of a run as lines of the lab: signs of failure, numbers kept and refused, scores by level and type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from autoact.lab.tally import LOSS_OF_ADAPTER, Tally, count_examples, describe_validation
from autoact.verdicts import describe_verdicts
from studio.panes.rows.scores import percent
from studio.terminal import untrusted_text

if TYPE_CHECKING:
    from autoact.lab.inspection.signatures import FailureSignature


def signs(signatures: Sequence[FailureSignature]) -> list[Content]:
    """Returns a line for each sign of failure that was found, and where the remedies are."""
    found = [one for one in signatures if one.found]
    lines = [Content.assemble((f"{one.name}: ", "$warning"), untrusted_text.content(one.message)) for one in found]
    return [*lines, Content.styled("`autoact inspect` tells what helps", "$quiet")] if lines else []


def funnel(tally: Tally) -> list[Content]:
    """Returns lines with the numbers of questions, trajectories and training examples, and reasons for refusals."""
    lines = [
        Content.assemble(
            ("questions    ", "$accent"), f"{tally.questions_asked} made, {tally.questions_kept} accepted"
        ),
        *_reasons(tally.questions_refused),
        Content.assemble(
            ("trajectories ", "$accent"), f"{tally.trajectories_tried} tried, {tally.trajectories_kept} kept"
        ),
        *_reasons(tally.trajectories_refused),
        *_reasons(_kept_by_origin(tally)),
    ]
    for adapter in tally.adapters:
        last = f"at first, {LOSS_OF_ADAPTER}" if adapter.ready else "to"
        validated = "" if adapter.validation_loss is None else f", {adapter.validation_loss:.3f} in validation"
        trained = f"{adapter.steps} steps, loss {adapter.first_loss:.3f} {last} {adapter.loss:.3f}{validated}"
        text = f"{count_examples(adapter.examples)}, {trained if adapter.steps else 'trained in an earlier run'}"
        lines.append(Content.assemble((f"{untrusted_text.line(adapter.role):<13}", "$accent"), text))
    if tally.validation:
        lines.append(Content.assemble(("validation   ", "$accent"), describe_validation(tally.validation)))
    for score in tally.scores:
        if score.verdicts and score.verdicts.n:
            name = untrusted_text.line(score.cast, 12)
            lines.append(Content.assemble((f"{name:<13}", "$accent"), f"reflect {describe_verdicts(score.verdicts)}"))
    return lines


def _kept_by_origin(tally: Tally) -> dict[str, int]:
    """Returns the numbers of kept trajectories by how they were made; nothing when all were made in one way."""
    ways = tally.trajectories_made
    return {f"kept of {one.tried} {name}": one.kept for name, one in ways.items()} if len(ways) > 1 else {}


def parts(tally: Tally) -> list[Content]:
    """Returns lines with the scores by level and by type, each with its number of questions n."""
    lines = []
    for score in tally.scores:
        for part in (*score.by_level, *score.by_type):
            text = f"{part.n:4d}  EM {percent(part.em, part.em_interval)}  F1 {percent(part.f1, part.f1_interval)}"
            name = untrusted_text.line(f"{score.cast} {part.name}", 22)
            lines.append(Content.assemble((f"{name:<24}", "$accent"), text))
    return lines


def _reasons(refused: dict[str, int]) -> list[Content]:
    return [
        Content.assemble(f"{count:>17}  ", untrusted_text.content(reason, "$quiet"))
        for reason, count in refused.items()
    ]
