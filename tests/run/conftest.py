"""One event of every type."""

from __future__ import annotations

import pytest

import autoact.events as happened
from autoact.events import Event
from autoact.trajectory import Adapter, Question, Step, Trajectory, Verdict, VerdictQuality

QUESTION = Question("q-1", "Who wrote Fidelio? – «ü»", "Beethoven", choices=("a", "b"))
TRAJECTORY = Trajectory("t-1", QUESTION, (Step("look", "Retrieve", "Fidelio", "An opera.\nBy B."),), "Beethoven")

EVERY_EVENT: list[Event] = [
    happened.RunOpened(1, 77, "here", "scripted", {"model": {"name": "tiny", "limits": [1, 2]}}),
    happened.RunRecovered(12, ["byte 3: no seal"]),
    happened.RunPaused("disk full"),
    happened.RunResumed(),
    happened.RunFinished(),
    happened.RunFailed("out of luck"),
    happened.RunCancelled(),
    happened.StageStarted("synthesis", 7),
    happened.StageProgressed("synthesis", 3, 7),
    happened.StageFinished("synthesis", 6, 1.5),
    happened.CommandAccepted("c-1", "step", "t-1", 2, "ann"),
    happened.CommandRefused("c-2", "no such unit"),
    happened.AnswerEdited("t-1", 0, "look twice", "ann"),
    happened.UnitForked("t-1~1", "t-1", 1, "c-3"),
    happened.QuestionInjected("group-asked-1", QUESTION, "group", "c-4"),
    happened.EpisodeBegun("t-1", QUESTION),
    happened.ModelAnswered("t-1", 0, "abc", "meta", "thought", "look", (1, 2, 3), 90, 10, 4.5),
    happened.ToolObserved("t-1", 1, "def", "Retrieve", "Fidelio", "An opera.", failed=True, ms=2.0),
    happened.UnitFailed("t-2", "boom"),
    happened.UnitRestarted("t-1", 1, "the prompt changed"),
    happened.QuestionAccepted(QUESTION),
    happened.QuestionRefused("s-1", "Who?", "too short", "Beethoven"),
    happened.ToolSelected("Retrieve", "facts"),
    happened.ToolPassedOver("Image2Text", "no pictures"),
    happened.TrajectoryCommitted(TRAJECTORY),
    happened.TrajectoryJudged(Verdict("t-1", True, 1.0)),
    happened.ExamplesBuilt("plan", 3, 9, 120),
    happened.TrainStepped("plan", 4, 9, 1.25, 1e-4, 0.5, 120, 33.0),
    happened.LossValidated("plan", 4, 1.5),
    happened.CheckpointSaved("plan", 4, "00ff"),
    happened.CheckpointSkipped("plan", 4, "torn"),
    happened.AdapterReady(Adapter("plan", "adapters/plan", "00ff", 9, 1.1)),
    happened.QuestionValidated(TRAJECTORY, 0.5),
    happened.VerdictCalibrated(0.4, VerdictQuality(54, 20, 10, 8, 0.8)),
    happened.QuestionSolved("group", TRAJECTORY, 1.0, 1.0, True, 2.5, 400),
    happened.TokenSpoken("t-1", 0, "thought", "lo"),
]


@pytest.fixture
def every_event() -> list[Event]:
    return EVERY_EVENT
