"""The stages of the followed run: each with its progress, time and results in a line."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.lab.duration import short_duration
from autoact.registry.stages import CARRIED_OVER, STAGES, Stage, pipeline
from autoact.run.record.state import RunState
from studio.runs.follow import Follow
from studio.runs.progress import pace
from studio.runs.run_list import ALIVE
from studio.terminal import untrusted_text
from studio.widgets.content_lines import ContentLines, pad
from studio.widgets.status import short_name

TITLE_CELLS, DONE_CELLS, TIME_CELLS = 17, 10, 8


class StageOverview(ContentLines):
    """Shows a heading with the run's name, then a line for each stage of the method; a session is the last."""

    DEFAULT_CSS = "StageOverview { height: 7; background: $background; text-wrap: nowrap; }"

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        if not follow.name:
            return [Content.styled(" No run yet: R starts one.", "$quiet")]
        alive, state = follow.verdict in ALIVE, follow.state
        replaced = {stage.takes_from: stage for stage in STAGES if stage.name in state.stages}
        stages = [replaced.get(name, STAGES.get(name)) for name in pipeline()]
        lines = [self._line(stage, state, alive=alive) for stage in stages]
        return [Content.styled(f" Stages of {short_name(follow.name)}", "$quiet"), *lines]

    def _line(self, stage: Stage, state: RunState, *, alive: bool) -> Content:
        progress, made = state.stages.get(stage.name), stage.made(state)
        running = alive and state.stage == stage.name
        if progress is None:  # left out, or still to come; its results may be those of another run
            text, colour, sign = (
                (f"{made} {stage.nouns} of another run", "$quiet", "·") if made else ("", "$quiet", "·")
            )
            return Content.assemble(
                " ", *self._cells(sign, stage, "", "", colour), untrusted_text.content(text, colour)
            )
        done = f"{progress.done}/{progress.of}" if progress.of else str(progress.done or "")
        if running:
            details = (stage.details(state) if stage.details else "", pace(state))
            cells = self._cells(self.glyphs.verdict("running"), stage, done, "", "bold $success")
            return Content.assemble(" ", *cells, untrusted_text.content(", ".join(part for part in details if part)))
        finished = progress.status == "finished"
        sign = self.glyphs.verdict("finished" if finished else "interrupted")
        outcome = stage.outcome(state) if stage.outcome else f"{made} {stage.nouns}"
        if progress.is_carried_over and CARRIED_OVER not in outcome:
            outcome += f", {CARRIED_OVER}"
        time = short_duration(progress.spent) if progress.spent else ""
        cells = self._cells(sign, stage, done, time, "" if finished else "$warning")
        return Content.assemble(" ", *cells, untrusted_text.content(outcome, "$quiet"))

    def _cells(self, sign: str, stage: Stage, done: str, time: str, colour: str) -> list[Content]:
        return [
            untrusted_text.content(f"{sign} ", colour), pad(Content.styled(stage.title, colour), TITLE_CELLS),
            pad(Content(done), DONE_CELLS), pad(Content.styled(time, "$quiet"), TIME_CELLS),
        ]  # fmt: skip
