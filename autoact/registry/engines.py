"""The table of engines, which answer asks, each with the trainer of its adapters."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry


class EngineKind(Struct, frozen=True):
    """One kind of engine."""

    name: str
    """The value of `model.engine` in settings."""
    title: str
    engine: str
    """`package.module:function` that opens it: (Config) -> Engine. Raises UnknownModel and BadInput."""
    trainer: str
    """`package.module:function` that opens its trainer: (Engine, Differentiation, seed=, root=) -> Trainer."""
    prepare: str = ""
    """`package.module:function` that a command calls before it starts a run: (Config), to download models.
    Raises UnknownModel and BadInput."""


ENGINES = Registry(
    "engine",
    EngineKind(
        "local", "transformers and PEFT in the job's process", "autoact.model.local:open_engine",
        "autoact.training.trainer:open_trainer", "autoact.model.store:prepare",
    ),
    EngineKind(
        "server", "model servers over HTTP: vLLM, SGLang, llama.cpp", "autoact.model.server.opening:open_engine",
        "autoact.training.lazy:open_trainer", "autoact.model.server.opening:prepare",
    ),
    EngineKind(
        "llamacpp", "GGUF models by llama.cpp in the job's process", "autoact.model.llamacpp.engine:open_engine",
        "autoact.training.lazy:open_trainer", "autoact.model.llamacpp.source:prepare",
    ),
)  # fmt: skip
