"""The transcript: documents that grow, lines that are counted, a view that follows."""

from __future__ import annotations

import random

import pytest
from hosts import Host
from stories import screen_text
from textual.pilot import Pilot

from studio.episodes.document import Document, Paragraph
from studio.episodes.line_index import BLOCK, LineIndex
from studio.terminal import untrusted_text
from studio.terminal.glyphs import UNICODE
from studio.terminal.wrap import wrap
from studio.widgets.transcripts.gutter import label
from studio.widgets.transcripts.transcript import Transcript

LONG = "A sentence of the kind that tools give back, with a dozen words or so in it. "


def told(count: int) -> Document:
    document = Document()
    for number in range(count):
        document.add(Paragraph("plan", "thought", f"thought {number} " + LONG * (number % 3), number))
        document.add(Paragraph("tool", "action", f"BingSearch[Woman in Gold {number}]", number))
        document.add(Paragraph("world", "observation", LONG * (number % 40), number))
    return document


def numbers(text: str) -> list[int]:
    return [int(row.split("thought ")[-1].split()[0]) for row in text.splitlines() if "thought " in row]


# -- wrapping --------------------------------------------------------------------------------------------------------


def test_lines_break_at_spaces_and_fit() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("a\n\nb", 5) == ["a", "", "b"]
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("東京都の人口 は", 6) == ["東京都", "の人口", "は"]
    assert wrap("", 10) == [""]
    note = "right   · 0.1\xa0s\xa0\xa0probability\xa027%"
    assert wrap(note, 19) == ["right   · 0.1\xa0s\xa0", "probability\xa027%"]
    assert wrap(note, 30) == ["right   ·", "0.1\xa0s\xa0\xa0probability\xa027%"]


@pytest.mark.parametrize("part", ["observation", "sampling", "assistant", "probability", "generated"])
def test_a_long_name_of_a_part_has_a_short_one(part: str) -> None:
    assert label(UNICODE, "", part, 15).endswith(part)
    short = label(UNICODE, "", part, 11).strip()
    assert short
    assert not part.startswith(short) or short == "obs"


def test_no_letter_is_lost_in_wrapping() -> None:
    source = random.Random(7)
    for _ in range(500):
        text = "".join(source.choice("ab é東\u0301 \n") for _ in range(source.randrange(80)))
        lines = wrap(text, source.randrange(2, 20))
        assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


# -- documents -------------------------------------------------------------------------------------------------------


def test_pieces_are_as_safe_as_the_whole() -> None:
    source = random.Random(11)
    for _ in range(300):
        text = "".join(chr(source.choice((0x1B, 0x0D, 0x0A, 0x41, 0x200D, 0x301, 0x9B, 0x645))) for _ in range(60))
        writer, shown, at = untrusted_text.Writer(), "", 0
        while at < len(text):
            size = source.randrange(1, 7)
            shown, at = writer.write(text[at : at + size]), at + size
        assert shown == untrusted_text.clean(text)


def test_a_document_tells_what_changed() -> None:
    document = told(2)
    document.changed = len(document)
    document.begin("plan", "thought", 7)
    document.write("I ")
    document.write("see\x1b[2J")
    assert document.changed == 6
    assert document[6] == Paragraph("plan", "thought", "I see␛[2J", 7)
    document.replace(1, "Finish[x]")
    assert (document.changed, document.text(1)) == (1, "Finish[x]")
    document.truncate(3)
    assert len(document) == 3


# -- heights ---------------------------------------------------------------------------------------------------------


def test_every_line_is_found_whatever_was_estimated() -> None:
    source = random.Random(3)
    lines = [source.randrange(1, 5) for _ in range(5 * BLOCK + 17)]
    heights = LineIndex(lambda index: lines[index], lambda first, last: 2 * (last - first))
    heights.change(0, len(lines))
    heights.count_range(0, 10**6, 0)
    assert heights.total == sum(lines)
    owners = [(index, row) for index, count in enumerate(lines) for row in range(count)]
    assert [heights.find(line) for line in range(sum(lines))] == owners
    assert heights.span(300) == (sum(lines[:300]), sum(lines[:301]))


def test_counting_above_tells_how_far_it_moved_things() -> None:
    heights = LineIndex(lambda index: 3, lambda first, last: last - first)
    heights.change(0, 4 * BLOCK)
    assert heights.count_range(BLOCK, BLOCK, 2 * BLOCK) == 2 * BLOCK
    assert heights.find(4 * BLOCK) == (2 * BLOCK, 0)


def test_growth_counts_only_what_is_new() -> None:
    counted: list[int] = []
    heights = LineIndex(lambda index: counted.append(index) or 1, lambda first, last: last - first)
    for passages in range(1, 200):
        heights.change(passages - 1, passages)
    assert len(counted) == 199
    assert heights.total == 199


# -- the view --------------------------------------------------------------------------------------------------------


@pytest.mark.does("list.first", "list.last")
async def test_it_follows_the_end_until_someone_moves() -> None:
    view = Transcript(told(400), paged=False)
    app = Host(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert numbers(screen_text(app))[-1] == 399
        for token in ("I ", "should ", "look."):
            if token == "I ":
                view.document.begin("plan", "thought")
            view.document.write(token)
        view.draw()
        await pilot.pause()
        assert "I should look." in screen_text(app).splitlines()[-1]
        await pilot.press("g")
        await pilot.pause()
        assert numbers(screen_text(app))[0] == 0
        seen = screen_text(app)
        view.document.add(Paragraph("plan", "thought", "unseen"))
        view.draw()
        await pilot.pause()
        assert screen_text(app).splitlines()[:20] == seen.splitlines()[:20]
        await pilot.press("G")
        await pilot.pause()
        assert "unseen" in screen_text(app)


async def test_pages_meet_and_nothing_is_skipped() -> None:
    view = Transcript(told(40), folds=())
    app = Host(view)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g")
        seen = await paged_through(app, view, pilot, "pagedown")
        assert seen == list(range(40))
        back = await paged_through(app, view, pilot, "pageup")
        assert sorted(back) == list(range(40))


async def paged_through(app: Host, view: Transcript, pilot: Pilot[str], key: str) -> list[int]:
    """The numbers of the thoughts in the order in which pages bring them."""
    seen = dict.fromkeys(numbers(screen_text(app)))
    for _ in range(4000):
        before = view.top
        await pilot.press(key)
        seen |= dict.fromkeys(numbers(screen_text(app)))
        if view.top == before:
            return list(seen)
    return list(seen)


@pytest.mark.does("transcript.unfold")
async def test_a_fold_opens_and_closes() -> None:
    view = Transcript(Document([Paragraph("world", "observation", LONG * 30)]))
    app = Host(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "more lines" in screen_text(app)
        await pilot.press("o")
        await pilot.pause()
        assert "more lines" not in screen_text(app)
        await pilot.press("o")
        await pilot.pause()
        assert "more lines" in screen_text(app)


@pytest.mark.parametrize("width", [30, 50, 80, 200])
async def test_another_width_keeps_the_place(width: int) -> None:
    view = Transcript(told(300))
    app = Host(view)
    async with app.run_test(size=(100, 24)) as pilot:
        view.move_to(450)
        await pilot.pause()
        assert "thought 150" in screen_text(app)
        await pilot.resize_terminal(width, 24)
        await pilot.pause()
        view.move_to(450)
        await pilot.pause()
        assert "thought 150" in screen_text(app)
        assert view.chosen is not None
        assert view.chosen.owner == 150


async def test_a_hundred_thousand_steps_count_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Transcript(told(100_000))
    counted = 0
    app = Host(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        lines = view._lines

        def counting(index: int) -> list[str]:
            nonlocal counted
            counted += 1
            return lines(index)

        monkeypatch.setattr(view, "_lines", counting)
        for key in ("g", "G", "j", "k", "pageup", "pagedown"):
            counted = 0
            await pilot.press(key)
            await pilot.pause()
            assert counted < 20 * BLOCK


async def test_action_strings_read_as_written() -> None:
    view = Transcript(Document([Paragraph("tool", "action", "BingSearch[Woman in Gold] [/b] [@click=app.quit]x[/]")]))
    app = Host(view)
    async with app.run_test(size=(90, 10)) as pilot:
        await pilot.pause()
        assert "T⚙ action      BingSearch[Woman in Gold] [/b] [@click=app.quit]x[/]" in screen_text(app)


async def test_a_document_that_was_cut_is_painted_before_it_is_drawn() -> None:
    """As when a fork beside it goes away: the layout changes in the frame in which the text does."""
    transcript = Transcript(told(9))
    async with Host(transcript).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        transcript.document.truncate(1)
        transcript._strips.clear()
        assert [transcript.draw_line(y).text.strip() for y in range(20)] == [""] * 20
        transcript.draw()
        await pilot.pause()
        assert numbers(screen_text(pilot.app)) == [0]


@pytest.mark.parametrize("keys", [(), ("up",), ("pageup",), ("G",), ("g",)])
async def test_a_document_that_was_cut_may_be_resized_or_moved_in_first(keys: tuple[str, ...]) -> None:
    transcript = Transcript(told(300))
    async with Host(transcript).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        transcript.focus()
        transcript.document.truncate(1)
        if keys:
            await pilot.press(*keys)
        await pilot.resize_terminal(120, 20)
        await pilot.pause()
        transcript.draw()
        await pilot.pause()
        assert numbers(screen_text(pilot.app)) == [0]
