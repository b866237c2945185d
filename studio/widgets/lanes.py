"""The episodes in flight: the latest turns of each, one line a turn."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.run.record.answers import Turn
from autoact.run.record.state import RunState
from studio.panes.score_rows import by_cast
from studio.runs.follow import Follow
from studio.runs.run_list import ALIVE
from studio.terminal import untrusted_text
from studio.terminal.glyphs import Glyphs
from studio.widgets.rows import Rows, padded

ROLES = ("meta", "plan", "tool", "reflect", "world")
UNIT, PART, PART_NARROW = 12, 11, 8
"""Cells for the unit's name, and for the part where there is room and where there is not."""
NARROW = 70
"""Cells below which there is not."""


class Lanes(Rows, can_focus=True):
    """Lanes while the run lives; its result once it is over."""

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        if follow.verdict in ("reading", "starting"):
            return [Content(), Content.styled(f"  {waiting(follow)}", "$quiet")]
        if follow.verdict not in ALIVE:
            return outcome(follow.state, follow.verdict, self.glyphs)
        if follow.state.lanes.units:
            return turns(follow.state, width, height, self.glyphs)
        return [Content(), Content.styled(f"  {quiet(follow.state)}", "$quiet")]


def turns(state: RunState, width: int, height: int, glyphs: Glyphs) -> list[Content]:
    """Every lane with as many of its last turns as there is room for, in the order in which the lanes began."""
    each = max(1, height // max(1, len(state.lanes.units)))
    unit = min(UNIT, max((untrusted_text.content(name).cell_length for name in state.lanes.units), default=0))
    part = PART if width >= NARROW else PART_NARROW
    rows = []
    for name in state.lanes.units:
        for index, said in enumerate(state.lanes.turns(name)[-each:]):
            shown = untrusted_text.content(name if index == 0 else "", "$quiet")
            rows.append(Content.assemble(" ", padded(shown, unit), " ", turn(said, part, glyphs)))
    return rows


def turn(turn: Turn, width: int, glyphs: Glyphs) -> Content:
    """Role, part (in `width` cells) and text of one turn, in one line."""
    colour = f"$role-{turn.role}" if turn.role in ROLES else "$quiet"
    return Content.assemble(
        (f"{glyphs.role(turn.role)} ", f"bold {colour}"),
        padded(untrusted_text.content(turn.part, colour), width),
        (" ", ""),
        untrusted_text.content(turn.text),
    )


def waiting(follow: Follow) -> str:
    """What there is to say before there is a run."""
    if not follow.name:
        return "No runs yet: r starts one."
    return "The job is starting ..." if follow.verdict == "starting" else "Reading the log ..."


def quiet(state: RunState) -> str:
    """What goes on while no one talks."""
    if state.stage == "differentiation":
        rows = [f"{role}: {built.spans} examples" for role, built in state.examples.items()]
        return "Training.  " + untrusted_text.line("  ".join(rows))
    return "Nothing in flight at the moment."


def outcome(state: RunState, verdict: str, glyphs: Glyphs) -> list[Content]:
    """What a run that is over left behind."""
    rows = [Content(), *ended] if (ended := _ended(state, verdict)) else []
    scores = by_cast(state.solved)
    if scores:
        rows += [Content(), Content.styled("  cast        questions      EM      F1   seconds each", "$quiet")]
        for score in scores:
            numbers = f"{score.questions:9d}  {100 * score.em:6.1f}  {100 * score.f1:6.1f}  {score.seconds:13.1f}"
            rows.append(Content.assemble("  ", padded(untrusted_text.content(score.cast, "bold"), 12), numbers))
        rows.append(Content())
    for solved in state.solved:
        sign = glyphs.verdict("finished" if solved.em == 1.0 else "failed") if solved.scored else " "
        colour = "$success" if solved.em == 1.0 else "$quiet"
        question, answer = solved.trajectory.question.text, solved.trajectory.answer or "no answer"
        rows.append(
            Content.assemble(
                "  ",
                (f"{sign} ", colour),
                padded(untrusted_text.content(solved.cast, "$quiet"), 6),
                untrusted_text.content(answer, "bold"),
                ("  ", ""),
                untrusted_text.content(question, "$quiet"),
            )  # fmt: skip
        )
    return rows


def _ended(state: RunState, verdict: str) -> list[Content]:
    match verdict:
        case "finished" if state.solved:
            return []
        case "finished":
            return [Content.styled("  Finished; no questions were solved in this run.", "$quiet")]
        case "failed":
            return [Content.assemble(("  Failed: ", "bold $error"), untrusted_text.content(state.error))]
        case "interrupted":
            return [Content.styled("  Interrupted: the job is gone. What it wrote is whole.", "$error")]
    return [untrusted_text.content(f"  This run is {verdict}.", "$quiet")]
