"""Search: `/` in a transcript, an event log and the help; counts, smart case, folds that open at a match."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hosts import Host
from paned import done, pane_of
from stories import alive, finished, screen_text, synthesis, write
from textual.pilot import Pilot

from studio.app import StudioApp
from studio.episodes.document import Document, Paragraph
from studio.episodes.search import Search, TextMatch
from studio.target import find
from studio.terminal.wrap import line_starts, wrap
from studio.widgets.transcripts.transcript import Transcript

FILLING = "A sentence that nobody looks for, of a usual length. " * 12


def episode() -> Document:
    """Three steps; the second observation is folded, and has the word in its first line and in a hidden one."""
    return Document(
        [
            Paragraph("plan", "thought", "I look for Klimt.", 0),
            Paragraph("tool", "action", "Retrieve", 1),
            Paragraph("world", "observation", "nothing", 2),
            Paragraph("plan", "thought", "again", 3),
            Paragraph("world", "observation", f"klimt. {FILLING} The painter Klimt, KLIMT. {FILLING}", 4),
            Paragraph("plan", "thought", "It was klimt", 5),
        ]
    )


def shown(document: Document) -> Transcript:
    """A transcript that leaves a line for the search."""
    view = Transcript(document)
    view.styles.height = "1fr"
    return view


async def pressed(pilot: Pilot[str], *keys: str) -> str:
    await pilot.press(*keys)
    await pilot.pause()
    await pilot.pause()
    return screen_text(pilot.app)


def test_the_starts_of_wrapped_lines() -> None:
    source = random.Random(5)
    for _ in range(1000):
        text = "".join(source.choice("ab é東 \xa0\n") for _ in range(source.randrange(80)))
        lines = wrap(text, source.randrange(2, 20))
        for start, line in zip(line_starts(text, lines), lines, strict=True):
            assert text.startswith(line, start)


@pytest.mark.parametrize(
    ("text", "count"), [("klimt", 5), ("Klimt", 2), ("KLIMT", 1), ("look for klimt", 1), (".", 27), ("(", 0)]
)
def test_capitals_count_only_if_there_are_any(text: str, count: int) -> None:
    assert Search(text, episode()).count == count


def test_a_match_goes_on_over_a_line_end() -> None:
    assert Search("gold leaf", Document([Paragraph("", "", "gold\nleaf and gold  leaf")])).count == 2


def test_matches_follow_a_document_that_grows() -> None:
    document = episode()
    search = Search("klimt", document)
    search.step(-1, TextMatch(0, 0, 0))
    assert search.label == "5 of 5"
    document.add(Paragraph("plan", "thought", "So, Klimt.", 6))
    search.update(6)
    assert search.label == "5 of 6"
    document.truncate(5)
    search.update(5)
    assert search.label == "- of 4"


@pytest.mark.does("search.search", "search.next_match", "search.previous_match", "search.end_search")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_transcript_is_searched_match_by_match(size: tuple[int, int]) -> None:
    view = shown(episode())
    app = Host(view)
    async with app.run_test(size=size) as pilot:
        await pressed(pilot, "g")
        text = await pressed(pilot, "slash", *"klimt")
        assert "1 of 5" in text
        assert "more lines, 2 matches" in text
        text = await pressed(pilot, "enter", "n")
        assert "2 of 5" in text
        assert view.cursor == 4
        text = await pressed(pilot, "n")
        assert "3 of 5" in text
        assert "The painter Klimt" in text, "the fold is open, and the line in sight"
        assert "more lines" not in text
        assert "5 of 5" in await pressed(pilot, "n", "n")
        assert "1 of 5" in await pressed(pilot, "n"), "after the last comes the first"
        assert "5 of 5" in await pressed(pilot, "N")
        text = await pressed(pilot, "escape")
        assert " of 5" not in text
        assert view.search is None


@pytest.mark.parametrize("no_color", [False, True])
async def test_matches_look_different_and_the_current_one_does_also_without_colour(
    monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    view = shown(episode())
    async with Host(view).run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "g", "slash", *"klimt", "enter")
        strips = [view.render_line(y) for y in range(12)]
        pieces = [segment for strip in strips for segment in strip if segment.text.lower() == "klimt"]
        assert len(pieces) == 3, "two are hidden"
        current, other = pieces[0].style, pieces[1].style
        assert current is not None
        assert other is not None
        assert other.underline
        assert (current.reverse if no_color else current.bgcolor) != (other.reverse if no_color else other.bgcolor)


async def test_a_match_that_is_wrapped_is_highlighted_on_both_lines() -> None:
    view = shown(Document([Paragraph("plan", "thought", "word " * 12 + "golden leaf is here")]))
    async with Host(view).run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "slash", *"golden leaf", "enter")
        seen = [
            segment.text for y in range(4) for segment in view.render_line(y) if segment.style and segment.style.bgcolor
            and segment.style.bgcolor == view.get_component_rich_style("transcript--current").bgcolor
        ]  # fmt: skip
        assert seen == ["golden", "leaf"] or seen == ["golden leaf"]


async def test_esc_while_typing_ends_the_search() -> None:
    view = shown(episode())
    app = Host(view)
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot, "slash", *"klimt", "escape")
        assert " of 5" not in text
        assert view.search is None
        assert view.has_focus


async def test_a_text_without_a_match_says_so() -> None:
    async with Host(shown(episode())).run_test(size=(80, 24)) as pilot:
        assert "no match" in await pressed(pilot, "slash", *"monet")


async def test_the_search_goes_on_in_the_next_document() -> None:
    view = shown(episode())
    async with Host(view).run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "slash", *"klimt", "enter")
        view.show(Document([Paragraph("plan", "thought", "Klimt and Klimt")]))
        assert "- of 2" in await pressed(pilot)
        assert "1 of 2" in await pressed(pilot, "g", "n")


@pytest.mark.does("transcript.next_step", "transcript.previous_step")
async def test_step_by_step() -> None:
    view = shown(episode())
    async with Host(view).run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "g")
        seen = []
        for key in ("}", "}", "}", "{", "{", "{"):
            await pressed(pilot, key)
            seen.append(view.cursor)
        assert seen == [3, 5, 5, 3, 0, 0]


# -- in the studio ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_slash_filters_the_list_and_searches_the_transcript(opera: Path, size: tuple[int, int]) -> None:
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "3", size) as (app, pilot):
            assert "/ filter" in screen_text(app) or size[0] == 80
            text = await pressed(pilot, "enter")
            assert "/ search" in text
            text = await pressed(pilot, "slash", *"klimt", "enter")
            assert "1 of 1" in text
            assert "n next match" in text
            text = await pressed(pilot, "escape")
            assert "1 of 1" not in text
            assert "esc list" in text or size[0] == 80, "the first esc ended only the search"
            await pressed(pilot, "escape", "slash", *"0039", "enter")
            assert "q-0038.1" not in screen_text(app)


async def test_a_search_keeps_the_episode_that_is_read(opera: Path) -> None:
    """While the text is typed the transcript has not the focus, and the list may change."""
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "3") as (app, pilot):
            await pressed(pilot, "enter", "slash", *"kl")
            pane = app.screen.query_one("TrajectoriesPane")
            assert pane.reader.is_focused  # type: ignore[attr-defined]


async def test_the_event_log_is_searched(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("l")
        await done(app, pilot)
        text = await pressed(pilot, "slash", *"stage.started", "enter")
        assert "of " in text.splitlines()[-3]
        assert "stage.started" in text
        assert "n next match" in text.splitlines()[-1]
        await pressed(pilot, "escape")
        assert "new run" in screen_text(app).splitlines()[-1], "n has its usual meaning again"
        await pressed(pilot, "n")
        assert "New run" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_help_is_searched(opera: Path, size: tuple[int, int]) -> None:
    write(opera, finished())
    app = StudioApp(find(str(opera)))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pressed(pilot, "3", "question_mark")
        text = await pressed(pilot, "slash", *"whatever", "enter")
        assert "1 of 1" in text
        assert "keep it for training, whatever the filter says" in text
        assert "1 of 1" not in await pressed(pilot, "escape")
        assert "keep it" in screen_text(app)
        await pressed(pilot, "escape")
        assert "keep it for training, whatever" not in screen_text(app)
