"""An environment from outside the package: a corridor whose third door leads out."""

from __future__ import annotations

from autoact.job.inputs import read_asked
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.registry.environments import ENVIRONMENTS, EnvironmentKind
from autoact.script import Observation
from autoact.stages.context import Inputs
from autoact.trajectory import Question, Tool

DOORS = 3


class Corridor:
    """One walk."""

    def __init__(self) -> None:
        self.doors = 0

    def call(self, name: str, argument: str) -> Observation:
        """Goes through a door."""
        self.doors += 1
        return Observation(f"You are behind door {self.doors}.", over=self.doors == DOORS, reward=1.0)

    def recall(self, name: str, argument: str) -> None:
        """Goes through the door again."""
        self.doors += 1

    def repeatable(self, name: str) -> bool:
        """Says no: each door leads to another."""
        return False


class Corridors:
    """A corridor for every episode."""

    def begin(self, question: Question | None) -> Corridor:
        """Begins a walk."""
        return Corridor()

    def close(self) -> None:
        """Has nothing to end."""


def open_corridors(config: Config, project: Project) -> tuple[Inputs, Corridors]:
    """Returns the project's questions, the one action there is, and the corridors."""
    tool = Tool("Go", "Goes through the next door.", "Go[on]")
    reference = tuple(project.questions("reference"))
    inputs = Inputs(tuple(project.examples()), read_asked(config, project), (tool,), {}, reference=reference)
    return inputs, Corridors()


ENVIRONMENTS.add(EnvironmentKind("corridor", "doors in a row", "toy_environment:open_corridors"))
