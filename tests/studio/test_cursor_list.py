"""The scroll bar of lists: drawn again when it looks different, and only then."""

from __future__ import annotations

import random

import pytest
from hosts import Host
from textual.scrollbar import ScrollBar, ScrollBarRender

from studio.episodes.document import Document, Paragraph
from studio.widgets.lists.cursor_list import PARTS, thumb
from studio.widgets.transcripts.transcript import Transcript


def drawn(count: int, page: int, top: float) -> list[tuple[str, str]]:
    """The bar's cells as Textual draws them."""
    bar = ScrollBarRender.render_bar(size=page, virtual_size=count, window_size=page, position=top)
    return [(segment.text, str(segment.style)) for segment in bar.segments if segment.text != "\n"]


def test_where_the_thumb_stays_the_bar_looks_the_same() -> None:
    chance, alike = random.Random(7), 0
    for _ in range(3_000):
        page = chance.randint(1, 60)
        count = chance.choice((page, page + 1, chance.randint(page, 500), chance.randint(page, 500_000)))
        one = chance.randint(0, count - page)
        other = min(count - page, one + chance.choice((0, 1, 2, page)))
        before, after = thumb(count, page, one), thumb(count, page, other)
        left, right = drawn(count, page, one), drawn(count, page, other)
        alike += before == after and one != other
        different = [row for row, cells in enumerate(zip(left, right, strict=True)) if cells[0] != cells[1]]
        ends = [end // PARTS for end in (*before, *after)]
        assert all(min(ends) <= row <= max(ends) for row in different)
        assert before != after or not different
    assert alike > 100


@pytest.mark.parametrize("passages", [30, 300, 30_000])
async def test_paging_leaves_the_bar_as_textual_would_draw_it(passages: int) -> None:
    told = (
        Paragraph("plan", "thought", f"thought {number} " + "so it is " * (number % 40)) for number in range(passages)
    )
    app = Host(Transcript(Document(told), paged=False))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        bar = app.query_one(Transcript).vertical_scrollbar
        for key in ("pageup", "pageup", "home", "pagedown", *["j"] * 5, "end", "pageup"):
            await pilot.press(key)
            await pilot.pause()
            seen = [row[-1:] for row in rows(app)]
            bar.refresh()
            await pilot.pause()
            assert [row[-1:] for row in rows(app)] == seen
            assert (bar.window_virtual_size, bar.position) == (
                app.query_one(Transcript).virtual_size.height,
                bar_top(bar),
            )


def rows(app: Host) -> list[list[tuple[str, str]]]:
    """Letters with their styles, line by line."""
    return [
        [(letter, str(segment.style)) for segment in strip for letter in segment.text]
        for strip in app.screen._compositor.render_strips()
    ]


def bar_top(bar: ScrollBar) -> float:
    assert isinstance(bar.parent, Transcript)
    return bar.parent.scroll_y
