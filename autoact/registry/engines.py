"""The table of engines: each answers asks, and has a trainer of adapters for it."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.table import Table


class EngineKind(Struct, frozen=True):
    """One kind of engine."""

    name: str
    """As `model.engine` in settings."""
    title: str
    engine: str
    """`package.module:function` that opens it: (Model settings) -> Engine. Raises UnknownModel and BadInput."""
    trainer: str
    """`package.module:function` that opens its trainer: (Engine, TrainerSettings) -> Trainer."""


ENGINES = Table(
    "engine",
    EngineKind(
        "local", "transformers and PEFT in the job's process", "autoact.model.local:open_engine",
        "autoact.training.trainer:open_trainer",
    ),
)  # fmt: skip
