"""The signatures of the known ways in which the method fails, each with a threshold, a message and a remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from autoact.lab.inspection.contamination import find_contamination
from autoact.lab.inspection.duplicates import nearest_pairs
from autoact.lab.inspection.overlap import OPENING, most_common_opening
from autoact.lab.inspection.steps import action_key, action_names, is_broken, is_call, known_actions
from autoact.lab.scores import ALONE
from autoact.lab.tally import Tally
from autoact.lessons import wrong_lessons
from autoact.run.record.state import RunState
from autoact.trajectory import Question, Trajectory
from autoact.verdicts import describe_verdicts

MOST_QUESTIONS = 2_000
"""Questions among which near duplicates are counted."""
MOST_SHOWN = 12
"""Actions of a sequence in a message."""
FEWEST = 10
"""Trajectories, questions or wrong answers below which nothing is concluded."""
SEVERAL_PAGES = ("two-hop", "comparison", "bridge")
"""Types of questions that need two pages, where the pages are not known."""


class FailureSignature(Struct, frozen=True):
    """One measure of a run, and whether it is beyond its threshold."""

    name: str
    measure: str
    value: float | None
    """None if the run has too little to measure it."""
    threshold: float
    below: bool
    """Whether values below the threshold are a sign of failure; else those from it on are."""
    found: bool
    message: str
    """The finding in words; empty unless `found`."""
    remedy: str


def find_signatures(state: RunState, made: Tally) -> list[FailureSignature]:
    """Returns every signature of a run, found or not, from its state and its figures."""
    return [one for detect in DETECTORS for one in detect(state, made)]


def _judge(
    name: str, measure: str, value: float | None, threshold: float, message: str, remedy: str, *, below: bool = False
) -> FailureSignature:
    found = value is not None and (value < threshold if below else value >= threshold)
    return FailureSignature(name, measure, value, threshold, below, found, message if found else "", remedy)


def irrelevant_tools(state: RunState, _: Tally) -> Iterator[FailureSignature]:
    """Selected tools that kept trajectories do not call, and tools whose calls mostly fail."""
    kept = state.kept
    called = {action_key(step.action) for one in kept for step in one.steps}
    unused = [name for name, _ in state.selected if action_key(name) not in called]
    yield _judge(
        "irrelevant tools", "selected tools that no kept trajectory calls",
        float(len(unused)) if state.selected and len(kept) >= FEWEST else None, 1.0,
        f"no kept trajectory calls {', '.join(unused)}",
        "choose tools by hand in the tools pane, or take the unused ones out of tools.toml: they only lengthen prompts",
    )  # fmt: skip
    calls = [step for one in state.trajectories.values() for step in one.steps if is_call(step)]
    counts, failed = Counter(step.action for step in calls), Counter(step.action for step in calls if step.failed)
    shares = {name: failed[name] / count for name, count in counts.items() if count >= FEWEST}
    worst = max(shares, key=shares.__getitem__, default="")
    yield _judge(
        "irrelevant tools", "largest share of a tool's calls that fail or find nothing", shares.get(worst), 0.5,
        f"{failed[worst]} of {counts[worst]} calls of {worst} fail or find nothing",
        "`autoact tools test` checks it; `autoact check` tells whether the corpus has the pages that questions need",
    )  # fmt: skip


def low_diversity(state: RunState, _: Tally) -> Iterator[FailureSignature]:
    """Kept trajectories of one shape, and practice questions that repeat each other."""
    kept = state.kept
    known = known_actions(kept)
    by_names = {action_names(one, known): one for one in kept}
    counts = Counter(action_names(one, known) for one in kept)
    top, count = counts.most_common(1)[0] if counts else ((), 0)
    shape = ", ".join(step.action for step in by_names[top].steps[:MOST_SHOWN]) if counts else ""
    yield _judge(
        "low diversity", "share of the most frequent action sequence among kept trajectories",
        count / len(kept) if len(kept) >= FEWEST else None, 0.6,
        f"{count} of {len(kept)} kept trajectories are {shape}",
        "ask for more types of questions (`self_instruct.types`), write trajectories from facts "
        "(`synthesis.from_facts`), or draw more tries at a higher `synthesis.temperature`",
    )  # fmt: skip
    questions = state.questions[:MOST_QUESTIONS]
    near = len(nearest_pairs(questions))
    yield _judge(
        "low diversity", "share of practice questions that nearly repeat another",
        near / len(questions) if len(questions) >= FEWEST else None, 0.1,
        f"{near} of {len(questions)} practice questions nearly repeat an earlier one",
        "lower `self_instruct.similar`, or give the corpus more pages",
    )  # fmt: skip


def coordination_overhead(_: RunState, made: Tally) -> Iterator[FailureSignature]:
    """A group that spends many more tokens than the meta-agent alone without a gain."""
    alone = next((score for score in made.scores if score.cast == ALONE), None)
    for score in made.scores:
        if alone is None or score.gain is None or not alone.tokens:
            continue
        ratio, (gain, low, high) = score.tokens / alone.tokens, (100 * part for part in score.gain)
        yield _judge(
            "coordination overhead", f"tokens of {score.cast} over those of the meta-agent, where F1 gains nothing",
            ratio if low <= 0 else 0.0, 1.5,
            f"{score.cast} takes {ratio:.1f} times the tokens of the meta-agent alone; its gain in F1 is {gain:+.1f} "
            f"points ({low:+.1f} to {high:+.1f})",
            "train one adapter for all parts (`differentiation.adapters`), or train on more trajectories",
        )  # fmt: skip


def shallow_trajectories(state: RunState, _: Tally) -> Iterator[FailureSignature]:
    """Kept trajectories that make fewer calls than their question needs pages."""
    kept = [(one, needed) for one in state.kept if (needed := _pages_needed(one.question)) > 1]
    shallow = sum(len(_useful_calls(one)) < needed for one, needed in kept)
    yield _judge(
        "shallow trajectories", "share of kept trajectories with fewer calls than their question needs pages",
        shallow / len(kept) if len(kept) >= FEWEST else None, 0.25,
        f"{shallow} of {len(kept)} kept trajectories about several pages make fewer calls than that",
        "turn `filtering.grounded` and `filtering.reasoned` on, and raise `synthesis.steps`",
    )  # fmt: skip


def _pages_needed(question: Question) -> int:
    return len(question.gold) or (2 if question.type in SEVERAL_PAGES else 1)


def _useful_calls(trajectory: Trajectory) -> set[tuple[str, str]]:
    return {(step.action, step.argument) for step in trajectory.steps if is_call(step) and not step.failed}


def tool_errors(state: RunState, _: Tally) -> Iterator[FailureSignature]:
    """Wrong answers of episodes in which a tool could not work, scored as if the model had failed."""
    wrong = [one.trajectory for one in state.solved if one.scored and one.em < 1]
    broken = [one for one in wrong if any(is_broken(step) for step in one.steps)]
    names = sorted({step.action for one in broken for step in one.steps if is_broken(step)})
    yield _judge(
        "tool errors scored as model errors", "share of wrong answers in whose episode a tool could not work",
        len(broken) / len(wrong) if len(wrong) >= FEWEST else None, 0.05,
        f"in {len(broken)} of {len(wrong)} wrong answers {', '.join(names)} could not work",
        "`autoact tools test` checks the tools; evaluate again when they work",
    )  # fmt: skip


def _practice_type(question: Question) -> str:
    """Returns the type of a question by the name that practice questions have for it: HotpotQA calls two-hop bridge."""
    return "two-hop" if question.type == "bridge" else question.type


def collapsed_types(state: RunState, _: Tally) -> Iterator[FailureSignature]:
    """Types of the answered questions that practice questions hardly have, and practice questions that begin alike."""
    practised = Counter(one.type for one in state.questions)
    asked = Counter(_practice_type(one.trajectory.question) for one in state.solved if one.scored)
    shares = {
        name: (practised[name] / practised.total()) / (count / asked.total())
        for name, count in asked.items()
        if name and count >= FEWEST and practised.total() >= FEWEST
    }
    least = min(shares, key=shares.__getitem__, default="")
    measured = shares.get(least) if any(practised) else None
    yield _judge(
        "collapse of question types", "least share of a type in practice, over its share in evaluation", measured, 0.25,
        f"{practised[least]} of {practised.total()} practice questions are {least}, {asked[least]} of {asked.total()} "
        "answered ones",
        "give an example of the type in examples.jsonl, or its share in `[self_instruct.types]`", below=True,
    )  # fmt: skip
    texts = [one.text for one in state.questions]
    opening, share = most_common_opening(texts)
    yield _judge(
        "collapse of question types", f"share of practice questions with the same first {OPENING} words",
        share if len(texts) >= FEWEST else None, 0.25,
        f"{100 * share:.0f} % of the practice questions begin with `{opening}`",
        "add examples that ask in other ways, or let questions be composed by type (`self_instruct.by_type`)",
    )  # fmt: skip


def contaminated_evaluation(state: RunState, _: Tally) -> Iterator[FailureSignature]:
    """Answered questions that were practised on."""
    asked = list({one.trajectory.question.id: one.trajectory.question for one in state.solved if one.scored}.values())
    pairs = find_contamination(state.questions[:MOST_QUESTIONS], asked[:MOST_QUESTIONS])
    first = f", such as `{pairs[0].asked.text}`" if pairs else ""
    yield _judge(
        "contaminated evaluation", "answered questions that equal a practice question, or nearly do",
        float(len(pairs)) if asked and state.questions else None, 1.0,
        f"{len(pairs)} of {len(asked)} answered questions were practised on, {sum(one.equal for one in pairs)} of them "
        f"in the same words{first}",
        "take them out of the evaluation, or out of the questions that are practised on",
    )  # fmt: skip


def reflect_verdicts(state: RunState, made: Tally) -> Iterator[FailureSignature]:
    """A reflect-agent that learned from right answers almost only, or that seldom says wrong."""
    kept = len(state.kept)
    share = _wrong_share(state.config)
    wrong = len(wrong_lessons(list(state.trajectories.values()), kept, share or 0.0, seed=0)) if kept else 0
    yield _judge(
        "reflect-agent never says wrong", "share of wrong answers among those it learns from",
        wrong / (kept + wrong) if kept >= FEWEST and share is not None else None, 0.15,
        f"of {kept + wrong} answers that the reflect-agent learns from, {wrong} are wrong",
        "raise `differentiation.wrong_share`; more failed tries come from `synthesis.samples`", below=True,
    )  # fmt: skip
    for score in made.scores:
        quality = score.verdicts
        if score.cast != ALONE and quality is not None and quality.wrong >= FEWEST:
            yield _judge(
                "reflect-agent seldom says wrong", f"share of the wrong answers of {score.cast} that it calls wrong",
                quality.recall, 0.1, f"{score.cast}: {describe_verdicts(quality)}", _verdict_remedy(state), below=True,
            )  # fmt: skip


def _verdict_remedy(state: RunState) -> str:
    if state.calibrated is None:
        return "hold questions back (`self_instruct.validation`), so that the threshold of *wrong* is chosen on them"
    return (
        "its doubt does not tell wrong answers well enough, so the threshold chosen on validation answers calls hardly "
        "any wrong: let it learn from more failed tries (`synthesis.samples`), or use a larger model"
    )


def _wrong_share(config: Mapping[str, Any]) -> float | None:
    """Returns `differentiation.wrong_share`; None in logs that have none, or no share."""
    section = config.get("differentiation")
    share = section.get("wrong_share") if isinstance(section, Mapping) else None
    return share if isinstance(share, float) and 0 <= share <= 1 else None


Detector = Callable[[RunState, Tally], Iterator[FailureSignature]]
DETECTORS: Sequence[Detector] = (
    irrelevant_tools, low_diversity, coordination_overhead, shallow_trajectories, tool_errors, collapsed_types,
    contaminated_evaluation, reflect_verdicts,
)  # fmt: skip
