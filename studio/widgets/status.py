"""The status line of the followed run, and the texts for a run's name and verdict."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.run.record.state import RunState
from studio.actions import remote_machine
from studio.runs.follow import Follow
from studio.runs.machine import MachineLoad, short_machine_text
from studio.runs.progress import pace, stage_of
from studio.terminal import untrusted_text
from studio.terminal.glyphs import Glyphs
from studio.widgets.content_lines import ContentLines

COLOURS = {
    "running": "$success", "finished": "$success", "starting": "$accent", "paused": "$warning", "stuck": "$warning",
    "unresponsive": "$warning", "failed": "$error", "interrupted": "$error", "unreadable": "$error",
}  # fmt: skip

LEAST_GAP = 3
"""Cells between the progress and the load of the machine."""


class Status(ContentLines):
    """Project, run, engine, verdict, progress of the stage, and, where there is space, the load of the machine."""

    load: MachineLoad | None = None

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        name = untrusted_text.content(follow.run_list.root.name, "bold $primary").truncate(
            max(12, width // 4), ellipsis=True
        )
        if machine := remote_machine.current():
            line = untrusted_text.content(f"@{machine.text}", "$warning" if machine.lost else "$quiet")
            name = Content.assemble(name, " ", line)
        if not follow.name:
            return [Content.assemble(" ", name, ("  no runs yet", "$quiet"))]
        verdict = verdict_of(follow.verdict, self.glyphs)
        run = Content.styled(short_name(follow.name), "$quiet")
        engine = untrusted_text.content(engine_of(follow.state), "$quiet").truncate(40, ellipsis=True)
        parts = [name, run, engine, verdict, *_progress(follow.state)]
        line = Content("  ").join([part for part in parts if part])
        if line.cell_length >= width:  # the engine is the least important part
            line = Content("  ").join([name, run, verdict, *_progress(follow.state)])
        load = f"{short_machine_text(self.load)} " if self.load else ""
        gap = width - 1 - line.cell_length - len(load)
        if not load or gap < LEAST_GAP:
            return [Content.assemble(" ", line)]
        return [Content.assemble(" ", line, " " * gap, (load, "$quiet"))]


def verdict_of(verdict: str, glyphs: Glyphs) -> Content:
    """Returns a verdict with its glyph and colour; it may contain untrusted text, as the name of another machine."""
    return untrusted_text.content(f"{glyphs.verdict(verdict)} {verdict}", COLOURS.get(verdict, "$quiet"))


def short_name(run: str) -> str:
    """Returns `11-22 14:30 a1b2` for a run's folder name; a name of another form is returned unchanged."""
    date = run[:15]
    usual = len(run) > 20 and date[4:5] == "-" and date[10:11] == "T" and date[11:].isdigit()
    return untrusted_text.line(f"{date[5:10]} {date[11:13]}:{date[13:]} {run[-4:]}" if usual else run)


def engine_of(state: RunState) -> str:
    """Returns the engine that the job reported, else the model in the run's settings."""
    model = state.config.get("model")
    return state.engine or (str(model.get("id", "")) if isinstance(model, dict) else "")


def _progress(state: RunState) -> list[Content]:
    parts = [untrusted_text.content(stage_of(state), "bold"), untrusted_text.content(pace(state), "$quiet")]
    if state.error:
        parts.append(untrusted_text.content(state.error, "$error"))
    if state.why:
        parts.append(untrusted_text.content(state.why, "$warning"))
    if state.unit_failures:
        parts.append(Content.styled(f"{len(state.unit_failures)} failed units", "$warning"))
    if state.damage and state.seq < 0:
        parts.append(untrusted_text.content(state.damage[0][1], "$error"))
    elif state.damage:
        parts.append(Content.styled(f"{len(state.damage)} damaged lines", "$error"))
    return parts
