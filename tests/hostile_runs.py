"""Runs that no job wrote: logs, settings and notes with values that no reader expects, by what is odd about them."""

from __future__ import annotations

import os

import msgspec

import autoact.events as happened
from autoact.run.record.log import seal
from autoact.trajectory import Adapter, Question, Step, Trajectory, Verdict

DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
QUESTION = Question("q-1", "Who?", "Beethoven")
TRAJECTORY = Trajectory("q-1", QUESTION, (Step("t", "Retrieve", "a", "o"),), "Bach")
EVENTS: tuple[happened.Event, ...] = (
    happened.RunOpened(1, 7, "here", "scripted", {"model": {"id": "tiny"}}),
    happened.StageStarted("self_instruct", 3), happened.QuestionAccepted(QUESTION),
    happened.QuestionRefused("s-2", "Why?", "short"), happened.StageProgressed("self_instruct", 1, 3),
    happened.StageFinished("self_instruct", 3, 1.0), happened.ToolSelected("Retrieve", "facts"),
    happened.StageStarted("synthesis", 4), happened.EpisodeBegun("q-1", QUESTION),
    happened.ModelAnswered("q-1", 0, "d", "meta", "thought", "hm", (1, 2), 9, 9, 3.0),
    happened.ToolObserved("q-1", 1, "d", "Retrieve", "a", "o", ms=1.0), happened.UnitForked("q-1~1", "q-1", 1, "c"),
    happened.UnitRestarted("q-2", 0, "changed"), happened.TrajectoryCommitted(TRAJECTORY),
    happened.TrajectoryJudged(Verdict("q-1", True, 1.0)), happened.ExamplesBuilt("plan", 3, 9, 100),
    happened.TrainStepped("plan", 1, 9, 1.0, 1e-3, 1.0, 10, 5.0), happened.LossValidated("plan", 1, 1.5),
    happened.CheckpointSaved("plan", 1, "00"),
    happened.AdapterReady(Adapter("plan", "adapters/plan", "00", 9, 0.5)),
    happened.QuestionSolved("group", TRAJECTORY, 1.0, 1.0, True, 2.0, 9), happened.RunFailed("e"),
)  # fmt: skip


def with_numbers(value: int | float) -> bytes:
    """A log whose every number is this."""

    def changed(found: object) -> object:
        if isinstance(found, dict):
            return {key: changed(inner) for key, inner in found.items()}
        if isinstance(found, list):
            return [changed(inner) for inner in found]
        return value if isinstance(found, int | float) and not isinstance(found, bool) else found

    fields = [msgspec.to_builtins(event) for event in EVENTS]
    return b"".join(seal({"seq": n, "t": 1.0 + n, **dict(changed(one))}) for n, one in enumerate(fields))  # type: ignore[call-overload]


def losses(value: float) -> bytes:
    """A log in which all is well but the losses."""
    steps = [happened.TrainStepped("plan", n, 9, value, value, value, 10, 5.0) for n in range(9)]
    ready = happened.AdapterReady(Adapter("plan", "adapters/plan", "00", 9, value))
    events = [*EVENTS[:16], *steps, ready, happened.RunFinished()]
    return b"".join(seal({"seq": n, "t": 1.0 + n, **msgspec.to_builtins(one)}) for n, one in enumerate(events))


def at(moment: float) -> bytes:
    return b"".join(
        seal({"seq": n, "t": moment, **msgspec.to_builtins(event)}) for n, event in enumerate(EVENTS)
    )  # fmt: skip


def of_types(value: object) -> bytes:
    """A log whose every text is something else."""
    fields = [msgspec.to_builtins(event) for event in EVENTS]
    return b"".join(
        seal({"seq": n, "t": 1.0 + n, **{key: told if key == "type" else value for key, told in one.items()}})
        for n, one in enumerate(fields)
    )


LOGS: dict[str, bytes] = {
    "an honest one": at(1.0),
    "counts of 63 bits": with_numbers(2**63 - 1),
    "counts of 53 bits": with_numbers(2**53),
    "a million": with_numbers(10**6),
    "counts of 64 bits": with_numbers(2**64 - 1),
    "counts of many bits": with_numbers(10**40),
    "counts below zero": with_numbers(-(2**62)),
    "minus one everywhere": with_numbers(-1),
    "times of 300 digits": with_numbers(1e300),
    "losses of 300 digits": losses(1e300),
    "losses below all": losses(-1e300),
    "the smallest numbers": with_numbers(5e-324),
    "the last moment": at(1e300),
    "before all time": at(-1e300),
    "the year 9987": at(252_999_999_999.0),
    "texts that are lists": of_types([[]]),
    "texts that are nothing": of_types(None),
    "numbers after 2^53 - 1": seal({"seq": 2**53, "t": 1.0, "type": "run.finished"}) * 3,
    "numbers of 64 bits": seal({"seq": 2**64 - 1, "t": 1.0, "type": "run.finished"}),
    "versions without end": seal({"v": 2**70, "seq": 0, "t": 1.0, "type": "run.finished"}),
    "a version below zero": seal({"v": -4, "seq": 0, "t": 1.0, "type": "run.finished"}),
    "no bottom": b'{"v":1,"seq":0,"t":1.0,"type":"run.failed","error":' + b"[" * 60_000 + b"\n",
    "noise": os.urandom(5000),
    "settings that are no tables": seal({"seq": 0, "t": 1.0, "type": "run.opened", "attempt": 1, "pid": 1, "host": "h",
                                         "config": {"model": 3, "run": [], "task": None}}),
}  # fmt: skip
SETTINGS: dict[str, bytes] = {
    "no UTF-8": b"\xff\xfe", "a deep key": b".".join([b"a"] * 100_000) + b" = 1", "no run": b"[model]\nseed = 7\n",
    "a run that is a number": b"run = 3", "stages that are numbers": b"[run]\nstages = [1]\n",
    "stages that are a text": b'[run]\nstages = "synthesis"\n', "a list without end": b"a = " + b"[" * 90_000,
    "a number without end": b"seed = " + b"1" * 9000, "nothing": b"", "two megabytes": b"a = 1\n" * 350_000,
}  # fmt: skip
NOTES: dict[str, bytes] = {
    "no UTF-8": b'{"pid":1,"cause":"\xff\xfe"}', "no bottom": DEEP, "nothing": b"", "a number": b"7", "a list": b"[]",
    "two megabytes": b" " * 2_000_000,
    "great numbers": b'{"pid":9223372036854775807,"seq":9223372036854775807,"at":1e300,"ticked_at":1e300,'
    b'"seconds":1e300,'
    b'"cause":"x","again_at":1e300,"host":"h","boot":"b","start":9223372036854775807,"stage":"",'
    b'"done":9223372036854775807,'
    b'"of":1,"tick":1,"rss_mb":1e300}',
    "many digits": b'{"pid":1' + b"0" * 5000 + b"}",
}  # fmt: skip
