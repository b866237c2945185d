"""Stage 3: tries every question in episodes in which the meta-agent plays all parts (paper, section 3.3).

A question that was made of facts also gets a trajectory that is written from them. One that no try answers well may be
tried again with the names of the pages that answer it (rationalisation, after STaR, arXiv 2203.14465); what is learned
from such a trajectory does not have them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from autoact.episode import Limits
from autoact.events import TrajectoryCommitted
from autoact.methods.episode import answer_question
from autoact.methods.settings import MethodSettings
from autoact.project.config import Filtering, Synthesis
from autoact.script import Card, Commits, Round, Sampling, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.stages.filtering import find_refusal, find_refusals, round_prefixes
from autoact.stages.from_facts import make_mistakes, repair, write_from_facts
from autoact.stages.validation import held_back
from autoact.trajectory import FROM_FACTS, HINTED, IMPORTED, META, MISTAKEN, REPAIRED, Cast, Question, Trajectory


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over the questions of the seeds and the accepted ones, and the number of its trajectories.

    Further ones and those with hints are not counted.
    """
    validation = held_back(context.state.questions, context.config.self_instruct.validation)
    practice = [question for question in context.state.questions if question not in validation]
    questions = [*(example.question for example in context.inputs.examples), *practice]
    settings = context.config.synthesis
    if number := context.config.run.round:
        return try_again(questions, context, number), len(questions) * settings.samples
    script = synthesis(questions, context.meta_card(), settings, context.config.filtering, context.config.model.seed)
    return script, len(questions) * settings.samples + len(_made_of_facts(questions, settings))


def try_again(questions: Sequence[Question], context: StageContext, number: int) -> StageScript:
    """Has the group of the round before try all questions, and continues its failed tries from facts."""
    settings, config = context.config.synthesis, context.config
    sampling = Sampling(settings.temperature, settings.top_p)
    answering = config.group_planning
    limits = Limits(
        steps=answering.steps, reflections=settings.reflections, offered=answering.offered,
        yes_no=answering.yes_no,
    )  # fmt: skip
    method = MethodSettings(context.group_card(), context.adapt_earlier(), sampling, limits)
    tried, repaired = round_prefixes(number)
    tries = ((f"{tried}{one.id}-{sample}", one) for sample in range(settings.samples) for one in questions)
    units = [Unit(name, partial(answer_question, name, question, method), question) for name, question in tries]
    done: list[Trajectory | None] = yield Round(units, commits=commit_trajectory)
    written = [one for one in context.state.trajectories.values() if one.made == FROM_FACTS]
    yield from _repair([*written, *done], config.filtering, settings.repaired, repaired)


def find(name: str, context: StageContext) -> tuple[Unit, Commits] | None:
    """Returns an ended episode of this stage, so that it can be forked; None when there is none."""
    trajectory = context.state.trajectories.get(name)
    if trajectory is None or trajectory.made in (REPAIRED, MISTAKEN, IMPORTED) or trajectory.cast != META:
        return None  # it was not played, or by adapters that are not loaded
    if trajectory.made == FROM_FACTS:
        return make_written(trajectory.question, context.meta_card()), commit_trajectory
    settings, hinted = context.config.synthesis, trajectory.made == HINTED
    return make_attempt(name, trajectory.question, context.meta_card(), settings, hinted=hinted), commit_trajectory


def synthesis(
    questions: Sequence[Question], card: Card, settings: Synthesis, rules: Filtering, seed: int = 0
) -> StageScript:
    """Plays all trajectories; then `further` ones where the `rules` keep too few, `hinted` ones where they keep none.

    All episodes of a round may run at once.
    """
    written = [make_written(question, card) for question in _made_of_facts(questions, settings)]
    tries = ((f"t-{question.id}-{sample}", question) for sample in range(settings.samples) for question in questions)
    plain = [make_attempt(name, question, card, settings) for name, question in tries]
    done: list[Trajectory | None] = yield Round([*written, *plain], commits=commit_trajectory)
    for number in range(settings.samples, settings.samples + settings.further):
        wanted = find_wanted(questions, done, rules)
        more = [make_attempt(f"t-{question.id}-{number}", question, card, settings) for question in wanted]
        done += (yield Round(more, commits=commit_trajectory)) if more else []
    yield from _repair(done, rules, settings.repaired, "r-")
    for one in done:
        if one is not None and one.made == FROM_FACTS and one.answer:
            for mistaken in make_mistakes(one, seed):
                yield TrajectoryCommitted(mistaken)
    solved = {one.question.id for one in done if one is not None and not find_refusal(one, rules)}
    hard = [question for question in questions if question.gold and question.id not in solved]
    hints = ((f"h-{question.id}-{sample}", question) for sample in range(settings.hinted) for question in hard)
    hinted = [make_attempt(name, question, card, settings, hinted=True) for name, question in hints]
    if hinted:
        yield Round(hinted, commits=commit_trajectory)


def find_wanted(questions: Sequence[Question], done: Sequence[Trajectory | None], rules: Filtering) -> list[Question]:
    """Returns the questions of which fewer trajectories are kept than the filter takes."""
    ended = [one for one in done if one is not None]
    refusals = find_refusals(ended, rules)
    kept = Counter(one.question.id for one in ended if not refusals[one.unit])
    return [question for question in questions if kept[question.id] < rules.per_question]


def _repair(done: Sequence[Trajectory | None], rules: Filtering, share: float, prefix: str) -> StageScript:
    """Logs failed tries that continue as their question's trajectory from facts; at most this share of those."""
    ended = [one for one in done if one is not None]
    written = {one.question.id: one for one in ended if one.made == FROM_FACTS and not find_refusal(one, rules)}
    most, repaired = round(share * len(written)), set[str]()
    for one in ended:
        to_follow = written.get(one.question.id)
        if len(repaired) < most and one.made == "" and to_follow is not None and one.question.id not in repaired:
            trajectory = repair(one, to_follow, prefix)
            if trajectory is not None:
                repaired.add(one.question.id)
                yield TrajectoryCommitted(trajectory)


def _made_of_facts(questions: Sequence[Question], settings: Synthesis) -> list[Question]:
    return [question for question in questions if question.evidence] if settings.from_facts else []


def make_written(question: Question, card: Card) -> Unit:
    """Returns the unit of a trajectory that is written from the question's facts."""
    name = f"f-{question.id}"
    return Unit(name, partial(write_from_facts, name, question, card), question)


def make_attempt(name: str, question: Question, card: Card, settings: Synthesis, *, hinted: bool = False) -> Unit:
    """Returns the unit of one try; a hinted one may take a step for each page and two more."""
    hint = question.gold if hinted else ()
    limits = Limits(steps=max(settings.steps, len(hint) + 2 if hint else 0), reflections=settings.reflections)
    method = MethodSettings(card, Cast(META), Sampling(settings.temperature, settings.top_p), limits, hint)
    return Unit(name, lambda: answer_question(name, question, method), question)


def commit_trajectory(trajectory: Trajectory, seconds: float, tokens: int) -> TrajectoryCommitted:
    """Returns the event of an episode that has ended."""
    return TrajectoryCommitted(trajectory)
