"""Frames: many asks, one drawing."""

from __future__ import annotations

from hosts import Host

from studio.episodes.document import Paragraph
from studio.terminal.redraw import Frames
from studio.widgets.transcripts.transcript import Transcript


class Counted:
    """Says how often it was drawn."""

    def __init__(self, *, seen: bool = True):
        self.drawn = 0
        self.is_on_screen = seen

    def draw(self) -> None:
        self.drawn += 1


async def test_many_asks_are_one_drawing() -> None:
    view = Transcript()
    app = Host(view)
    async with app.run_test(size=(80, 24)) as pilot:
        frames, counted, hidden = Frames(app.screen), Counted(), Counted(seen=False)
        for _ in range(50):
            frames.request(counted)
            frames.request(hidden)
            frames.request(view)
        view.document.add(Paragraph("plan", "thought", "now"))
        assert counted.drawn == 0
        await pilot.pause(0.2)
        assert (counted.drawn, hidden.drawn) == (1, 0)
        assert view.virtual_size.height == 24
        assert view.cursor == 0
        frames.request(counted)
        frames.draw()
        await pilot.pause(0.2)
        assert counted.drawn == 2
