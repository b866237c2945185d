"""Stage 4: keeps the trajectories that are worth learning from, and gives the first reason to refuse each other one.

The paper keeps trajectories of reward 1. Its released sets show that faulty episodes may also end in a correct answer,
so the rules also require an episode that ended by itself, has no invalid, empty or repeated steps, and observed the
answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from autoact.diversity import find_collapse
from autoact.events import StageProgressed, TrajectoryJudged
from autoact.metrics import normalise
from autoact.project.config import Filtering
from autoact.registry.stages import FILTERING
from autoact.script import StageScript
from autoact.stages.context import StageContext
from autoact.trajectory import (
    BY_FILTER,
    FINISH,
    FROM_FACTS,
    HINTED,
    IMPORTED,
    MISTAKEN,
    REFLECT,
    Step,
    Trajectory,
    Verdict,
)

SENTENCE_WORDS = 3
"""Words that a thought needs at least to count as a sentence."""


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the trajectories so far, and the number that it judges."""
    trajectories, number = list(context.state.trajectories.values()), context.config.run.round
    new = {one.unit for one in trajectories if number and one.unit.startswith(round_prefixes(number))}
    tools = {*(tool.name for tool in context.inputs.ready), *context.inputs.unfit}
    return filtering(trajectories, context.config.filtering, context.state.verdicts, new, tools), len(trajectories)


def filtering(
    trajectories: Sequence[Trajectory], settings: Filtering, verdicts: Mapping[str, Verdict],
    new: Collection[str] = (), tools: Collection[str] = (),
) -> StageScript:  # fmt: skip
    """Judges every trajectory, the shortest first.

    A person's verdict in `verdicts`, by unit, is not judged again: a trajectory that a person kept counts first towards
    the number kept of its question, and one that a person dropped does not count. `new` are the units of this round;
    they are refused if the kept set would be much less diverse with them than without. `tools` are the names of the
    project's tools, without which an imported trajectory is refused; empty if they are not known.
    """
    by_hand = {unit: verdict.kept for unit, verdict in verdicts.items() if verdict.by != BY_FILTER}
    refusals = find_refusals(trajectories, settings, by_hand, tools)
    if new:
        old = [one for one in trajectories if one.unit not in new]
        before = find_refusals(old, settings, by_hand, tools)
        what = find_collapse(_select_kept(old, before, by_hand), _select_kept(trajectories, refusals, by_hand))
        if what:
            refusals = {unit: f"less diverse: {what}" for unit in new if unit not in by_hand} | before
    for one in sorted(trajectories, key=_order):
        if one.unit in refusals:
            yield TrajectoryJudged(Verdict(one.unit, not refusals[one.unit], one.reward, refusals[one.unit]))
    yield StageProgressed(FILTERING, len(trajectories), len(trajectories))


def round_prefixes(number: int) -> tuple[str, str]:
    """Returns the beginnings of the names of a round's tries, and of those that it repaired."""
    return f"g{number}-", f"r{number}-"


def _select_kept(
    trajectories: Sequence[Trajectory], refusals: Mapping[str, str], by_hand: Mapping[str, bool]
) -> list[Trajectory]:
    return [one for one in trajectories if by_hand.get(one.unit, not refusals.get(one.unit))]


def _order(trajectory: Trajectory) -> tuple[int, str]:
    return len(trajectory.steps), trajectory.unit


def find_refusals(
    trajectories: Sequence[Trajectory],
    settings: Filtering,
    by_hand: Mapping[str, bool] = MappingProxyType({}),
    tools: Collection[str] = (),
) -> dict[str, str]:
    """Returns the reason to refuse each trajectory that no person judged, empty for those to keep.

    The shortest ones of each question are kept.
    """
    chosen = [trajectory for trajectory in trajectories if by_hand.get(trajectory.unit)]
    kept = Counter(trajectory.question.id for trajectory in chosen)
    seen, refusals = {_path(trajectory) for trajectory in chosen}, dict[str, str]()
    for trajectory in sorted(trajectories, key=_order):
        if trajectory.unit in by_hand:
            continue
        why, path = find_refusal(trajectory, settings, tools), _path(trajectory)
        if not why and not settings.everything:
            why = "same steps as another" if path in seen else ""
            if not why and kept[trajectory.question.id] >= settings.per_question:
                why = "enough of this question"
        if not why:
            kept[trajectory.question.id] += 1
            seen.add(path)
        refusals[trajectory.unit] = why
    return refusals


def find_refusal(trajectory: Trajectory, settings: Filtering, tools: Collection[str] = ()) -> str:
    """Returns the first reason to refuse a trajectory; empty when there is none. `tools` are as for `filtering`."""
    acts = [_act(step, played=trajectory.question.played) for step in trajectory.steps]
    if trajectory.halt not in ("answered", "over"):
        return "did not end"
    if tools and trajectory.made == IMPORTED and (missing := find_missing_tool(trajectory, tools)):
        return f"calls {missing}, which is no tool of this project"
    if settings.everything and trajectory.made != MISTAKEN:  # a rule made those, to be refused
        return ""
    if trajectory.reward < 1:
        return "not won" if trajectory.question.played else "wrong answer"
    if any(not step.thought.strip() for step in trajectory.steps):
        return "empty thought"
    if any(not step.argument.strip() for step in trajectory.steps):
        return "empty argument"
    if trajectory.made != FROM_FACTS and any(step.failed for step in trajectory.steps):
        return "failed tool call"
    if len(set(acts)) < len(acts):
        return "repeated action"
    if trajectory.made == HINTED and not is_derived(trajectory):
        return "read a page that nothing named before"
    if trajectory.halt == "over":
        return ""  # the environment judged it; there is no answer to look for
    if settings.grounded and not is_grounded(trajectory):
        return "answer never observed"
    if settings.reasoned and not is_reasoned(trajectory):
        return "answer without a reason"
    return ""


def find_missing_tool(trajectory: Trajectory, tools: Collection[str]) -> str:
    """Returns the first action of a trajectory that is none of `tools`; empty if all are. Failed steps do not count."""
    known = (*tools, FINISH, REFLECT)
    actions = (step.action for step in trajectory.steps if not step.failed)
    return next((action for action in actions if action and action not in known), "")


def _act(step: Step, *, played: bool) -> tuple[str, ...]:
    """Returns a step's action and argument; in a game also what it led to, as one may go north twice in a row."""
    return (step.action, normalise(step.argument), *([step.observation] if played else []))


def is_grounded(trajectory: Trajectory) -> bool:
    """Returns whether an observation contains the answer; for yes, no or a letter, whether there is any observation."""
    seen = " ".join(normalise(step.observation) for step in trajectory.steps if step.action not in (FINISH, REFLECT))
    answer = normalise(trajectory.answer or "")
    return bool(seen) and (_has_fixed_answer(trajectory) or f" {answer} " in f" {seen} ")


def is_derived(trajectory: Trajectory) -> bool:
    """Returns whether the question or an earlier observation names the argument of every tool call."""
    seen = f" {normalise(trajectory.question.text)} "
    for step in trajectory.steps:
        if step.action not in (FINISH, REFLECT) and f" {normalise(step.argument)} " not in seen:
            return False
        seen += f"{normalise(step.observation)} "
    return True


def is_reasoned(trajectory: Trajectory) -> bool:
    """Returns whether the last thought is a sentence with the answer in it; for yes, no or a letter, any sentence."""
    last = next(step for step in reversed(trajectory.steps) if step.action == FINISH)
    thought, answer = normalise(last.thought), normalise(trajectory.answer or "")
    sentence = len(thought.split()) >= SENTENCE_WORDS
    return sentence and (_has_fixed_answer(trajectory) or f" {answer} " in f" {thought} ")


def _has_fixed_answer(trajectory: Trajectory) -> bool:
    """Returns whether the answer is yes, no or an option, which pages do not contain literally."""
    return bool(trajectory.question.choices) or normalise(trajectory.answer or "") in ("yes", "no")


def _path(trajectory: Trajectory) -> tuple[str, ...]:
    """Returns the question and the words of every step; equal for trajectories that teach the same."""
    words = (part for step in trajectory.steps for part in (step.thought, step.action, step.argument))
    return (trajectory.question.id, *words)
