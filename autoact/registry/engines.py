"""The table of engines: each answers asks, and has a trainer of adapters for it."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry


class EngineKind(Struct, frozen=True):
    """One kind of engine."""

    name: str
    """As `model.engine` in settings."""
    title: str
    engine: str
    """`package.module:function` that opens it: (Model settings) -> Engine. Raises UnknownModel and BadInput."""
    trainer: str
    """`package.module:function` that opens its trainer: (Engine, Differentiation, seed=, root=) -> Trainer."""
    prepare: str = ""
    """`package.module:function` that a command calls before it starts a run: (Model settings), to fetch what the engine
    needs. Raises UnknownModel and BadInput."""


ENGINES = Registry(
    "engine",
    EngineKind(
        "local", "transformers and PEFT in the job's process", "autoact.model.local:open_engine",
        "autoact.training.trainer:open_trainer", "autoact.model.store:prepare",
    ),
)  # fmt: skip
