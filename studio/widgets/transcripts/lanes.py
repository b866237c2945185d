"""The episodes that are being played, side by side, each with its latest turns in a transcript."""

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

MOST_LANES = 4
"""Transcripts side by side."""


class LaneTranscripts(Horizontal):
    """Shows the lanes that began first, up to `MOST_LANES`."""

    def __init__(self, *, id: str):
        super().__init__(id=id)
        self._shown: list[tuple[str, list[Paragraph]]] = [("", [])] * MOST_LANES
        """Unit and paragraphs of each transcript."""

    def compose(self) -> ComposeResult:
        for number in range(MOST_LANES):
            yield Transcript(id=f"lane-{number}")

    def draw(self, state: RunState, live: LiveTail | None, title: Callable[[str], str], frames: Frames) -> None:
        """Updates the transcripts; `title` returns the first line for a unit."""
        lanes = list(state.lanes.units)[:MOST_LANES]
        for number, view in enumerate(self.query(Transcript)):
            view.display = number < max(1, len(lanes))
            unit = lanes[number] if number < len(lanes) else ""
            partial = live.partial_answers.get(unit) if live else None
            now = (
                [Paragraph("", "unit", title(unit)), *lane_paragraphs(state.lanes.turns(unit), partial)] if unit else []
            )
            before = self._shown[number]
            if before[0] != unit:
                view.document.truncate(0)
                before = unit, []
            update_document(view.document, before[1], now)
            self._shown[number] = unit, now
            frames.request(view)
