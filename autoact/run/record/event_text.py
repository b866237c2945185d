"""Text of an event for people: a short phrase for logs, pipes and screen readers."""

from __future__ import annotations

from typing import Any

import msgspec

import autoact.events as happened
from autoact.events import Event
from autoact.verdicts import describe_verdicts


def describe_event(event: Event) -> str:
    """Returns an event in words. Text of models and tools may hold anything: clean it before it is shown."""
    match event:
        case happened.RunOpened():
            return f"attempt {event.attempt}, {event.engine or 'no engine'}, process {event.pid} on {event.host}"
        case happened.StageProgressed():
            return f"{event.stage} {event.done}/{event.of}"
        case happened.StageFinished():
            return f"{event.stage}: {event.made} made in {event.seconds:.1f} s"
        case happened.EpisodeBegun():
            return f"{event.unit}: {event.question.text}"
        case happened.ModelAnswered():
            return f"{event.unit} #{event.n} {event.role} {event.part}: {event.text.strip()}"
        case happened.ToolObserved():
            return f"{event.unit} #{event.n} {event.tool}[{event.argument}]: {event.text}"
        case happened.QuestionAccepted():
            return f"{event.question.text} -> {event.question.answer}"
        case happened.TrainStepped():
            return f"{event.role} {event.step + 1}/{event.of} loss {event.loss:.4f}"
        case happened.LossValidated():
            return f"{event.role}: validation loss {event.loss:.4f} after {event.step} steps"
        case happened.TrajectoryCommitted():
            done = event.trajectory
            return f"{done.unit} {done.halt}: {done.answer} (reward {done.reward:.2f})"
        case happened.TrajectoryJudged():
            return f"{event.verdict.unit} {'kept' if event.verdict.kept else 'refused: ' + event.verdict.why}"
        case happened.QuestionValidated():
            solved = event.trajectory
            return f"validation {solved.question.text} -> {solved.answer} (F1 {event.f1:.2f})"
        case happened.VerdictCalibrated():
            return f"verdicts are *wrong* from {event.threshold:.2f} on: {describe_verdicts(event.quality)}"
        case happened.QuestionSolved():
            solved, scores = event.trajectory, f" (EM {event.em:.0f}, F1 {event.f1:.2f})" if event.scored else ""
            return f"{event.cast} {solved.question.text} -> {solved.answer}{scores}"
    return _fields(event)


def _fields(event: Event) -> str:
    """Returns the event's fields as `name=value`."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return " ".join(f"{key}={value}" for key, value in fields.items() if key != "type")
