"""Writes the LoRA adapters of PEFT folders as GGUF files, which llama.cpp loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from autoact.errors import BadInput
from autoact.model.store import folder_name

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
TENSOR = re.compile(r".*\.layers\.(\d+)\.\w+\.(\w+_proj)\.lora_([AB])\.weight")
MODULES = {
    "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
    "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down",
}  # fmt: skip
"""llama.cpp's names of the modules that an adapter can change."""
ROTATED = ("llama", "mistral")
"""Model types whose queries and keys llama.cpp stores with the rows of each head in another order."""

Matrix = NDArray[np.float32]


class GgufModel(Struct, frozen=True):
    """The facts of a model that the conversion needs, from its config.json."""

    model_type: str
    num_attention_heads: int
    num_key_value_heads: int | None = None

    @property
    def architecture(self) -> str:
        """llama.cpp's name of the model type."""
        return "llama" if self.model_type in ROTATED else self.model_type


class Settings(Struct, frozen=True):
    """The facts of an adapter that the conversion needs, from its adapter_config.json."""

    r: int
    lora_alpha: float
    base_model_name_or_path: str | None = None
    use_rslora: bool = False
    alora_invocation_tokens: list[int] | None = None


def convert_adapter(folder: Path, base: Path, target: Path) -> Settings:
    """Writes the adapter of a PEFT folder to the GGUF file `target`, and returns its settings.

    Takes the folder of its base model. Raises BadInput when it is no adapter of that model.
    """
    model = msgspec.json.decode((base / "config.json").read_bytes(), type=GgufModel)
    try:
        settings = msgspec.json.decode((folder / CONFIG).read_bytes(), type=Settings)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"no settings of a LoRA adapter: {error}", file=folder / CONFIG) from error
    _check_base(settings, base, folder)
    _write(target, model, settings, dict(_tensors(folder, model)))
    return settings


def _check_base(settings: Settings, base: Path, folder: Path) -> None:
    """Raises BadInput for an adapter of another base model, which may have the same shapes but gives nonsense."""
    name = settings.base_model_name_or_path
    if name and base.name.lower() not in (folder_name(name), Path(name).name.lower()):
        what = f"trained on `{name}`, which is not this run's model `{base.name}`; choose that model, or train anew"
        raise BadInput(what, file=folder / CONFIG, key="base_model_name_or_path")


def _tensors(folder: Path, model: GgufModel) -> Iterator[tuple[str, Matrix]]:
    """Yields the matrices by llama.cpp's names, with its order of rows. Raises BadInput for one that it has not."""
    try:
        matrices = load_file(str(folder / WEIGHTS))
    except (OSError, SafetensorError) as error:
        raise BadInput(f"no weights of an adapter: {error}", file=folder / WEIGHTS) from error
    heads = {"q_proj": model.num_attention_heads, "k_proj": model.num_key_value_heads or model.num_attention_heads}
    for name, matrix in sorted(matrices.items()):
        found = TENSOR.fullmatch(name)
        if found is None or found[2] not in MODULES:
            known = ", ".join(MODULES)
            raise BadInput(f"`{name}` cannot be run by llama.cpp, which changes {known}", file=folder / WEIGHTS)
        layer, module, side = found.groups()
        values = matrix.astype(np.float32)
        if side == "B" and module in heads and model.model_type in ROTATED:
            values = _pair_rows(values, heads[module])
        yield f"blk.{layer}.{MODULES[module]}.weight.lora_{side.lower()}", np.ascontiguousarray(values)


def _pair_rows(matrix: Matrix, heads: int) -> Matrix:
    """Returns the rows (heads x size, rank) so that the two that are rotated together are neighbours.

    transformers rotates row `i` of a head with row `i + size / 2`, llama.cpp row `2 i` with row `2 i + 1`.
    """
    rows, rank = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2).reshape(rows, rank)


def _write(target: Path, model: GgufModel, settings: Settings, tensors: dict[str, Matrix]) -> None:
    import gguf

    writer: Any = gguf.GGUFWriter(str(target), model.architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", _alpha(settings))
    if settings.alora_invocation_tokens:
        array, unsigned = gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.UINT32  # llama.cpp refuses signed ones
        writer.add_key_value("adapter.alora.invocation_tokens", settings.alora_invocation_tokens, array, unsigned)
    for name, matrix in tensors.items():
        writer.add_tensor(name, matrix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _alpha(settings: Settings) -> float:
    """Returns the alpha that llama.cpp divides by the rank; rank-stabilised adapters divide by its root instead."""
    return settings.lora_alpha * (settings.r**0.5 if settings.use_rslora else 1.0)
