"""The architecture of a causal language model as its config.json describes it, with its exact number of parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from autoact.errors import UnknownModel

QKV = ("q_proj", "k_proj", "v_proj")
GATED = ("gate_proj", "up_proj", "down_proj")


class Matrix(Struct, frozen=True):
    """A linear projection that layers have: an adapter may target it, and a quantised base stores it in few bits."""

    name: str
    inputs: int
    outputs: int
    bias: bool
    count: int
    """The number of layers that have it."""

    @property
    def parameters(self) -> int:
        """The parameters of one, with its bias."""
        return self.inputs * self.outputs + self.bias * self.outputs


class Family(Struct, frozen=True):
    """The facts that the models of one `model_type` share, where they differ from Llama."""

    attention: tuple[str, ...] = (*QKV, "o_proj")
    """Names of the projections: query, key, value, output; or query, key and value in one, and output."""
    mlp: tuple[str, ...] = GATED
    """Names of the projections: gate, up, down; or both in one, and down."""
    gated: bool = True
    biased: tuple[str, ...] = ()
    """Projections that have a bias whatever config.json says."""
    norms: int = 2
    """Norms of a layer, as wide as the model."""
    norm_bias: bool = False
    head_norms: str = ""
    """Norms of queries and keys: `head` as wide as a head, `all` as wide as all heads, or none."""
    head_bias: bool = False
    """Whether the output over the vocabulary has a bias."""
    pattern: int = 0
    """Every layer has a sliding window but each `pattern`th, where config.json does not say which."""
    defaults: Mapping[str, Any] = {}
    """Values that config.json may leave out."""


_GEMMA = {"head_dim": 256, "tie_word_embeddings": True}
_SWITCHED = {"use_sliding_window": False}
FAMILIES = {
    "llama": Family(),
    "smollm3": Family(defaults={"tie_word_embeddings": True, **_SWITCHED}),
    "mistral": Family(defaults={"num_key_value_heads": 8, "sliding_window": 4096}),
    "mixtral": Family(defaults={"num_key_value_heads": 8, "num_local_experts": 8, "num_experts_per_tok": 2}),
    "qwen2": Family(biased=QKV, defaults=_SWITCHED),
    "qwen3": Family(head_norms="head", defaults={"head_dim": 128, **_SWITCHED}),
    "qwen2_moe": Family(
        biased=QKV,
        defaults={
            "num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408,
            "shared_expert_intermediate_size": 5632, **_SWITCHED,
        },
    ),
    "qwen3_moe": Family(
        head_norms="head",
        defaults={"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768, **_SWITCHED},
    ),
    "gemma": Family(defaults=_GEMMA),
    "gemma2": Family(norms=4, pattern=2, defaults={"sliding_window": 4096, **_GEMMA}),
    "gemma3_text": Family(
        norms=4, head_norms="head", pattern=6,
        defaults={
            "vocab_size": 262_208, "num_attention_heads": 8, "num_key_value_heads": 4, "sliding_window": 4096, **_GEMMA,
        },
    ),
    "olmo2": Family(head_norms="all"),
    "olmo3": Family(head_norms="all", pattern=4, defaults={"sliding_window": 4096}),
    "phi": Family(
        attention=(*QKV, "dense"), mlp=("fc1", "fc2"), gated=False, biased=(*QKV, "dense", "fc1", "fc2"), norms=1,
        norm_bias=True, head_bias=True,
    ),
    "phi3": Family(attention=("qkv_proj", "o_proj"), mlp=("gate_up_proj", "down_proj")),
    "gpt2": Family(
        attention=("c_attn", "c_proj"), mlp=("c_fc", "c_proj"), gated=False, biased=("c_attn", "c_proj", "c_fc"),
        norm_bias=True, defaults={"tie_word_embeddings": True},
    ),
}  # fmt: skip
"""The families whose parameters are counted here; a model of another family is built without weights and counted."""
NAMES = {
    "n_embd": "hidden_size", "n_layer": "num_hidden_layers", "n_head": "num_attention_heads",
    "n_inner": "intermediate_size", "n_positions": "max_position_embeddings",
}  # fmt: skip
"""GPT-2's names of sizes, and the names that others have for them."""


class Architecture(Struct, frozen=True):
    """The sizes of a model that decide how much memory it takes."""

    family: str
    """The `model_type` of config.json."""
    layers: int
    hidden: int
    heads: int
    cached_heads: int
    """Heads of keys and values in the cache."""
    head_size: int
    mlp: int
    """Width of the hidden layer that a token passes: the experts' that it is sent to, together, in a mixture."""
    gated: bool
    """True when the hidden layer is a product of two projections."""
    routed: int
    """Experts that a token is sent to; 0 without a mixture."""
    normed: int
    """Numbers of a token that the norms of one layer take."""
    vocabulary: int
    context: int
    """The most tokens of a prompt with its answer; 0 when config.json sets no limit."""
    windows: tuple[int, ...]
    """For each layer, the latest tokens whose keys and values it needs; 0 for all."""
    matrices: tuple[Matrix, ...]
    parameters: int

    @property
    def projected(self) -> int:
        """The parameters in the layers' projections, without biases and experts."""
        return sum(matrix.count * matrix.inputs * matrix.outputs for matrix in self.matrices)


def read_architecture(file: Path) -> Architecture:
    """Reads a config.json. Raises UnknownModel when it is no causal language model's."""
    try:
        values = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnknownModel(f"cannot be read as a model's configuration: {error}", file=file) from error
    text = values.get("text_config", values)
    try:
        if values["model_type"] in FAMILIES:
            return count(values)
        if text is not values and "vision_config" not in values and text.get("model_type") in FAMILIES:
            return count(text)
        return build_empty(values)
    except KeyError as error:
        raise UnknownModel(f"the key {error} is missing", file=file) from error
    except (TypeError, ValueError, AttributeError, ImportError) as error:
        raise UnknownModel(f"not a causal language model's configuration: {error}", file=file) from error


def count(values: Mapping[str, Any]) -> Architecture:
    """Counts the parameters of a model of FAMILIES. Raises KeyError for a missing key."""
    family = FAMILIES[values["model_type"]]
    sizes = read_sizes({**family.defaults, **values}, family)
    found = {NAMES.get(key, key): value for key, value in {**family.defaults, **values}.items()}
    vocabulary, hidden = sizes.vocabulary, sizes.hidden
    tables = vocabulary * hidden * (1 if found.get("tie_word_embeddings", False) else 2)
    tables += vocabulary * family.head_bias + (sizes.context * hidden if sizes.family == "gpt2" else 0)
    matrices = tuple(_matrices(found, family, sizes))
    parts = (matrix.count * matrix.parameters for matrix in matrices)
    total = tables + sum(parts) + _norms(family, sizes) + _mixtures(found, sizes)
    normed = family.norms * hidden + bool(family.head_norms) * (sizes.heads + sizes.cached_heads) * sizes.head_size
    return msgspec.structs.replace(sizes, matrices=matrices, parameters=total, normed=normed)


def read_sizes(values: Mapping[str, Any], family: Family) -> Architecture:
    """Returns the sizes that config.json gives, without matrices and parameters. Raises KeyError."""
    found = {NAMES.get(key, key): value for key, value in values.items()}
    hidden, heads, layers = found["hidden_size"], found["num_attention_heads"], found["num_hidden_layers"]
    return Architecture(
        family=found["model_type"], layers=layers, hidden=hidden, heads=heads,
        cached_heads=found.get("num_key_value_heads") or heads,
        head_size=found.get("head_dim") or hidden // heads, mlp=_active_width(found),
        gated=family.gated, routed=found.get("num_experts_per_tok", 0) if _experts(found) else 0, normed=0,
        vocabulary=found["vocab_size"], context=found.get("max_position_embeddings") or 0,
        windows=tuple(_windows(found, family, layers)), matrices=(), parameters=0,
    )  # fmt: skip


def _windows(found: Mapping[str, Any], family: Family, layers: int) -> Iterator[int]:
    """Yields each layer's sliding window, 0 for none."""
    window, kinds = found.get("sliding_window") or 0, found.get("layer_types")
    pattern = found.get("sliding_window_pattern") or family.pattern
    for layer in range(layers):
        if kinds:
            yield window * (kinds[layer] == "sliding_attention")
        elif "use_sliding_window" in found:
            yield window * bool(found["use_sliding_window"] and layer >= found.get("max_window_layers", 0))
        else:
            yield window * (not pattern or (layer + 1) % pattern != 0)


def _experts(found: Mapping[str, Any]) -> int:
    return int(found.get("num_local_experts") or found.get("num_experts") or 0)


def _expert_width(found: Mapping[str, Any]) -> int:
    return int(found.get("moe_intermediate_size") or found["intermediate_size"])


def _width(found: Mapping[str, Any]) -> int:
    return int(found.get("intermediate_size") or 4 * found["hidden_size"])


def _shared_width(found: Mapping[str, Any]) -> int:
    """Returns the width of the expert that all tokens pass, which only Qwen2 has."""
    return int(found.get("shared_expert_intermediate_size") or 0)


def _active_width(found: Mapping[str, Any]) -> int:
    if not _experts(found):
        return _width(found)
    return int(found["num_experts_per_tok"]) * _expert_width(found) + _shared_width(found)


def _mixture_layers(found: Mapping[str, Any]) -> int:
    """Returns the number of layers with experts."""
    if not _experts(found):
        return 0
    every, dense = found.get("decoder_sparse_step") or 1, found.get("mlp_only_layers") or ()
    return sum(layer not in dense and (layer + 1) % every == 0 for layer in range(found["num_hidden_layers"]))


def _matrices(found: Mapping[str, Any], family: Family, sizes: Architecture) -> Iterator[Matrix]:
    """Yields the projections of the layers, experts' not counted."""
    hidden, inner = sizes.hidden, sizes.heads * sizes.head_size
    cached = sizes.cached_heads * sizes.head_size
    outputs = [inner, cached, cached] if len(family.attention) == 4 else [inner + 2 * cached]
    everywhere = bool(found.get("attention_bias"))
    switch = found.get("qkv_bias", True)  # only Qwen2's mixtures can switch theirs off
    for name, (inputs, output) in zip(
        family.attention, [*((hidden, one) for one in outputs), (inner, hidden)], strict=True
    ):
        yield Matrix(name, inputs, output, everywhere or (name in family.biased and switch), sizes.layers)
    mixtures = _mixture_layers(found)
    for width, layers in ((_width(found), sizes.layers - mixtures), (_shared_width(found), mixtures)):
        *into, back = family.mlp
        factor = 2 if family.gated and len(into) == 1 else 1
        for name, inputs, output in [*((one, hidden, factor * width) for one in into), (back, width, hidden)]:
            if width and layers:
                yield Matrix(name, inputs, output, name in family.biased or bool(found.get("mlp_bias")), layers)


def _mixtures(found: Mapping[str, Any], sizes: Architecture) -> int:
    """Returns the parameters of experts and routers, and of the gate of a shared expert."""
    each = _experts(found) * (3 * sizes.hidden * _expert_width(found) + sizes.hidden) if _experts(found) else 0
    return _mixture_layers(found) * (each + sizes.hidden * bool(_shared_width(found)))


def _norms(family: Family, sizes: Architecture) -> int:
    wide = (family.norms * sizes.layers + 1) * sizes.hidden * (2 if family.norm_bias else 1)
    heads = {"head": 2, "all": sizes.heads + sizes.cached_heads, "": 0}[family.head_norms]
    return wide + sizes.layers * heads * sizes.head_size


def build_empty(values: Mapping[str, Any]) -> Architecture:
    """Returns the architecture of any model that transformers knows, built without weights; imports torch.

    Raises ValueError and its like for what is no causal language model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.pytorch_utils import Conv1D

    config: Any = AutoConfig.for_model(**values)
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config)
    kinds: Counter[tuple[str, int, int, bool]] = Counter()
    head = model.get_output_embeddings()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head:
            outputs, inputs = module.weight.shape if isinstance(module, torch.nn.Linear) else module.weight.shape[::-1]
            kinds[name.rpartition(".")[2], inputs, outputs, module.bias is not None] += 1
    text = config.get_text_config(decoder=True)
    sizes = read_sizes(text.to_dict(), Family())
    return msgspec.structs.replace(
        sizes, matrices=tuple(Matrix(*kind, number) for kind, number in kinds.items()), normed=4 * sizes.hidden,
        parameters=sum(weight.numel() for weight in model.parameters()),
    )  # fmt: skip
