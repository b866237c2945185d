"""Digests of what a run reads beside its settings: pages, tools, prompts and weights. They tell unlike runs apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

import msgspec

from autoact.project.config import Config
from autoact.tools.library.library import Library
from autoact.tools.pages.corpus import Corpus

DIGITS = 24
"""Hex digits of a digest."""
SAMPLES, SAMPLE = 64, 65_536
"""Places of a file of weights that are read, and bytes read at each: whole models would take minutes."""


def read_digests(library: Library, corpus: Corpus) -> dict[str, str]:
    """Returns the digests of the pages, the tools that can run with their settings, and the texts of the prompts."""
    tools = [msgspec.structs.replace(record, state="ready", reason="") for record in library.records() if record.runs]
    prompts = sorted(file.name for file in resources.files("autoact.prompts").iterdir() if file.name.endswith(".txt"))
    texts = ((name, (resources.files("autoact.prompts") / name).read_bytes()) for name in prompts)
    return {
        "corpus": corpus.digest,
        "tools": _digest([msgspec.json.encode(tools, order="deterministic")]),
        "prompts": _digest(part for name, text in texts for part in (name.encode(), text)),
    }


def weight_digests(config: Config) -> Mapping[str, str]:
    """Returns the digest of the base model's files, under `model`; nothing if the model is on a server.

    Raises UnknownModel.
    """
    from autoact.model import store

    if config.model.engine == "local":
        folder = store.find_model(config.model.id)
        files = sorted(file for file in folder.iterdir() if file.suffix in (".safetensors", ".json", ".bin", ".model"))
    elif config.model.engine == "llamacpp":
        files = [store.find_gguf(config.model.id)]
    else:
        return {}
    return {"model": _digest(part for file in files for part in _sample(file))}


def _sample(file: Path) -> Iterable[bytes]:
    """Yields the size of a file and evenly spaced parts of it, all of a small one."""
    size = file.stat().st_size
    yield f"{file.suffix} {size}".encode()
    with file.open("rb") as stream:
        for place in range(SAMPLES):
            stream.seek(max(place * SAMPLE, place * (size - SAMPLE) // (SAMPLES - 1)))
            yield stream.read(SAMPLE)


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2s()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:DIGITS]
