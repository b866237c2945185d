"""A run in figures: the funnel, the adapters, the scores and the tokens, from its log alone."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
from msgspec import Struct

from autoact.events import ModelAnswered, QuestionSolved, RunOpened, ToolObserved, UnitForked, UnitRestarted
from autoact.lab.spending import Cost, ForkCost, Spending
from autoact.metrics import interval
from autoact.run.record.log import LogTail, Record
from autoact.run.record.state import RunState, fold
from autoact.script import is_fork
from autoact.trajectory import Question

_NOT_CARRIED_OUT = re.compile(r"\S+ (?:failed|is not ready)\b")
"""How the observation of a call begins that a tool could not carry out."""
ALONE = "meta"
"""The cast that others are compared with."""


class StageLine(Struct, frozen=True):
    """How far one stage is; see StageState."""

    name: str
    status: str
    done: int
    of: int
    made: int
    seconds: float


class Lesson(Struct, frozen=True):
    """What one adapter learned from, and how well."""

    role: str
    trajectories: int
    """0 when the adapter comes from an earlier run, as all counts of its training."""
    examples: int
    """Published-recipe samples: spans that carry loss."""
    tokens: int
    """Tokens that carry loss."""
    steps: int
    first_loss: float
    """Of the first step, in nats per token; NaN (null in JSON) before it."""
    loss: float
    """Mean over the last epoch, in nats per token; that of the last step while training; NaN before the first."""
    seconds: float
    ready: bool


class Score(Struct, frozen=True):
    """One cast's answers against gold. Intervals hold 95 %, by bootstrap over questions."""

    cast: str
    name: str
    """The level or type that this is about; empty for all questions."""
    n: int
    """Scored questions; the means are over these."""
    em: float
    em_interval: tuple[float, float]
    f1: float
    f1_interval: tuple[float, float]
    tokens: float
    """Mean by question: prompt tokens encoded plus tokens generated."""
    seconds: float
    """Mean by question: time spent waiting for the model, side by side with other questions."""
    by_level: tuple[Score, ...] = ()
    by_type: tuple[Score, ...] = ()
    gain: tuple[float, float, float] | None = None
    """F1 over the meta-agent alone on the same questions, with its interval's ends; None where that says nothing."""


class ToolUse(Struct, frozen=True):
    """How the calls of one tool went."""

    calls: int
    failed: dict[str, int]
    """Calls that the tool could not carry out, by reason, the most frequent first."""
    empty: dict[str, int]
    """Calls that it carried out and that found nothing, by what they gave back up to a bracket with what was asked."""


class Predictions(Struct, frozen=True):
    """One cast's answers in the form that HotpotQA's scorer takes."""

    answer: dict[str, str]
    """By the question's id as its file has it; empty where the episode ended without an answer."""
    sp: dict[str, list[Any]] = {}
    """Supporting facts: none are told, and the scorer says so."""


class Tally(Struct, frozen=True):
    """Everything `autoact stats` tells. JSON as it stands."""

    status: str
    """The log's last word: new, running, paused, finished, failed, cancelled."""
    error: str
    attempts: int
    engine: str
    started: float
    """Unix seconds; 0 for an empty log."""
    seconds: float
    """At work: what passed between an attempt's end and the next one's start is left out."""
    stages: list[StageLine]
    questions_asked: int
    questions_kept: int
    questions_refused: dict[str, int]
    """By reason, the most frequent first."""
    tools: list[str]
    """Selected ones."""
    tool_calls: dict[str, ToolUse]
    """By tool, those of unfinished and of repeated episodes included."""
    trajectories_tried: int
    """Those that the filter has not judged yet included."""
    trajectories_kept: int
    trajectories_refused: dict[str, int]
    """By reason, the most frequent first."""
    adapters: list[Lesson]
    scores: list[Score]
    """By cast, in the order in which they first answered."""
    predictions: dict[str, Predictions]
    """By cast."""
    unscored: int
    """Questions answered that have no gold answer."""
    tokens: dict[str, Cost]
    """By stage."""
    tokens_by_role: dict[str, dict[str, Cost]]
    forks: list[ForkCost]
    failed_units: dict[str, str]
    damage: list[tuple[int, str]]
    """Places of the log that could not be read: byte offset and reason."""
    torn: int


class Failures(Counter[str]):
    """How often one tool gave back each failure."""

    def parted(self) -> tuple[dict[str, int], dict[str, int]]:
        """Those of calls that could not be carried out, and those of calls that found nothing."""
        failed = {text: count for text, count in self.most_common() if _NOT_CARRIED_OUT.match(text)}
        return failed, {text: count for text, count in self.most_common() if text not in failed}


@dataclass(slots=True)
class Reading:
    """One pass over a log."""

    state: RunState = field(default_factory=RunState)
    spending: Spending = field(default_factory=Spending)
    calls: Counter[str] = field(default_factory=Counter)
    """By tool."""
    failures: defaultdict[str, Failures] = field(default_factory=lambda: defaultdict(Failures))
    """By tool."""
    started: float = 0.0
    seconds: float = 0.0

    @classmethod
    def of(cls, log: Path) -> Reading:
        """What an events.jsonl says; nothing yet when there is no such file."""
        reading, tail = cls(), LogTail(log)
        try:
            for record in tail.poll():
                reading.take(record)
            reading.state.damage, reading.state.torn = tail.damaged, tail.torn()
        finally:
            tail.close()
        return reading

    def take(self, record: Record) -> None:
        """Fold the next record in."""
        event, state = record.event, self.state
        if state.seq < 0:
            self.started = record.at
        elif not (isinstance(event, RunOpened) and event.attempt > state.attempt):
            self.seconds += max(0.0, record.at - state.at)
        fold(state, record)
        if isinstance(event, ModelAnswered):
            self.spending.add(state.stage, event)
        elif isinstance(event, ToolObserved):
            self.calls[event.tool] += 1
            if event.failed:
                self.failures[event.tool][event.text.partition("[")[0].strip()] += 1
        elif isinstance(event, UnitForked):
            self.spending.forked(event)
        elif isinstance(event, UnitRestarted):
            self.spending.restarted(event.unit)


def tally(log: Path) -> Tally:
    """The figures of the run whose events.jsonl this is."""
    reading = Reading.of(log)
    state, spending = reading.state, reading.spending
    refused = Counter(verdict.why for verdict in state.verdicts.values() if not verdict.kept)
    return Tally(
        status=state.status,
        error=state.error,
        attempts=state.attempt,
        engine=state.engine,
        started=reading.started,
        seconds=round(reading.seconds, 3),
        stages=[
            StageLine(name, stage.status, stage.done, stage.of, stage.made, stage.seconds)
            for name, stage in state.stages.items()
        ],
        questions_asked=len(state.questions) + state.refused.total(),
        questions_kept=len(state.questions),
        questions_refused=dict(state.refused.most_common()),
        tools=[tool for tool, _ in state.selected],
        tool_calls={
            tool: ToolUse(count, *reading.failures[tool].parted()) for tool, count in reading.calls.most_common()
        },
        trajectories_tried=len(state.trajectories),
        trajectories_kept=sum(verdict.kept for verdict in state.verdicts.values()),
        trajectories_refused=dict(refused.most_common()),
        adapters=[lesson(state, role) for role in state.examples | state.adapters],
        scores=scores(state.solved),
        predictions=predictions(state.solved),
        unscored=sum(not one.scored for one in state.solved),
        tokens=spending.by_stage(),
        tokens_by_role=spending.by_role(),
        forks=spending.by_fork(),
        failed_units=state.unit_failures,
        damage=state.damage,
        torn=state.torn,
    )


def lesson(state: RunState, role: str) -> Lesson:
    """One adapter's training so far."""
    built, adapter, curve = state.examples.get(role), state.adapters.get(role), state.curves.get(role, {})
    losses = [curve[step].loss for step in sorted(curve)] or [math.nan]
    return Lesson(
        role=role,
        trajectories=built.trajectories if built else 0,
        examples=adapter.examples if adapter else built.spans if built else 0,
        tokens=built.tokens if built else 0,
        steps=len(curve),
        first_loss=losses[0],
        loss=adapter.loss if adapter else losses[-1],
        seconds=round(sum(step.ms for step in curve.values()) / 1000, 3),
        ready=adapter is not None,
    )


def scores(solved: Sequence[QuestionSolved]) -> list[Score]:
    """Scores by cast, with their parts by level and type and the gain over the meta-agent alone."""
    casts: defaultdict[str, list[QuestionSolved]] = defaultdict(list)
    for one in solved:
        if one.scored:
            casts[one.cast].append(one)
    return [
        msgspec.structs.replace(
            score(answers),
            by_level=parts(answers, lambda question: question.level),
            by_type=parts(answers, lambda question: question.type),
            gain=None if cast == ALONE else gain(casts.get(ALONE, []), answers),
        )
        for cast, answers in list(casts.items())
    ]


def predictions(solved: Sequence[QuestionSolved]) -> dict[str, Predictions]:
    """Every cast's answers by question, those of forks left out."""
    answers: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for one in solved:
        if not is_fork(one.trajectory.unit):
            answers[one.cast][one.trajectory.question.id] = one.trajectory.answer or ""
    return {cast: Predictions(answer) for cast, answer in answers.items()}


def score(solved: Sequence[QuestionSolved], name: str = "") -> Score:
    """Means and intervals over some scored questions of one cast, at least one."""
    em, f1 = [one.em for one in solved], [one.f1 for one in solved]
    return Score(
        cast=solved[0].cast,
        name=name,
        n=len(solved),
        em=fmean(em),
        em_interval=interval(em),
        f1=fmean(f1),
        f1_interval=interval(f1),
        tokens=fmean(one.tokens for one in solved),
        seconds=fmean(one.seconds for one in solved),
    )


def parts(solved: Sequence[QuestionSolved], key: Callable[[Question], str]) -> tuple[Score, ...]:
    """Scores by a property of the question; none when no question has it."""
    groups: defaultdict[str, list[QuestionSolved]] = defaultdict(list)
    for one in solved:
        groups[key(one.trajectory.question)].append(one)
    return () if set(groups) <= {""} else tuple(score(groups[name], name) for name in sorted(groups))


def gain(alone: Sequence[QuestionSolved], other: Sequence[QuestionSolved]) -> tuple[float, float, float] | None:
    """Mean F1 of `other` less that of `alone` over questions both were scored on, and its 95 % interval."""
    before = {one.trajectory.question.id: one.f1 for one in alone}
    pairs = [(one.f1, before.get(one.trajectory.question.id)) for one in other]
    differences = [after - earlier for after, earlier in pairs if earlier is not None]
    return (fmean(differences), *interval(differences)) if differences else None
