"""The memory plan of a model: what it needs in each precision, what fits, and the settings to choose."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from autoact.model.memory_plan.architecture import Architecture
from autoact.model.memory_plan.cards import Devices
from autoact.model.memory_plan.needs import (
    Workload,
    adapter_bytes,
    answering_bytes,
    cache_bytes,
    targeted,
    token_bytes,
    training_bytes,
    weight_bytes,
    work_bytes,
)
from autoact.project.config import Differentiation

FEWEST_LANES = 4
"""With fewer lanes a smaller precision is chosen: the weights are read once for all lanes."""
CACHE_SHARE = 0.7
"""Share of the memory beside the weights that the local engine gives to caches."""
MOST_CARDS = 16
"""GPUs up to which the needed number is computed."""


class Option(Struct, frozen=True):
    """The memory that a model needs in one precision, in bytes."""

    precision: str
    weights: int
    token: int
    """Keys and values of one token in all layers."""
    lane: int
    """One lane's cache, with the work that a pass takes for it."""
    lanes: int
    """Lanes that fit, the wanted number at most; 0 when the weights alone do not."""
    adapters: int
    answering: int
    """With these lanes, at least FEWEST_LANES."""
    optimiser: int
    activations: int
    """Of a training pass, with the logits."""
    checkpointed: int
    """The same with gradient checkpointing."""
    training: int
    """Weights, optimiser and activations, checkpointed where `checkpointing` says so."""
    checkpointing: bool
    """Whether training fits only with gradient checkpointing, or not even so."""
    cards: int
    """The least number of such GPUs on which answering and training fit; 0 beyond MOST_CARDS."""


class MemoryPlan(Struct, frozen=True):
    """The precisions that fit, and the one to choose."""

    model: str
    architecture: Architecture
    devices: Devices
    load: Workload
    options: tuple[Option, ...]
    chosen: Option | None
    """None when nothing fits on these devices."""
    lines: tuple[str, ...]
    """The lines of project.toml that choose it."""
    notes: tuple[str, ...]


def make_plan(name: str, model: Architecture, devices: Devices, load: Workload) -> MemoryPlan:
    """Plans the use of a model on some devices: the best precision that fits, on the fewest GPUs."""
    notes = []
    if not targeted(model, load.targets):
        notes.append(f"this model has no layer named {' or '.join(load.targets)}: the adapters change others")
        load = replace(load, targets=(model.matrices[0].name,))  # where queries and values come from in one piece
    options = tuple(_weigh(model, precision, devices, load) for precision in devices.precisions)
    chosen = next((option for option in options if 0 < option.cards <= len(devices.memory)), None)
    lines = tuple(_settings(name, chosen, load)) if chosen else ()
    notes += [*_choice_notes(chosen, options, devices, load), *_model_notes(model, load)]
    return MemoryPlan(name, model, devices, load, options, chosen, lines, tuple(notes))


def _weigh(model: Architecture, precision: str, devices: Devices, load: Workload) -> Option:
    """Computes what one precision needs on the fewest GPUs that it fits on, or on those that are there."""
    counts = range(1, (MOST_CARDS if devices.kind == "cuda" else 1) + 1)
    cards = next((count for count in counts if _fits(model, precision, devices.usable(count), load)), 0)
    used = cards if 0 < cards <= len(devices.memory) else len(devices.memory)
    lanes = _count_lanes(model, precision, devices.usable(used), load)
    need = training_bytes(model, precision, load)
    fixed = weight_bytes(model, precision) + need.optimiser
    activations, checkpointed = need.logits + need.activations, need.logits + need.checkpointed
    checkpointing = fixed + activations > devices.usable(used)
    return Option(
        precision=precision, weights=weight_bytes(model, precision), token=token_bytes(model, precision),
        lane=cache_bytes(model, precision, load) + work_bytes(model, precision, load.tokens), lanes=lanes,
        adapters=adapter_bytes(model, load),
        answering=answering_bytes(model, precision, load, max(lanes, min(FEWEST_LANES, load.lanes))),
        optimiser=need.optimiser, activations=activations, checkpointed=checkpointed,
        training=fixed + (checkpointed if checkpointing else activations), checkpointing=checkpointing, cards=cards,
    )  # fmt: skip


def _count_lanes(model: Architecture, precision: str, usable: int, load: Workload) -> int:
    """Returns the lanes that fit, the wanted number at most."""
    empty = answering_bytes(model, precision, load, 0)
    lane = answering_bytes(model, precision, load, 1) - empty
    caches = round(CACHE_SHARE * (usable - empty)) // cache_bytes(model, precision, load)
    return max(0, min(load.lanes, caches, (usable - empty) // lane))


def _fits(model: Architecture, precision: str, usable: int, load: Workload) -> bool:
    """Returns whether both answering and training fit."""
    need = training_bytes(model, precision, load)
    training = weight_bytes(model, precision) + need.optimiser + need.logits + min(need.checkpointed, need.activations)
    lanes = _count_lanes(model, precision, usable, load)
    return training <= usable and lanes >= min(FEWEST_LANES, load.lanes)


def _settings(name: str, option: Option, load: Workload) -> Iterator[str]:
    """Yields the lines of project.toml."""
    yield "[model]"
    yield f"id = {json.dumps(name)}"
    yield f'precision = "{option.precision}"'
    yield f"lanes = {option.lanes}"
    if load.targets != Differentiation().targets:
        yield ""
        yield "[differentiation]"
        yield f"targets = {json.dumps(load.targets)}"


def _choice_notes(
    chosen: Option | None, options: tuple[Option, ...], devices: Devices, load: Workload
) -> Iterator[str]:
    """Yields the reasons and consequences of the choice."""
    cards = len(devices.memory)
    if chosen is None:
        needs = [f"{option.cards} in {option.precision}" for option in options if option.cards]
        more = f"; of GPUs of this size it takes {' or '.join(needs)}" if needs and devices.kind == "cuda" else ""
        yield f"this model does not fit here{more}"
        return
    if chosen.cards > 1:
        yield f"its weights are divided among {chosen.cards} GPUs"
    elif cards >= load.adapters > 1:
        yield f"{cards} GPUs: each of the {load.adapters} adapters can be trained on one of its own"
    if chosen.checkpointing:
        yield "training stores only each layer's input and computes the rest again (gradient checkpointing)"


def _model_notes(model: Architecture, load: Workload) -> Iterator[str]:
    if model.routed:
        yield "the experts of a mixture are not quantised: in 8bit and 4bit they keep 16 bits"
    if any(model.windows):
        sliding = sum(map(bool, model.windows))
        stored = "store no more" if load.windowed else "would need no more; the local engine stores all"
        yield f"{sliding} of {model.layers} layers see the latest {max(model.windows)} tokens, and {stored}"
    if model.context and load.tokens > model.context:
        yield f"its context window ends at {model.context} tokens"
