"""The files of a model that llama.cpp runs, and the memory that its caches take."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from autoact.errors import BadInput, UnknownModel
from autoact.model.llamacpp.server import LlamaServer
from autoact.model.store import find_gguf, find_model
from autoact.project.config import Config, Model
from autoact.threads import thread_limit

CACHE_BYTES = 2**30
"""Memory for keys and values, which llama.cpp takes at its start, for all slots together."""
STEP = 256
"""llama.cpp rounds the context of a slot to a multiple of this."""
COMPARED = 1024
"""Tokens of the file that are compared with those of the tokenizer."""


class Shape(Struct, frozen=True):
    """The figures that decide the size of a model's cache, from its config.json."""

    num_hidden_layers: int
    num_attention_heads: int
    hidden_size: int
    max_position_embeddings: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None

    @property
    def bytes_per_token(self) -> int:
        """The keys and values of one token, with two bytes a number."""
        size = self.head_dim or self.hidden_size // self.num_attention_heads
        return 2 * 2 * self.num_hidden_layers * (self.num_key_value_heads or self.num_attention_heads) * size


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a model."""

    settings: Model
    file: Path
    """The weights that answer."""
    folder: Path
    """The same weights for transformers, which train."""
    tokenizer: Any

    def context(self, slots: int) -> int:
        """Returns the most tokens of a slot. Raises BadInput when the memory is not enough for any."""
        shape = msgspec.json.decode((self.folder / "config.json").read_bytes(), type=Shape)
        most = min(CACHE_BYTES // (slots * shape.bytes_per_token), shape.max_position_embeddings)
        if most < STEP:
            raise BadInput(f"{slots} caches of {self.folder.name} need too much memory; set fewer", key="model.lanes")
        return most // STEP * STEP

    def open_server(self, slots: int, context: int, adapters: Sequence[Path] = ()) -> LlamaServer:
        """Loads the model and these adapters. Raises BadInput and UnknownModel."""
        plain, *_ = self.tokenizer("a", add_special_tokens=False)["input_ids"]
        threads = thread_limit().threads
        return LlamaServer(self.file, slots=slots, context=context, threads=threads, plain=plain, adapters=adapters)

    def check_vocabulary(self, server: LlamaServer) -> None:
        """Raises UnknownModel when tokens of the file are not those of the tokenizer."""
        for token, text in server.spellings(COMPARED).items():
            if text.strip() != (here := self.tokenizer.decode([token], skip_special_tokens=True)).strip():
                what = f"its token {token} is {text!r}, that of the tokenizer in {self.folder} is {here!r}"
                raise UnknownModel(what, file=self.file)


def find_source(settings: Model) -> Source:
    """Returns the files of a model.

    Raises BadInput without the package xllamacpp and for a device, UnknownModel for a model without a GGUF file.
    """
    from transformers import AutoTokenizer

    if importlib.util.find_spec("xllamacpp") is None:
        what = "this engine needs the package xllamacpp: `pip install 'autoact-studio[llamacpp]'`"
        raise BadInput(what, key="model.engine")
    if settings.device not in ("auto", "cpu"):
        raise BadInput("the engine `llamacpp` runs on the processor; expected auto or cpu", key="model.device")
    file, folder = find_gguf(settings.id), find_model(settings.id)
    return Source(settings, file, folder, AutoTokenizer.from_pretrained(str(folder)))


def prepare(config: Config) -> None:
    """Converts the weights for training, and the tokenizer. Raises BadInput and UnknownModel as `find_source` does."""
    find_source(config.model)
