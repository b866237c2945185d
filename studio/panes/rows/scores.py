"""The scores of runs and their wrong answers as rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from textual.content import Content

from autoact.events import QuestionSolved
from autoact.lab.scores import Score
from studio.widgets.lists.table import Column
from studio.widgets.status import short_name

COLUMNS = (
    Column("run", 18), Column("cast", 7), Column("n", 5, right=True), Column("EM %  95 %", 15),
    Column("F1 %  95 %", 15), Column("gain in F1", 21, least=100), Column("tokens", 8, right=True, least=100),
    Column("s", 7, right=True, least=76),
)  # fmt: skip
WRONG = (Column("cast", 7), Column("question"), Column("answer", 18), Column("expected", 18, least=70))


class ScoreRows:
    """The scores as rows of the table: one for each cast of each run, and one for a run without scores."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Score | None]] = []

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
    """The wrong answers of one run as rows of the table."""

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
