"""How the training of one sub-agent stands, in figures."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.events import TrainStepped
from autoact.lab.tally import lesson
from autoact.run.folder import RunFolder
from autoact.run.pulse import read_pulse
from autoact.run.state import RunState
from autoact.trajectory import Role
from studio import foreign
from studio.follow import Follow
from studio.shelf import ALIVE
from studio.widgets.plot import figure
from studio.widgets.rows import Rows

RECENT = 20
"""Steps that the speed is the mean of."""


class Gauges(Rows):
    """Four lines above a curve."""

    DEFAULT_CSS = "Gauges { height: 4; background: $background; }"

    def __init__(self, role: Role):
        super().__init__(id=f"gauges-{role}")
        self.role = role

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        state, role = follow.state, self.role
        known, built = lesson(state, role), state.examples.get(role)
        steps = recent(state, role)
        name = Content.assemble((f" {self.glyphs.role(role)} {role}", f"bold $role-{role}"), "  ")
        first = Content.assemble(name, foreign.content(standing(state, role)))
        examples = f" {known.examples} examples, {known.tokens} tokens bear loss" if built or known.ready else ""
        if not steps:
            return [first, Content.styled(examples, "$quiet")]
        last = steps[-1]
        seconds = sum(step.ms for step in steps) / 1000
        speed = sum(step.tokens for step in steps) / seconds if seconds else 0.0
        figures = f" loss {figure(known.loss)}  lr {figure(last.lr)}  grad {figure(last.grad_norm)}"
        if known.ready:  # as the Lab and the final table have it
            figures = f" loss {figure(known.loss)}, mean of the last epoch"
        cost = f" {figure(speed)} tokens/s  {seconds / len(steps):.1f} s a step{_memory(follow)}"
        return [first, Content.styled(examples, "$quiet"), Content(figures), Content.styled(cost, "$quiet")]


def recent(state: RunState, role: Role) -> list[TrainStepped]:
    """The last steps of a role, oldest first."""
    curve = state.curves.get(role, {})
    last = max(curve, default=-1)
    return [curve[step] for step in range(max(0, last - RECENT + 1), last + 1) if step in curve]


def standing(state: RunState, role: Role) -> str:
    """How far it is: waiting, step n of N with the time left, or done."""
    steps = recent(state, role)
    done, of = (steps[-1].step + 1, steps[-1].of) if steps else (0, 0)
    if role in state.adapters:
        return f"{done}/{of} trained" if steps else "trained in an earlier run"
    if f"train-{role}" in state.unit_failures:
        return f"failed: {state.unit_failures[f'train-{role}']}"
    if not steps:
        return "loading" if training(state) == role else "waits its turn"
    held = state.status == "paused" or f"train-{role}" in state.halted
    if training(state) != role or held:
        return f"{done}/{of} {'paused' if held else 'stopped'}"
    left = (of - done) * sum(step.ms for step in steps) / len(steps) / 1000
    return f"{done}/{of}, {spoken(left)} left"


def training(state: RunState) -> Role | None:
    """Whose training is going on, or about to."""
    if state.stage != "differentiation":
        return None
    roles: tuple[Role, ...] = ("plan", "tool", "reflect")
    over = state.adapters.keys() | {unit.removeprefix("train-") for unit in state.unit_failures}
    return next((role for role in roles if role not in over), None)


def spoken(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _memory(follow: Follow) -> str:
    """What the run holds now; nothing of one that has no job, whatever its pulse last said."""
    pulse = read_pulse(RunFolder(follow.shelf.root / "runs" / follow.name)) if follow.verdict in ALIVE else None
    return f"  {pulse.rss_mb / 1000:.1f} GB" if pulse else ""
