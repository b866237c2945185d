"""The episodes in flight side by side, the latest turns of each in a transcript."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal

from autoact.run.record.live import LiveTail
from autoact.run.record.state import RunState
from studio.episodes.document import Paragraph
from studio.episodes.transcript_feed import lane_paragraphs, update_document
from studio.terminal.redraw import Frames
from studio.widgets.transcripts.transcript import Transcript

LANES = 4
"""Transcripts."""


class LaneTranscripts(Horizontal):
    """Those that have been in flight longest."""

    def __init__(self, *, id: str):
        super().__init__(id=id)
        self._shown: list[tuple[str, list[Paragraph]]] = [("", [])] * LANES
        """Unit and passages of each transcript."""

    def compose(self) -> ComposeResult:
        for number in range(LANES):
            yield Transcript(id=f"lane-{number}")

    def draw(self, state: RunState, live: LiveTail | None, title: Callable[[str], str], frames: Frames) -> None:
        """Bring the transcripts up to date; `title` gives the first line of a unit."""
        lanes = list(state.lanes.units)[:LANES]
        for number, view in enumerate(self.query(Transcript)):
            view.display = number < max(1, len(lanes))
            unit = lanes[number] if number < len(lanes) else ""
            said = live.said.get(unit) if live else None
            now = [Paragraph("", "unit", title(unit)), *lane_paragraphs(state.lanes.turns(unit), said)] if unit else []
            before = self._shown[number]
            if before[0] != unit:
                view.document.cut(0)
                before = unit, []
            update_document(view.document, before[1], now)
            self._shown[number] = unit, now
            frames.request(view)
