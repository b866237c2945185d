"""`autoact doctor --model ID`: prints the memory plan of a model before anything is loaded."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoact.model.memory_plan.cards import Devices
    from autoact.model.memory_plan.plan import MemoryPlan, Option

TOKENS = 2_048
"""Tokens of the longest prompt with its answer, if none are given: about ten turns."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the plan."""
    group = parser.add_argument_group("memory plan of a model; nothing is loaded")
    group.add_argument(
        "--model", default="", metavar="ID", help="a known name, a Hugging Face id, a folder or config.json"
    )
    group.add_argument("--memory", type=float, metavar="GB", help="plan for a GPU of this size")
    group.add_argument("--cards", type=int, metavar="N", help="with --memory: plan for N such GPUs")
    group.add_argument("--tokens", type=int, metavar="N", help=f"the longest prompt with its answer ({TOKENS})")


def show_plan(arguments: argparse.Namespace) -> int:
    """Prints the plan. Exit code 1 when the model does not fit. Raises UnknownModel and BadInput."""
    from autoact.cli.output import print_json, printable
    from autoact.errors import BadInput
    from autoact.model.memory_plan.architecture import read_architecture
    from autoact.model.memory_plan.needs import Workload
    from autoact.model.memory_plan.plan import make_plan
    from autoact.model.store import find_config
    from autoact.project.config import Differentiation, Model

    if not arguments.model:
        raise BadInput("expected the model to plan for", key="--model")
    devices, settings = choose_devices(arguments), Differentiation()
    model = read_architecture(find_config(arguments.model))
    tokens = arguments.tokens or min(TOKENS, model.context or TOKENS)
    load = Workload(
        tokens, Model().lanes, len(settings.adapters), settings.rank, settings.targets, card=devices.kind == "cuda"
    )
    plan = make_plan(arguments.model, model, devices, load)
    if arguments.json:
        print_json(plan)
    else:
        for line in describe(plan):
            print(printable(line))
    return int(plan.chosen is None)


def choose_devices(arguments: argparse.Namespace) -> Devices:
    """Returns the devices of the options, else those found. Raises BadInput for sizes below one."""
    from autoact.errors import BadInput
    from autoact.model.memory_plan.cards import find_devices, simulate

    for name in ("memory", "cards", "tokens"):
        if (value := getattr(arguments, name)) is not None and not value >= 1:
            raise BadInput(f"expected 1 or more, found {value:g}", key=f"--{name}")
    if arguments.memory is None:
        if arguments.cards is not None:
            raise BadInput("expected --memory beside it, the size of each GPU", key="--cards")
        return find_devices()
    cards = arguments.cards or 1
    return simulate([round(arguments.memory * 1e9)] * cards, ["simulated GPU"] * cards)


def describe(plan: MemoryPlan) -> Iterator[str]:
    """Yields the plan as lines for people."""
    from autoact.cli.output import columns

    model, load = plan.architecture, plan.load
    yield (
        f"{plan.model}: {model.parameters:,} parameters ({model.family}, {model.layers} layers, {model.heads} heads, "
        f"{model.cached_heads} in the cache)"
    )
    yield f"memory: {', '.join(_describe_devices(plan.devices))}"
    yield f"planned for prompts of up to {load.tokens:,} tokens and {load.adapters} adapters of rank {load.rank}"
    yield ""
    yield from columns(list(_table(plan)), " " + "r" * len(plan.options))
    yield ""
    yield from (f"note: {note}" for note in plan.notes)
    if plan.chosen:
        yield from ("", "# project.toml", *plan.lines)


def _describe_devices(devices: Devices) -> Iterator[str]:
    for name in dict.fromkeys(zip(devices.names, devices.memory, strict=True)):
        number = list(zip(devices.names, devices.memory, strict=True)).count(name)
        yield f"{f'{number} x ' if number > 1 else ''}{name[0]} with {name[1] / 1e9:.1f} GB"


def _table(plan: MemoryPlan) -> Iterator[tuple[str, ...]]:
    """Yields the rows: a label, and a cell for each precision."""
    from autoact.cli.output import format_size

    def row(label: str, name: str) -> tuple[str, ...]:
        return (label, *(format_size(getattr(option, name)) for option in plan.options))

    yield ("", *(option.precision for option in plan.options))
    yield row("weights", "weights")
    yield row("keys and values of a token", "token")
    yield row("a lane: its cache, and its part of a pass", "lane")
    yield ("lanes that fit", *(str(option.lanes) for option in plan.options))
    yield row("adapters", "adapters")
    yield row("answering, in all", "answering")
    yield row("optimiser of one adapter", "optimiser")
    yield row("activations of a training pass", "activations")
    yield row("the same with gradient checkpointing", "checkpointed")
    yield row("training, in all", "training")
    yield ("fits", *(_fits(option, len(plan.devices.memory)) for option in plan.options))


def _fits(option: Option, cards: int) -> str:
    if not 0 < option.cards <= cards:
        return f"on {option.cards}" if option.cards else "no"
    return "yes" + (", checkpointed" if option.checkpointing else "")
