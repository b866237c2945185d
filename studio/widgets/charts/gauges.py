"""Figures of the training of one sub-agent: progress, loss, speed and memory; or one line for each of many."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.lab.tally import LOSS_OF_ADAPTER, count_examples, summarise_adapter
from autoact.project.config import trained_cast
from autoact.run.process.heartbeat import read_heartbeat
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from studio.runs.answer_base import base_of
from studio.runs.follow import Follow
from studio.runs.progress import recent_steps, training_status
from studio.runs.run_list import ALIVE
from studio.terminal import untrusted_text
from studio.terminal.theme import role_colour
from studio.widgets.charts.plot import figure_text
from studio.widgets.content_lines import ContentLines, pad
from studio.widgets.status import short_name


class Gauges(ContentLines):
    """Four lines of figures, shown above the loss curve."""

    DEFAULT_CSS = "Gauges { height: 4; background: $background; }"

    def __init__(self, role: str):
        super().__init__(id=f"gauges-{role}")
        self.role = role

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        state, role = follow.state, self.role
        known, built = summarise_adapter(state, role), state.examples.get(role)
        steps = recent_steps(state, role)
        played = trained_cast(state.config).role(role)
        name = Content.assemble((f" {self.glyphs.role(played)} {role}", f"bold {role_colour(played)}"), "  ")
        first = Content.assemble(name, untrusted_text.content(_status(state, role)))
        examples = f" {count_examples(known.examples)}, {known.tokens} tokens trained on" if built else ""
        if not steps:
            return [first, Content.styled(examples, "$quiet")]
        last = steps[-1]
        seconds = sum(step.ms for step in steps) / 1000
        speed = sum(step.tokens for step in steps) / seconds if seconds else 0.0
        figures = f" loss {figure_text(last.loss)}  lr {figure_text(last.lr)}  grad {figure_text(last.grad_norm)}"
        if known.ready:  # the plot shows that of the last step
            figures = f" {LOSS_OF_ADAPTER} {figure_text(known.loss)}"
        cost = f" {figure_text(speed)} tokens/s  {seconds / len(steps):.1f} s a step{_memory(follow)}"
        return [first, Content.styled(examples, "$quiet"), Content(figures), Content.styled(cost, "$quiet")]


class AdapterLines(ContentLines):
    """One line for each adapter with its progress and loss, around the chosen one where there is no room for all."""

    adapters: tuple[str, ...] = ()
    chosen = ""

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        at = self.adapters.index(self.chosen) if self.chosen in self.adapters else 0
        first = max(0, min(at - height // 2, len(self.adapters) - height))
        return [self._row(follow, name) for name in self.adapters[first : first + height]]

    def _row(self, follow: Follow, name: str) -> Content:
        state, steps = follow.state, recent_steps(follow.state, name)
        played, longest = trained_cast(state.config).role(name), max(map(len, self.adapters))
        style = f"bold {role_colour(played)}" if name == self.chosen else role_colour(played)
        mark = ">" if name == self.chosen else " "
        status = pad(untrusted_text.content(_status(state, name)), 26)
        loss = f"  loss {figure_text(steps[-1].loss)}" if steps else ""
        return Content.assemble((f"{mark}{self.glyphs.role(played)} {name:<{longest}}  ", style), status, loss)


def _status(state: RunState, role: str) -> str:
    """Returns the progress of a role's training; of an adapter that a run only uses, the run that it is from."""
    base = base_of(state)
    taken = role in state.adapters and not recent_steps(state, role)
    return f"trained in {short_name(base)}" if base and taken else training_status(state, role)


def _memory(follow: Follow) -> str:
    """Returns the memory of the run's job in GB; empty when there is no job, since its heartbeat file is then old."""
    heartbeat = (
        read_heartbeat(RunFolder(follow.run_list.root / "runs" / follow.name)) if follow.verdict in ALIVE else None
    )
    return f"  {heartbeat.rss_mb / 1000:.1f} GB" if heartbeat else ""
