"""An episode's turns, printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoact.trajectory import Trajectory


def print_turns(trajectory: Trajectory) -> None:
    """Thought, action and observation of every step, then the answer and what the reflect part thinks of it."""
    from autoact.cli.output import printable

    for step in trajectory.steps:
        print(f"  {printable(step.thought)}\n  > {printable(step.action)}[{printable(step.argument)}]")
        if step.observation:
            print(f"    {printable(step.observation)}")
    verdict = f" (reflect-agent: {printable(trajectory.verdict)})" if trajectory.verdict else ""
    print(f"\n{printable(trajectory.answer or 'no answer')}{verdict}")
