"""Text that the mouse selects is marked, and copied when the button is released."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts import Host
from paned import done, pane_of, until
from stories import finished, screen_text, write
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection
from textual.widget import Widget

from studio.episodes.document import Document, Paragraph
from studio.screens.project import ProjectScreen
from studio.terminal import user_files
from studio.widgets.lists.table import Column, Table
from studio.widgets.transcripts.transcript import Transcript


class Numbers:
    """A thousand rows."""

    def __len__(self) -> int:
        return 1_000

    def row(self, index: int) -> tuple[str, ...]:
        return f"row {index}", "東京"

    def key(self, index: int) -> str:
        return str(index)


async def drag(pilot: Pilot[str], widget: Widget, start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(widget, offset=start)
    await pilot.hover(widget, offset=end)
    await pilot.mouse_up(widget, offset=end)
    await pilot.pause()


async def test_lines_of_a_table_without_its_head() -> None:
    table = Table((Column("name", 10), Column("city")), Numbers())
    app = Host(table)
    async with app.run_test(size=(40, 12)) as pilot:
        await drag(pilot, table, (1, 2), (20, 4))
        assert app.screen.get_selected_text() == "row 1     東京\n row 2     東京\n row 3     東京"
        assert table.cursor == 0, "the end of a selection is no click"
        table.move_to_edge(last=True)
        assert app.screen.get_selected_text() == "row 1     東京\n row 2     東京\n row 3     東京"


async def test_words_of_a_transcript_without_its_gutter() -> None:
    document = Document(
        [Paragraph("plan", "thought", "I should look"), Paragraph("tool", "action", "Retrieve[Fidelio]")]
    )
    view = Transcript(document)
    app = Host(view)
    async with app.run_test(size=(60, 12)) as pilot:
        left = view.margin[1]
        await drag(pilot, view, (left + 2, 0), (left + 7, 1))
        assert app.screen.get_selected_text() == "should look\nRetrieve"
        marked = [
            segment.text
            for segment in view.render_line(1)
            if segment.style and segment.style.bgcolor != view.rich_style.bgcolor
        ]
        assert "Retrieve" in "".join(marked)
        assert view.render_line(1).cell_length == 60 - 1


async def test_all_and_nothing() -> None:
    table = Table((Column("name", 10), Column("city")), Numbers())
    async with Host(table).run_test(size=(40, 5)):
        found = table.get_selection(Selection(None, None))
        assert found is not None
        assert found[0].splitlines() == [f" row {n}     東京" for n in range(4)]
        one = table.get_selection(Selection(Offset(1, 3), Offset(1, 3)))
        assert one == ("", "\n")


async def test_it_is_copied_when_the_button_is_released(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    write(opera, finished())
    async with pane_of(opera, "7", (120, 30)) as (app, pilot):
        assert isinstance(app.screen, ProjectScreen)
        table = app.screen.query_one("#runs-table", Table)
        await drag(pilot, table, (1, 1), (12, 1))
        await done(app, pilot)
        await until(pilot, lambda: "saved in" in screen_text(app))
        assert user_files.clipboard_file().read_text("utf-8").startswith("11-22 14:30")
