"""The differences of two episodes: passages aligned, words marked with signs, folds that stay."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from paned import done, pane_of
from stories import alive, finished, screen_text, synthesis, trajectory, write

import autoact.events as happened
from studio.episodes.differences import SIGNS, WHOLE, find_differences
from studio.episodes.document import Paragraph
from studio.screens.difference import DifferenceScreen
from studio.widgets.transcripts.transcript import Transcript


def step(thought: str, argument: str, observation: str) -> list[Paragraph]:
    return [
        Paragraph("plan", "thought", thought), Paragraph("plan", "action", "Retrieve"),
        Paragraph("tool", "argument", argument), Paragraph("world", "observation", observation),
    ]  # fmt: skip


def texts(one: list[Paragraph], other: list[Paragraph]) -> list[str]:
    document = find_differences(one, other).document
    return [document.text(index) for index in range(len(document))]


def test_changed_words_are_marked_by_signs() -> None:
    one, other = (
        step("I look at Klimt now.", "Klimt", "A painter."),
        step("I look at Monet now.", "Klimt", "A painter."),
    )
    assert texts(one, other) == ["I look at [-Klimt-]{+Monet+} now.", "Retrieve", "Klimt", "A painter."]
    found = find_differences(one, other)
    assert [found.document.text(0)[start:end] for start, end, _ in found.document.marks(0)] == [
        "[-Klimt-]",
        "{+Monet+}",
    ]
    assert [kind for *_, kind in found.document.marks(0)] == ["removed", "added"]
    assert found.summary == "3 the same, 1 changed"


def test_a_number_is_one_word() -> None:
    thought = texts(step("It has 4,800 people, 1.5 more.", "", ""), step("It has 4,900 people, 1.5 more.", "", ""))[0]
    assert thought == "It has [-4,800-]{+4,900+} people, 1.5 more."


def test_the_blank_after_a_changed_word_stays() -> None:
    thought = texts(step("read the page of Klimt", "", ""), step("read a page of Klimt", "", ""))[0]
    assert thought == "read [-the-]{+a+} page of Klimt"


def test_a_passage_with_few_words_in_common_is_shown_twice() -> None:
    one, other = step("I look at Klimt.", "Klimt", "x"), step("Finally, the answer must be Vienna!", "Klimt", "x")
    assert texts(one, other)[:2] == ["- I look at Klimt.", "+ Finally, the answer must be Vienna!"]


def test_a_step_that_only_one_has() -> None:
    first, second, third = (step(f"thought {number}", f"page {number}", "seen") for number in range(3))
    found = find_differences([*first, *second, *third], [*first, *third])
    assert (found.same, found.changed, found.removed, found.added) == (8, 0, 4, 0)
    assert found.document.text(4) == "- thought 1"


def test_each_side_keeps_its_speaker() -> None:
    """A passage of both is in the gutter of the first, with a note of who else said it."""
    one, other = (
        [Paragraph(plan, "thought", "look"), Paragraph(plan, "action", f"Retrieve {word} of the museum"),
         Paragraph(tool, "argument", word), Paragraph("world", "observation", "seen")]
        for plan, tool, word in (("plan", "tool", "page"), ("meta", "meta", "Lookup"))
    )  # fmt: skip
    document = find_differences(one, other).document
    assert [(document.kind(index)[0], document.text(index)) for index in range(len(document))] == [
        ("plan", "look   · + by meta"),
        ("plan", "Retrieve [-page-]{+Lookup+} of the museum   · + by meta"),
        ("tool", "- page"), ("meta", "+ Lookup"), ("world", "seen"),
    ]  # fmt: skip


def test_equal_episodes() -> None:
    found = find_differences(step("a", "b", "c"), step("a", "b", "c"))
    assert found.is_empty
    assert found.summary == "no difference"


def test_both_texts_can_be_read_from_their_difference() -> None:
    source = random.Random(4)
    words = ("Klimt", "gold", "the", "a", ",", ".", "painting")
    for _ in range(300):
        one, other = (" ".join(source.choice(words) for _ in range(source.randrange(1, 14))) for _ in range(2))
        document = find_differences([Paragraph("", "thought", one)], [Paragraph("", "thought", other)]).document
        assert read(document, "added") == one
        assert read(document, "removed") == other


def read(document: object, without: str) -> str:
    """The text that is left when one kind of change is taken out."""
    from studio.episodes.document import Document

    assert isinstance(document, Document)
    found = ""
    for index in range(len(document)):
        text, at = document.text(index), 0
        for start, end, kind in document.marks(index):
            found += text[at:start]
            piece = text[start:end]
            begin, close = SIGNS[kind]
            inner = (
                piece.removeprefix(begin).removesuffix(close) if piece.startswith(begin) else piece[len(WHOLE[kind]) :]
            )
            found += inner if kind != without else ""
            at = end
        found += text[at:]
    return found


# -- on the screen ---------------------------------------------------------------------------------------------------


def forked() -> list[happened.Event]:
    """An episode of two steps and its fork at the second thought; their observation is long."""
    long = "A painting by Klimt. " + "It hangs in a museum. " * 40
    first, fork = "q-0038.1", "q-0038.1~1"
    again = [
        happened.ModelAnswered(first, 4, "d", "meta", "thought", "It was painted by Klimt."),
        happened.UnitForked(fork, first, 4),
        happened.ModelAnswered(fork, 4, "d", "meta", "thought", "It was painted by Monet, surely."),
    ]
    events = [
        happened.ToolObserved(one.unit, one.n, one.ask, one.tool, one.argument, long)
        if isinstance(one, happened.ToolObserved) else one
        for one in synthesis()
    ]  # fmt: skip
    return [*events, *again]


@pytest.mark.does("trajectories.differ", "difference.next_change", "difference.previous_change", "difference.close")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_fork_beside_its_parent(opera: Path, size: tuple[int, int]) -> None:
    with alive(write(opera, forked())):
        async with pane_of(opera, "3", size) as (app, pilot):
            await pilot.press("j")
            await done(app, pilot)
            await pilot.press("d")
            await done(app, pilot)
            assert isinstance(app.screen, DifferenceScreen)
            text = screen_text(app)
            assert "- q-0038.1   + q-0038.1~1" in text.splitlines()[0]
            assert "4 the same, 1 changed" in text.splitlines()[0]
            assert "more lines" in text, "what is the same stays folded"
            assert "It was painted by [-Klimt-]{+Monet, surely+}." in text
            view = app.screen.query_one(Transcript)
            await pilot.press("]")
            assert view.cursor == 4
            await pilot.press("g", "[")
            assert view.cursor == 0
            await pilot.press("slash", *"monet", "enter")
            await done(app, pilot)
            assert "1 of 1" in screen_text(app)
            await pilot.press("escape", "escape")
            await done(app, pilot)
            assert not isinstance(app.screen, DifferenceScreen)


async def test_any_two_that_are_marked(opera: Path) -> None:
    """They may be written from facts, so that the log has steps and no answers."""
    write(opera, finished())
    async with pane_of(opera, "3") as (app, pilot):
        await pilot.press("d")
        await done(app, pilot)
        assert "Mark one with m and choose another, or choose a fork." in screen_text(app)
        await pilot.press("m", "j", "d")
        await done(app, pilot)
        assert isinstance(app.screen, DifferenceScreen)
        assert "the same" in screen_text(app) or "no difference" in screen_text(app)


async def test_the_steps_of_a_trajectory_that_was_not_played(opera: Path) -> None:
    write(opera, [happened.StageStarted("synthesis", 1), happened.TrajectoryCommitted(trajectory("f-1"))])
    async with pane_of(opera, "3", (120, 40)) as (app, pilot):
        assert "M◆ thought     look" in screen_text(app)
        assert "An opera." in screen_text(app)


async def test_changes_have_colours_too(opera: Path) -> None:
    with alive(write(opera, forked())):
        async with pane_of(opera, "3", (120, 40)) as (app, pilot):
            await pilot.press("j")
            await done(app, pilot)
            await pilot.press("d")
            await done(app, pilot)
            view = app.screen.query_one(Transcript)
            segments = [one for y in range(20) for one in view.render_line(y)]
            styles = {one.text: one.style for one in segments if one.text in ("[-Klimt-]", "{+Monet, surely+}")}
            assert len(styles) == 2
            removed, added = styles["[-Klimt-]"], styles["{+Monet, surely+}"]
            assert removed is not None
            assert added is not None
            assert removed.color != added.color
