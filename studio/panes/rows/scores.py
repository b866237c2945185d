"""The scores of runs and their wrong answers as rows of tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textual.content import Content

from autoact.events import QuestionSolved
from autoact.lab.scores import Score
from studio.widgets.lists.table import Column
from studio.widgets.status import short_name

COLUMNS = (
    Column("run", 17), Column("cast"), Column("n", 5, right=True), Column("EM %  95 %", 14),
    Column("F1 %  95 %", 14), Column("gain in F1", 21, least=100), Column("tokens", 8, right=True, least=100),
    Column("s", 7, right=True, least=76),
)  # fmt: skip
WRONG = (Column("cast", 10, broad=17), Column("question"), Column("answer", 18), Column("expected", 18, least=70))


ORDERS = ("newest", "F1", "EM", "gain in F1", "fewest tokens")
"""Orders of the scores; each but the first puts the best first."""


class ScoreRows:
    """The scores as rows of the table: one for each cast of each run; below them, one for each run without scores."""

    def __init__(self) -> None:
        self.order = ORDERS[0]
        self.rows: list[tuple[str, Score | None]] = []

    def set_scores(self, scores: Mapping[str, Sequence[Score]]) -> None:
        """Sets the scores by run, the newest run first."""
        scored = [(run, score) for run, found in scores.items() for score in found]
        if self.order != ORDERS[0]:
            scored.sort(key=lambda row: self._rank(row[1]))
        self.rows = [*scored, *((run, None) for run, found in scores.items() if not found)]

    def _rank(self, score: Score) -> float:
        """Returns the place of a score in the current order, the lowest one first."""
        match self.order:
            case "F1":
                return -score.f1
            case "EM":
                return -score.em
            case "gain in F1":
                return -score.gain[0] if score.gain else math.inf
            case _:
                return score.tokens

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        run, score = self.rows[index]
        if score is None:
            return short_name(run), "", "", Content.styled("no scores", "$quiet"), *("",) * (len(COLUMNS) - 4)
        gain = "{:+.1f}  [{:.1f}, {:.1f}]".format(*(100 * part for part in score.gain)) if score.gain else ""
        return (
            short_name(run), score.cast, str(score.n), percent(score.em, score.em_interval),
            percent(score.f1, score.f1_interval), gain, f"{score.tokens:.0f}", f"{score.seconds:.1f}",
        )  # fmt: skip

    def key(self, index: int) -> str:
        run, score = self.rows[index]
        return f"{run}/{score.cast if score else ''}"


@dataclass(slots=True)
class WrongRows:
    """The wrong answers of one method in a run as rows of the table."""

    rows: Sequence[QuestionSolved] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        trajectory = self.rows[index].trajectory
        cells = self.rows[index].cast, trajectory.question.text, trajectory.answer or "-", trajectory.question.answer
        return tuple(part or "" for part in cells)

    def key(self, index: int) -> str:
        return self.rows[index].trajectory.unit


def percent(mean: float, ends: tuple[float, float]) -> str:
    """Returns a mean and its interval, all in percent."""
    return f"{100 * mean:5.1f} {100 * ends[0]:.0f}-{100 * ends[1]:.0f}"
