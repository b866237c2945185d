"""Stage 4: which trajectories are worth learning from, and for each other the first gate that refused it.

The paper keeps reward 1. Its released sets show that correct answers come from broken episodes too, so the gates
also want an episode that ended by itself, without invalid, empty or repeated steps, and with the answer in sight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from autoact.events import StageProgressed, TrajectoryJudged
from autoact.metrics import normalise
from autoact.project.config import Filtering
from autoact.registry.stages import FILTERING
from autoact.script import StageScript
from autoact.stages.context import StageContext
from autoact.trajectory import BY_FILTER, FINISH, REFLECT, Trajectory, Verdict

SENTENCE = 3
"""Words of a thought that says something."""


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the trajectories so far, and how many it judges."""
    trajectories = list(context.state.trajectories.values())
    return filtering(trajectories, context.config.filtering, context.state.verdicts), len(trajectories)


def filtering(trajectories: Sequence[Trajectory], settings: Filtering, verdicts: Mapping[str, Verdict]) -> StageScript:
    """Judges every trajectory, shortest first, so that the shortest of a question's are kept.

    A person's judgement in `verdicts`, by unit, stands: a trajectory that a person keeps takes one of its question's
    places before any other, and one that a person drops takes none.
    """
    by_hand = {unit: verdict.kept for unit, verdict in verdicts.items() if verdict.by != BY_FILTER}
    chosen = [trajectory for trajectory in trajectories if by_hand.get(trajectory.unit)]
    kept = Counter(trajectory.question.id for trajectory in chosen)
    seen = {_path(trajectory) for trajectory in chosen}
    open_ones = [trajectory for trajectory in trajectories if trajectory.unit not in by_hand]
    for trajectory in sorted(open_ones, key=lambda trajectory: (len(trajectory.steps), trajectory.unit)):
        why = refusal(trajectory, settings)
        path = _path(trajectory)
        if not why and path in seen:
            why = "same steps as another"
        if not why and kept[trajectory.question.id] >= settings.per_question:
            why = "enough of this question"
        if not why:
            kept[trajectory.question.id] += 1
            seen.add(path)
        yield TrajectoryJudged(Verdict(trajectory.unit, not why, trajectory.reward, why))
    yield StageProgressed(FILTERING, len(trajectories), len(trajectories))


def refusal(trajectory: Trajectory, settings: Filtering) -> str:
    """The first gate that refuses a trajectory; empty when none does."""
    acts = [(step.action, normalise(step.argument)) for step in trajectory.steps]
    if trajectory.halt not in ("answered", "over"):
        return "did not end"
    if trajectory.reward < 1:
        return "wrong answer"
    if any(not step.thought.strip() for step in trajectory.steps):
        return "empty thought"
    if any(not step.argument.strip() for step in trajectory.steps):
        return "empty argument"
    if any(step.failed for step in trajectory.steps):
        return "failed tool call"
    if len(set(acts)) < len(acts):
        return "repeated action"
    if trajectory.halt == "over":
        return ""  # the environment judged it; there is no answer to look for
    if settings.grounded and not grounded(trajectory):
        return "answer never observed"
    if settings.reasoned and not reasoned(trajectory):
        return "answer without a reason"
    return ""


def grounded(trajectory: Trajectory) -> bool:
    """Whether an observation contains the answer; yes, no and an option's letter need only some observation."""
    seen = " ".join(normalise(step.observation) for step in trajectory.steps if step.action not in (FINISH, REFLECT))
    answer = normalise(trajectory.answer or "")
    return bool(seen) and (_closed(trajectory) or f" {answer} " in f" {seen} ")


def reasoned(trajectory: Trajectory) -> bool:
    """Whether the thought before the answer says it in a sentence; yes, no and a letter follow from some sentence."""
    last = next(step for step in reversed(trajectory.steps) if step.action == FINISH)
    thought, answer = normalise(last.thought), normalise(trajectory.answer or "")
    sentence = len(thought.split()) >= SENTENCE
    return sentence and (_closed(trajectory) or f" {answer} " in f" {thought} ")


def _closed(trajectory: Trajectory) -> bool:
    """Whether the answer is one of a few that no page spells out."""
    return bool(trajectory.question.choices) or normalise(trajectory.answer or "") in ("yes", "no")


def _path(trajectory: Trajectory) -> tuple[str, ...]:
    spoken = (part for step in trajectory.steps for part in (step.thought, step.action, step.argument))
    return (trajectory.question.id, *spoken)
