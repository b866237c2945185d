"""Figures of a run, read from its log alone: questions and trajectories kept, adapters, scores, tokens."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from msgspec import Struct

from autoact.events import ModelAnswered, ToolObserved, UnitForked, UnitRestarted
from autoact.lab.precision import Precision, choose_sample, estimate_precision
from autoact.lab.scores import Predictions, Score, collect_predictions, score_casts
from autoact.lab.spending import Cost, ForkCost, Spending
from autoact.lab.statistics.attempts import mean_pass_at_k
from autoact.metrics import interval
from autoact.registry.stages import CARRIED_OVER
from autoact.run.process.health import ENDED, is_active
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, Record
from autoact.run.record.marks import Key
from autoact.run.record.stage_state import work_before
from autoact.run.record.state import RunState, fold
from autoact.script import found_nothing, is_fork
from autoact.trajectory import META, VerdictQuality
from autoact.verdicts import describe_verdicts, first_verdicts, measure_verdicts

LOSS_OF_ADAPTER = "mean loss of the last epoch"
"""The name of the loss of a trained adapter, wherever it is shown."""


class StageLine(Struct, frozen=True):
    """The progress of a stage; see StageState."""

    name: str
    status: str
    done: int
    of: int
    made: int
    seconds: float
    is_carried_over: bool

    def describe(self) -> tuple[str, str]:
        """Returns its state, and how much is done, in words."""
        state = CARRIED_OVER if self.is_carried_over else self.status
        return state, f"{self.done}/{self.of}" if self.of else str(self.done)


class AdapterSummary(Struct, frozen=True):
    """The training of one adapter."""

    role: str
    trajectories: int
    """0 when the adapter comes from an earlier run, as are the other counts."""
    examples: int
    """Spans with loss, which are the samples of the published recipe."""
    tokens: int
    """Tokens with loss."""
    steps: int
    first_loss: float
    """Loss of the first step, in nats per token; NaN (null in JSON) before it."""
    loss: float
    """Mean loss of the last epoch, in nats per token; of the last step while training; NaN before the first step."""
    validation_loss: float | None
    """The last loss on trajectories that were not learned from, or the lowest if the weights of that one are kept; None
    if it was not measured."""
    seconds: float
    ready: bool


class PassRates(Struct, frozen=True):
    """The chance that one of k plain tries at a question is right."""

    questions: int
    """Questions with at least `tries` plain tries."""
    tries: int
    at: dict[str, float]
    """The mean over questions, by k as text: 1, 2, 4 and so on up to `tries`."""


class Made(Struct, frozen=True):
    """Trajectories that were made in one way."""

    tried: int
    kept: int


class Validation(Struct, frozen=True):
    """The group's answers to self-made questions that nothing was trained on."""

    n: int
    """Answers, two for each question: the likeliest, and one that was drawn."""
    f1: float
    f1_interval: tuple[float, float]
    threshold: float | None
    """The probability of *wrong* from which verdicts are *wrong*; None if there were too few answers to choose it."""
    verdicts: VerdictQuality
    """With that threshold."""


class ToolUse(Struct, frozen=True):
    """Calls of one tool and their failures."""

    calls: int
    failed: dict[str, int]
    """Calls that the tool could not carry out, by reason, the most frequent first."""
    empty: dict[str, int]
    """Calls that found nothing, by observation up to the bracket that repeats the argument."""


class Tally(Struct, frozen=True):
    """All figures of `autoact stats`; its --json prints these fields."""

    status: str
    """The last status in the log: new, running, paused, finished, failed, cancelled."""
    error: str
    attempts: int
    engine: str
    started: float
    """Unix seconds; 0 for an empty log."""
    seconds: float
    """Time at work, without the time from an attempt's end to the next one's start, or to a later judgement."""
    stages: list[StageLine]
    questions_asked: int
    questions_kept: int
    questions_refused: dict[str, int]
    """By reason, the most frequent first."""
    precision: Precision
    """Of the self-made questions, by a person's marks."""
    tools: list[str]
    """Selected ones."""
    tool_calls: dict[str, ToolUse]
    """By tool; calls of unfinished and of repeated episodes count."""
    trajectories_tried: int
    """Trajectories that the filter has not judged yet count."""
    trajectories_kept: int
    trajectories_refused: dict[str, int]
    """By reason, the most frequent first."""
    trajectories_made: dict[str, Made]
    """By how they were made: `plain tries`, `hinted`, `from facts`, `repaired`, `mistaken`, `imported`."""
    pass_rates: PassRates | None
    """Of synthesis; None where no question was tried more than once."""
    adapters: list[AdapterSummary]
    validation: Validation | None
    """Answers of the group to questions that nothing was trained on; None without them."""
    scores: list[Score]
    """By cast, in the order of their first answers."""
    token_limit: int
    """Most tokens that a method generates for a question; 0 for no limit."""
    predictions: dict[str, Predictions]
    """By cast."""
    unscored: int
    """Answered questions that have no gold answer."""
    tokens: dict[str, Cost]
    """By stage."""
    tokens_by_role: dict[str, dict[str, Cost]]
    forks: list[ForkCost]
    failed_units: dict[str, str]
    damage: list[tuple[int, str]]
    """Unreadable lines of the log: byte offset and reason."""
    torn: int


class Failures(Counter[str]):
    """Counts of each failure of one tool."""

    def split(self) -> tuple[dict[str, int], dict[str, int]]:
        """Returns the counts of calls that could not be carried out, and of calls that found nothing."""
        failed = {text: count for text, count in self.most_common() if not found_nothing(text)}
        return failed, {text: count for text, count in self.most_common() if text not in failed}


@dataclass(slots=True)
class LogTotals:
    """Totals of a run's log, from one pass over it."""

    state: RunState = field(default_factory=RunState)
    spending: Spending = field(default_factory=Spending)
    calls: Counter[str] = field(default_factory=Counter)
    """By tool."""
    failures: defaultdict[str, Failures] = field(default_factory=lambda: defaultdict(Failures))
    """By tool."""
    started: float = 0.0
    seconds: float = 0.0

    @classmethod
    def of_run(cls, folder: RunFolder) -> LogTotals:
        """Reads the log of a run. The time at work goes on until now while it has a job, which may log nothing."""
        totals = cls.of(folder.events)
        if totals.state.seq >= 0 and totals.state.status not in ENDED and is_active(folder):
            totals.seconds += max(0.0, time.time() - totals.state.at)
        return totals

    @classmethod
    def of(cls, log: Path) -> LogTotals:
        """Reads an events.jsonl; all totals are 0 when it is absent."""
        totals, tail = cls(), LogTail(log)
        try:
            for record in tail.poll():
                totals.add(record)
            totals.state.damage, totals.state.torn = tail.damaged, tail.torn()
        finally:
            tail.close()
        return totals

    def add(self, record: Record) -> None:
        """Adds the next record of the log."""
        event, state = record.event, self.state
        if state.seq < 0:
            self.started = record.at
        self.seconds += work_before(state, record)
        fold(state, record)
        if isinstance(event, ModelAnswered):
            self.spending.add(state.stage, event)
        elif isinstance(event, ToolObserved):
            self.calls[event.tool] += 1
            if event.failed:
                self.failures[event.tool][event.text.partition("[")[0].strip()] += 1
        elif isinstance(event, UnitForked):
            self.spending.add_fork(event)
        elif isinstance(event, UnitRestarted):
            self.spending.add_restart(event.unit)


def tally(log: Path, marks: Mapping[Key, bool] | None = None) -> Tally:
    """Returns the figures of the run with this events.jsonl, and with these marks on its questions."""
    return count_figures(LogTotals.of(log), marks)


def count_figures(totals: LogTotals, marks: Mapping[Key, bool] | None = None) -> Tally:
    """Returns the figures of a run from the totals of its log."""
    state, spending = totals.state, totals.spending
    refused = Counter(verdict.refusal for verdict in state.verdicts.values() if not verdict.kept)
    return Tally(
        status=state.status,
        error=state.error,
        attempts=state.attempt,
        engine=state.engine,
        started=totals.started,
        seconds=round(totals.seconds, 3),
        stages=[
            StageLine(name, stage.status, stage.done, stage.of, stage.made, stage.spent, stage.is_carried_over)
            for name, stage in state.stages.items()
        ],
        questions_asked=len(state.questions) + state.refused.total(),
        questions_kept=len(state.questions),
        questions_refused=dict(state.refused.most_common()),
        precision=estimate_precision(choose_sample(state.questions), marks or {}),
        tools=[tool for tool, _ in state.selected],
        tool_calls={tool: ToolUse(count, *totals.failures[tool].split()) for tool, count in totals.calls.most_common()},
        trajectories_tried=len(state.trajectories),
        trajectories_kept=sum(verdict.kept for verdict in state.verdicts.values()),
        trajectories_refused=dict(refused.most_common()),
        trajectories_made=count_made(state),
        pass_rates=find_pass_rates(state),
        adapters=[summarise_adapter(state, role) for role in state.examples | state.adapters],
        validation=score_validation(state),
        scores=score_casts(state.solved),
        token_limit=read_token_limit(state.config),
        predictions=collect_predictions(state.solved),
        unscored=sum(not one.scored and not is_fork(one.trajectory.unit) for one in state.solved),
        tokens=spending.by_stage(),
        tokens_by_role=spending.by_role(),
        forks=spending.by_fork(),
        failed_units=state.unit_failures,
        damage=state.damage,
        torn=state.torn,
    )


def count_examples(count: int) -> str:
    """Returns a number of examples in words."""
    return f"{count} example{'' if count == 1 else 's'}"


def describe_training(adapter: AdapterSummary) -> str:
    """Returns the number of an adapter's examples and its last losses."""
    examples = count_examples(adapter.examples)
    if math.isnan(adapter.loss):
        return f"{examples}, not trained yet"
    name = LOSS_OF_ADAPTER if adapter.ready else "loss so far"
    validated = "" if adapter.validation_loss is None else f", {adapter.validation_loss:.3f} in validation"
    return f"{examples}, {name} {adapter.loss:.3f}{validated}"


def summarise_adapter(state: RunState, role: str) -> AdapterSummary:
    """Returns the training of one adapter so far."""
    built, adapter, curve = state.examples.get(role), state.adapters.get(role), state.curves.get(role, {})
    losses = [curve[step].loss for step in sorted(curve)] or [math.nan]
    validated = [loss for _, loss in sorted(state.validation_losses.get(role, {}).items())]
    section = state.config.get("differentiation")
    keeps_lowest = isinstance(section, Mapping) and bool(section.get("patience"))
    return AdapterSummary(
        role=role,
        trajectories=built.trajectories if built else 0,
        examples=adapter.examples if adapter else built.spans if built else 0,
        tokens=built.tokens if built else 0,
        steps=len(curve),
        first_loss=losses[0],
        loss=adapter.loss if adapter else losses[-1],
        validation_loss=(min(validated) if keeps_lowest else validated[-1]) if validated else None,
        seconds=round(sum(step.ms for step in curve.values()) / 1000, 3),
        ready=adapter is not None,
    )


def find_pass_rates(state: RunState) -> PassRates | None:
    """Returns pass@k of the meta-agent's plain tries, over the questions with the usual number of them; None for fewer
    than two tries. Further tries, which only questions without a good one have, do not count."""
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for unit, trajectory in state.trajectories.items():
        if trajectory.made == "" and trajectory.cast == META and not is_fork(unit):
            right[trajectory.question.id].append(trajectory.reward >= 1)
    usual = max(Counter(map(len, right.values())).items(), key=lambda item: (item[1], item[0]), default=(0, 0))[0]
    settings = state.config.get("synthesis", {})
    tries = settings["samples"] if isinstance(settings, dict) and settings.get("further") else usual
    if tries < 2:
        return None
    enough = [one[:tries] for one in right.values() if len(one) >= tries]
    ks = [1 << power for power in range(tries.bit_length() - 1)] + [tries]
    return PassRates(len(enough), tries, {str(k): mean_pass_at_k(enough, k) for k in ks})


def describe_pass_rates(rates: PassRates) -> str:
    """Returns the chances in words."""
    chances = ", ".join(f"{100 * chance:.1f} % in {k}" for k, chance in rates.at.items())
    return f"right {chances} plain tries, over {rates.questions} questions"


def count_made(state: RunState) -> dict[str, Made]:
    """Returns the numbers of trajectories by how they were made, in the order in which the first ones were."""
    counts: dict[str, list[bool]] = {}
    for unit, trajectory in state.trajectories.items():
        verdict = state.verdicts.get(unit)
        counts.setdefault(trajectory.made or "plain tries", []).append(bool(verdict and verdict.kept))
    return {made: Made(len(kept), sum(kept)) for made, kept in counts.items()}


def score_validation(state: RunState) -> Validation | None:
    """Returns the scores of the validation answers; None when there are none."""
    if not state.validated:
        return None
    f1, threshold = [one.f1 for one in state.validated], state.calibrated.threshold if state.calibrated else None
    judged = first_verdicts(one.trajectory for one in state.validated)
    return Validation(len(f1), fmean(f1), interval(f1), threshold, measure_verdicts(judged, threshold))


def describe_validation(found: Validation) -> str:
    """Returns the scores of the validation answers in words."""
    low, high = found.f1_interval
    scored = f"F1 {100 * found.f1:.1f} ({100 * low:.1f} to {100 * high:.1f}) of {found.n} answers"
    threshold = "" if found.threshold is None else f" *wrong* from {found.threshold:.2f} on,"
    return f"{scored};{threshold} {describe_verdicts(found.verdicts)}"


def read_token_limit(config: Mapping[str, Any]) -> int:
    """Returns the limit of generated tokens in a run's settings as the log has them; 0 for none."""
    section = config.get("group_planning")
    limit = section.get("tokens") if isinstance(section, Mapping) else None
    return limit if isinstance(limit, int) else 0
