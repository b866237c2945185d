"""How the training of one sub-agent stands, in figures."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.lab.tally import summarise_adapter
from autoact.run.process.heartbeat import read_pulse
from autoact.run.record.folder import RunFolder
from studio.runs.follow import Follow
from studio.runs.progress import recent, standing
from studio.runs.run_list import ALIVE
from studio.terminal import untrusted_text
from studio.widgets.plot import figure
from studio.widgets.rows import Rows


class Gauges(Rows):
    """Four lines above a curve."""

    DEFAULT_CSS = "Gauges { height: 4; background: $background; }"

    def __init__(self, role: str):
        super().__init__(id=f"gauges-{role}")
        self.role = role

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        state, role = follow.state, self.role
        known, built = summarise_adapter(state, role), state.examples.get(role)
        steps = recent(state, role)
        name = Content.assemble((f" {self.glyphs.role(role)} {role}", f"bold $role-{role}"), "  ")
        first = Content.assemble(name, untrusted_text.content(standing(state, role)))
        examples = f" {known.examples} examples, {known.tokens} tokens trained on" if built or known.ready else ""
        if not steps:
            return [first, Content.styled(examples, "$quiet")]
        last = steps[-1]
        seconds = sum(step.ms for step in steps) / 1000
        speed = sum(step.tokens for step in steps) / seconds if seconds else 0.0
        figures = f" loss {figure(last.loss)}  lr {figure(last.lr)}  grad {figure(last.grad_norm)}"
        if known.ready:  # as the Lab and the final table have it
            figures = f" loss {figure(last.loss)}, mean of last epoch {figure(known.loss)}"
        cost = f" {figure(speed)} tokens/s  {seconds / len(steps):.1f} s a step{_memory(follow)}"
        return [first, Content.styled(examples, "$quiet"), Content(figures), Content.styled(cost, "$quiet")]


def _memory(follow: Follow) -> str:
    """What the run holds now; nothing of one that has no job, whatever its pulse last said."""
    pulse = read_pulse(RunFolder(follow.shelf.root / "runs" / follow.name)) if follow.verdict in ALIVE else None
    return f"  {pulse.rss_mb / 1000:.1f} GB" if pulse else ""
