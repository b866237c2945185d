"""A project, and trajectories of every kind that the forms must not lose."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.project.project import Project, create
from autoact.scratchpad import REFLECT_NOW, TRY_AGAIN
from autoact.trajectory import IMPORTED, Question, Step, Trajectory

NAMES = {"bingsearch": "WebSearch", "websearch": "WebSearch", "retrieve": "Retrieve", "lookup": "Lookup"}
CAPITAL = Question("q-1", "What is the capital of Peru?", "Lima", IMPORTED)
METAL = Question("q-2", "Which is a metal?", "B", IMPORTED, choices=("salt (a)", "iron"))


def made(question: Question, number: int, *steps: Step) -> Trajectory:
    """A trajectory as an import makes it."""
    return Trajectory(f"i-{question.id}-{number}", question, steps, question.answer, "right", reward=1.0, made=IMPORTED)


TRAJECTORIES = [
    made(
        CAPITAL, 0,
        Step("Peru may have a page.", "Retrieve", "Peru [country]", "Peru is a country. Its capital is Lima."),
        Step("The capital of Peru is Lima.", "Finish", "Lima", REFLECT_NOW),
        Step("The page says so.", "Reflect", "right"),
    ),
    made(
        CAPITAL, 1,
        Step("", "WebSearch", "capital", "Invalid action. Nothing is ready.", failed=True),
        Step("It may be Cusco.", "Finish", "Cusco", REFLECT_NOW),
        Step("No page says so.", "Reflect", "wrong", TRY_AGAIN),
        Step("The capital of Peru is Lima.", "Finish", "Lima", REFLECT_NOW),
        Step("The page says so.", "Reflect", "right"),
    ),
    made(METAL, 0, Step("Iron shines.", "Finish", "B", REFLECT_NOW), Step("Metals shine.", "Reflect", "right")),
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return create(tmp_path / "project", "blank")
