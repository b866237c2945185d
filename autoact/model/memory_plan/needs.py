"""The bytes that a model needs: its weights, the caches of answering, the activations and optimiser of training."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from autoact.model.memory_plan.architecture import Architecture, Matrix

BYTES = {"float32": 4, "bfloat16": 2, "8bit": 2, "4bit": 2}
"""Bytes of a number in caches and activations, by precision of the base model: a quantised one computes in 16 bits."""
BLOCK = 64
"""Weights that share a scale of 32 bits in a base of 4 bits; one of 8 bits has a scale for each output."""
SPAN_PASS = 1_024
"""Most tokens of several trajectories in one pass of training; a longer trajectory has a pass of its own."""
ATTENDED = 384
"""Tokens to which a token of such a pass attends, on average, where each sample is computed apart."""
LOSS_SHARE = 0.25
"""Share of a trajectory's tokens that carry loss for one adapter: for these, logits are computed."""
OPTIMISED = 16
"""Bytes of a weight that is trained: itself, its gradient and Adam's two moments, in 32 bits."""


class Workload(Struct, frozen=True):
    """The way in which the model is used."""

    tokens: int
    """Tokens of the longest prompt with its answer."""
    lanes: int = 24
    """The most episodes that are answered at the same time."""
    adapters: int = 3
    rank: int = 8
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    card: bool = True
    """True on a GPU, where repeatable training stores a weight for each pair of tokens, in every head and layer."""
    windowed: bool = False
    """Whether a layer with a sliding window stores no more tokens than that: servers do so, the local engine not."""


def weight_bytes(model: Architecture, precision: str) -> int:
    """Returns the bytes of the weights. Embeddings, norms and the experts of a mixture stay in 16 bits."""
    if precision in ("float32", "bfloat16"):
        return model.parameters * BYTES[precision]
    few, rest = model.projected, model.parameters - model.projected
    if precision == "4bit":
        return few // 2 + 4 * few // BLOCK + 2 * rest
    return few + sum(4 * matrix.count * matrix.outputs for matrix in model.matrices) + 2 * rest


def token_bytes(model: Architecture, precision: str) -> int:
    """Returns the bytes of keys and values that all layers store for one token."""
    return 2 * model.layers * model.cached_heads * model.head_size * BYTES[precision]


def cache_bytes(model: Architecture, precision: str, load: Workload) -> int:
    """Returns the bytes of one lane's cache."""
    windows = model.windows if load.windowed else [0] * model.layers
    stored = sum(min(load.tokens, window or load.tokens) for window in windows)
    return stored * token_bytes(model, precision) // model.layers


def work_bytes(model: Architecture, precision: str, tokens: int) -> int:
    """Returns the bytes that a pass takes for one lane: a layer's keys and values for every head, and the logits."""
    copied = 2 * tokens * (model.heads + model.cached_heads) * model.head_size * BYTES[precision]
    return copied + model.vocabulary * (BYTES[precision] + 4)


def targeted(model: Architecture, targets: Sequence[str]) -> list[Matrix]:
    """Returns the projections that an adapter changes; `all-linear` alone means all of them."""
    return [matrix for matrix in model.matrices if matrix.name in targets or tuple(targets) == ("all-linear",)]


def adapter_parameters(model: Architecture, load: Workload) -> int:
    """Returns the parameters of one LoRA adapter; 0 when the model has none of the targets."""
    found = targeted(model, load.targets)
    return sum(matrix.count * load.rank * (matrix.inputs + matrix.outputs) for matrix in found)


def activation_bytes(model: Architecture, precision: str, load: Workload) -> int:
    """Returns the bytes that one layer stores in a training pass of `pass_tokens`, until its gradients are computed."""
    size, inner = BYTES[precision], model.heads * model.head_size
    # an adapter's input in 32 bits, with the mask of dropout: a byte on a GPU, a number elsewhere; its inner product
    adapter = sum((5 if load.card else 8) * matrix.inputs + 4 * load.rank for matrix in targeted(model, load.targets))
    hidden = (3 if model.gated else 5) * model.mlp + model.routed * model.hidden
    # queries, keys, values and the result, with the weights of attention, in 32 bits on a GPU
    attended = 4 * pass_tokens(load) if load.card else size * ATTENDED
    attention = (12 if load.card else 4 * size) * inner + model.heads * attended
    return pass_tokens(load) * (4 * model.normed + adapter + attention + size * hidden)


def pass_tokens(load: Workload) -> int:
    """Returns the most tokens of a training pass."""
    return max(SPAN_PASS, load.tokens)


class Training(Struct, frozen=True):
    """The bytes of training one adapter, beside the weights of the base model."""

    optimiser: int
    """The adapter with its gradient and the optimiser's state."""
    logits: int
    activations: int
    checkpointed: int
    """Activations when only each layer's input is stored, and the rest computed again."""


def training_bytes(model: Architecture, precision: str, load: Workload) -> Training:
    """Returns what training needs; the gradients of one layer take as much as its activations."""
    layer = activation_bytes(model, precision, load)
    inputs = model.layers * pass_tokens(load) * model.hidden * BYTES[precision]
    unpacked = (
        0 if precision in ("float32", "bfloat16") else 2 * max(one.inputs * one.outputs for one in model.matrices)
    )
    return Training(
        optimiser=OPTIMISED * adapter_parameters(model, load),
        logits=round(LOSS_SHARE * pass_tokens(load)) * model.vocabulary * (BYTES[precision] + 12),
        activations=(model.layers + 1) * layer + unpacked,
        checkpointed=inputs + 2 * layer + unpacked,
    )


def answering_bytes(model: Architecture, precision: str, load: Workload, lanes: int) -> int:
    """Returns the bytes of answering with some lanes: weights, caches, the work of a pass and the adapters."""
    lane = cache_bytes(model, precision, load) + work_bytes(model, precision, load.tokens)
    return weight_bytes(model, precision) + lanes * lane + adapter_bytes(model, load)


def adapter_bytes(model: Architecture, load: Workload) -> int:
    """Returns the bytes of all adapters, which answer in 32 bits."""
    return 4 * load.adapters * adapter_parameters(model, load)
