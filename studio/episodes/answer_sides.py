"""Answers side by side: their titles, what the model is writing of them, and their replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoact.run.record.live import LiveTail
from studio.episodes.document import Paragraph
from studio.episodes.session import AskedQuestion, SessionLog


def side_titles(beside: Sequence[AskedQuestion]) -> list[str]:
    """Returns the titles of answers side by side: one that another was forked from is the original."""
    forked = {asked.of for asked in beside}
    return [f"{one.side}: original" if one.unit in forked else one.side for one in beside]


class LiveAnswers:
    """Reads what the model is writing now in one session, the one last asked about."""

    def __init__(self) -> None:
        self._tail: LiveTail | None = None
        self._of: SessionLog | None = None

    def paragraph(self, session: SessionLog, asked: AskedQuestion) -> Paragraph | None:
        """Returns the answer that the model is writing; None when it writes none."""
        if asked.over:
            return None
        if self._tail is None or self._of is not session:
            self.close()
            self._tail, self._of = LiveTail(session.folder), session
        self._tail.read()
        return asked.partial_paragraph(self._tail.partial_answers.get(asked.unit))

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()


@dataclass(frozen=True, slots=True)
class Replay:
    """A question replayed at the pace of its log."""

    asked: AskedQuestion

    def turns(self, seconds: float) -> int:
        """Returns the number of turns in the first `seconds` after the question."""
        return sum(turn.at - self.asked.at <= seconds for turn in self.asked.turns)

    @property
    def length(self) -> float:
        """Seconds from the question to the last turn."""
        return max((turn.at - self.asked.at for turn in self.asked.turns), default=0.0)
