"""Stage 5: trains LoRA adapters on kept trajectories, each on the parts that it plays (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from autoact.events import AdapterReady, StageProgressed
from autoact.lessons import build_lessons, draw_kept, split_for_validation
from autoact.methods.settings import MethodSettings
from autoact.project.config import Differentiation
from autoact.registry.stages import DIFFERENTIATION
from autoact.script import Card, Round, StageScript, Train, Unit
from autoact.stages.context import StageContext
from autoact.stages.group_planning import answer_limits
from autoact.stages.validation import held_back, validate
from autoact.trajectory import Adapter, Trajectory, Verdict


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage over all trajectories and verdicts so far, and the number of adapters it trains."""
    settings, state = context.config.differentiation, context.state
    trajectories = list(state.trajectories.values())
    script = differentiation(
        trajectories, state.verdicts, settings, context.group_card(), seed=context.config.model.seed
    )
    return _train_and_validate(script, context), len(settings.adapters)


def _train_and_validate(script: StageScript, context: StageContext) -> StageScript:
    """Trains the adapters; then the group answers the questions that were held back from synthesis."""
    yield from script
    questions = held_back(context.state.questions, context.config.self_instruct.validation)
    cast = context.sub_agents()
    if questions and set(cast.names()) <= context.state.adapters.keys():
        context.adapt({name: context.root / context.state.adapters[name].path for name in cast.names()})
        limits = answer_limits(context.config.group_planning, certainty=context.config.group_planning.certainty)
        yield from validate(questions, MethodSettings(context.card(cast), cast, *limits))


def differentiation(
    trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], settings: Differentiation, card: Card, *,
    seed: int,
) -> StageScript:  # fmt: skip
    """Builds the lessons of all adapters and trains them in turn; each request names those that follow.

    An adapter learns all parts that it is listed with, also those that a later one plays in the group.
    """
    group, names = settings.cast(), list(settings.adapters)
    casts = {
        name: replace(group, adapters={**group.adapters, **dict.fromkeys(parts, name)})
        for name, parts in settings.adapters.items()
    }
    verdicts = draw_kept(verdicts, settings.trajectories, seed)
    learned, held = split_for_validation(trajectories, verdicts, settings.validation, seed)
    requests = []
    for name, cast in casts.items():
        lessons = build_lessons(name, cast, learned, verdicts, settings.wrong_share, seed, settings.failures)
        validation = build_lessons(name, cast, held, verdicts, settings.wrong_share, seed)
        if lessons:
            requests.append(Train(name, lessons, card, validation=validation))
    for number, request in enumerate(requests, 1):
        request = replace(request, beside=tuple(requests[number:]))
        (trained,) = yield Round([Unit(f"train-{request.adapter}", partial(request_training, request))])
        if trained is not None:
            yield AdapterReady(trained)
        yield StageProgressed(DIFFERENTIATION, names.index(request.adapter) + 1, len(names))


def request_training(request: Train) -> Generator[Train, Adapter, Adapter]:
    """Requests one training; the script of a unit."""
    return (yield request)
