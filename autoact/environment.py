"""The world of an episode. Question answering over a tool library is the first one (autoact/job/inputs.py)."""

from __future__ import annotations

from typing import Protocol

from autoact.script import Observation
from autoact.trajectory import Question


class Environment(Protocol):
    """The surroundings of one episode, begun with its question. One thread at a time calls it."""

    def call(self, name: str, argument: str) -> Observation:
        """Carries out one action within a time limit of its own; a failure is an observation that has `failed` set.

        An observation with `over` set ends the episode, with the observation's reward.
        """

    def recall(self, name: str, argument: str) -> None:
        """Takes in an action whose observation is known, so that later actions find the state that it left.

        Only what later actions depend on is done again, without effects outside.
        """

    def repeatable(self, name: str) -> bool:
        """Returns whether equal calls of this action give equal observations during a run, whatever came before."""


class Environments(Protocol):
    """The environments of a run. Those of different episodes may be called at the same time, by different threads."""

    def begin(self, question: Question | None) -> Environment:
        """Returns a fresh environment for one episode; the question is None for a unit that answers none."""

    def close(self) -> None:
        """Ends what the environments keep running. Safe to call again."""
