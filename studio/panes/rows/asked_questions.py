"""The questions of all sessions of a project as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from studio.episodes.session import AskedQuestion, SessionLog
from studio.widgets.lists.table import Column

COLUMNS = (
    Column("", 2), Column("question"), Column("cast", 10, broad=17), Column("answer", 18, least=60),
    Column("turns", 6, right=True),
)  # fmt: skip


class AskedRows:
    """All questions, the newest first."""

    def __init__(self) -> None:
        self.rows: list[tuple[SessionLog, AskedQuestion]] = []

    def set_sessions(self, sessions: Sequence[SessionLog]) -> None:
        """Takes the questions of the sessions, which are sorted newest first."""
        self.rows = [(session, asked) for session in sessions for asked in reversed(session.asked.values())]

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        _, asked = self.rows[index]
        answer = asked.trajectory.answer or "no answer" if asked.trajectory else asked.failed or "..."
        mark, point = ("└", f"turn {asked.forked_at}: ") if asked.of else ("", "")
        return mark, point + asked.question.text, asked.cast, answer, str(len(asked.turns))

    def key(self, index: int) -> str:
        session, asked = self.rows[index]
        return f"{session.folder.name}/{asked.unit}"
