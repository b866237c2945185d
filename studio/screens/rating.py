"""A screen on which a person compares two answers at a time without the names of the runs that gave them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from autoact.errors import AutoActError
from autoact.lab.comparison import collect_answers
from autoact.lab.rating import (
    CRITERIA,
    BlindPair,
    Choice,
    Criterion,
    RatingRound,
    RatingSummary,
    describe_result,
    read_ratings,
    summarise_ratings,
)
from autoact.lab.rating import FILE as RATINGS
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import Trajectory
from studio.actions import action_table
from studio.terminal import untrusted_text
from studio.widgets.footer import Footer

CHOICES = ("left", "right", "same", "neither")
"""The actions that rate the current pair."""


def open_ratings(project: Path, sides: tuple[str, str], rater: str, criterion: Criterion) -> RatingRound:
    """Reads the answers of both sides, which may take seconds, and what the person has rated. Raises BadInput."""
    parts = [side.partition("/") for side in sides]
    first, second = (
        collect_answers(RunState.of(RunFolder(project / "runs" / run).events).solved).get(method, {})
        for run, _, method in parts
    )
    return RatingRound.open(project / RATINGS, sides, (first, second), rater, criterion=criterion)


class RatingScreen(ModalScreen[None]):
    """Shows the pairs that the person has not rated, one after the other, then what all ratings say."""

    DEFAULT_CSS = """
    RatingScreen { background: $background; color: $foreground; }
    RatingScreen #title { height: 1; background: $panel; padding: 0 1; }
    RatingScreen #asked { height: auto; max-height: 8; padding: 0 1; text-style: bold; }
    RatingScreen Horizontal { height: 1fr; }
    RatingScreen VerticalScroll { width: 1fr; padding: 0 1; background: $surface; }
    RatingScreen #right-side { border-left: solid $panel; }
    RatingScreen VerticalScroll Static { height: auto; }
    RatingScreen.done Horizontal { display: none; }
    RatingScreen.done #asked { max-height: 100%; text-style: none; }
    RatingScreen #footer { height: 1; background: $panel; color: $foreground; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("rating",)
    BINDINGS = action_table.modal_bindings("rating")

    def __init__(self, rating_round: RatingRound, sides: tuple[str, str]):
        super().__init__()
        self.rating_round, self.sides = rating_round, sides

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="asked")
        with Horizontal():
            for side in ("left", "right"):
                with VerticalScroll(id=f"{side}-side"):
                    yield Static(id=side)
        yield Footer()

    def on_mount(self) -> None:
        self._show()

    def obstacle(self, action: str) -> str:
        """Returns why an action has no effect now; empty if it has one."""
        return "All pairs are rated." if action in CHOICES and self.rating_round.current() is None else ""

    def action_left(self) -> None:
        self._choose("left")

    def action_right(self) -> None:
        self._choose("right")

    def action_same(self) -> None:
        self._choose("same")

    def action_neither(self) -> None:
        self._choose("both wrong")

    def action_previous(self) -> None:
        self.rating_round.back()
        self._show()

    def action_close(self) -> None:
        self.dismiss()

    def _choose(self, choice: Choice) -> None:
        try:
            self.rating_round.choose(choice)
        except (AutoActError, OSError) as error:  # the boundary of a key: shown, not raised
            self.query_one("#title", Static).update(untrusted_text.content(f"not written: {error}", "$error"))
            return
        self._show()

    def _show(self) -> None:
        """Shows the current pair, or the summary after the last one."""
        pair, count = self.rating_round.current(), len(self.rating_round.pairs)
        self.set_class(pair is None, "done")
        asks = CRITERIA[self.rating_round.criterion]
        done = f"{len(self.rating_round.rated)} of {count} pairs rated by {self.rating_round.rater}: {asks}"
        self.query_one("#title", Static).update(untrusted_text.content(done))
        asked = self.query_one("#asked", Static)
        if pair is None:
            asked.update(Content("\n").join(self._summarise()))
            self.set_focus(None)  # the sides are hidden
            return
        asked.update(Content("\n").join(question_lines(pair)))
        for name, trajectory in zip(("left", "right"), pair.shown, strict=True):
            self.query_one(f"#{name}", Static).update(Content("\n").join(answer_lines(trajectory)))
            self.query_one(f"#{name}-side", VerticalScroll).scroll_home(animate=False)
        self.query_one("#left-side").focus()

    def _summarise(self) -> Sequence[Content]:
        try:
            summary = summarise_ratings(
                read_ratings(self.rating_round.file, self.sides, self.rating_round.criterion), self.sides
            )
        except AutoActError as error:  # a file that somebody has damaged meanwhile
            return [untrusted_text.content(str(error), "$error")]
        return summary_lines(summary)


def question_lines(pair: BlindPair) -> list[Content]:
    """Returns the question with its options."""
    question = pair.shown[0].question
    options = (f"  ({chr(65 + number)}) {choice}" for number, choice in enumerate(question.choices))
    return [untrusted_text.content(text) for text in (question.text, *options)]


def answer_lines(trajectory: Trajectory) -> list[Content]:
    """Returns the steps of a trajectory, then its answer."""
    lines: list[Content] = []
    for step in trajectory.steps:
        call = f"{step.action}[{step.argument}]"
        parts = ((step.thought, ""), (call, "$accent"), (step.observation, "$quiet"))
        lines += [untrusted_text.content(text, style) for text, style in parts if text]
    return [*lines, Content(""), untrusted_text.content(trajectory.answer or "no answer", "bold")]


def summary_lines(summary: RatingSummary) -> Sequence[Content]:
    """Returns the names of the sides, each person's counts, and what they say together."""
    names = dict(zip(summary.sides, "AB", strict=True))
    lines = [f"{letter}  {side}" for side, letter in names.items()]
    for rater, counts in summary.by_rater.items():
        said = (f"{count} {names[what] + ' better' if what in names else what}" for what, count in counts.items())
        lines.append(f"{rater}: {', '.join(said)}")
    return [untrusted_text.content(line) for line in (*lines, *describe_result(summary))]
