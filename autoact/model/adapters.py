"""LoRA adapters: reads PEFT folders, and applies to each token of a pass the adapter that it belongs to."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from autoact.errors import BadInput
from autoact.model.cache import Branch
from autoact.model.store import Weights, describe_wrong_weights, folder_name

LONGEST = 400
"""Most characters of a reason: peft lists every weight that has another shape."""
NONE = -1
"""The number of no adapter."""


class LayerAdapters:
    """The weights of all adapters of one linear layer, one after the other."""

    def __init__(self, owners: tuple[int, ...], down: Tensor, up: Tensor):
        """Takes the adapter's number for each rank, `down` (ranks, inputs) and `up` (outputs, ranks), scaled."""
        self.owners, self.down, self.up = owners, down, up

    def add_to(self, output: Tensor, inputs: Tensor, mine: Tensor) -> Tensor:
        """Adds each token's own adapter; `mine` (tokens, ranks) is 1 for the ranks of a token's adapter, else 0."""
        low = functional.linear(inputs.to(self.down.dtype), self.down) * mine
        return (output + functional.linear(low, self.up)).to(output.dtype)


class Adapters:
    """The adapters of a model, in use together. A hook of each layer adds them to its output."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.invocations: dict[str, tuple[int, ...]] = {}
        """Tokens from whose last occurrence on an activated adapter (aLoRA) is in use; other adapters always are."""
        self.hooks: list[Any] = []
        self.chosen: Tensor | None = None
        self.masks: dict[tuple[tuple[int, ...], torch.device], Tensor] = {}

    def load(self, weights: Weights, folders: Mapping[str, Path]) -> None:
        """Reads PEFT folders in place of all adapters. Raises BadInput for one that does not fit the model."""
        self.clear()
        peft: Any = None
        try:
            for name, folder in folders.items():
                peft = _read_folder(weights, peft, name, folder)
            if peft is not None:
                names = [name for name in folders if name in peft.peft_config]
                self.numbers = {name: number for number, name in enumerate(names)}
                tokens = {name: getattr(peft.peft_config[name], "alora_invocation_tokens", None) for name in names}
                self.invocations = {name: tuple(found) for name, found in tokens.items() if found}
                layers = _stack_layers(peft, names)
        finally:
            if peft is not None:
                peft.unload()
        if peft is not None:
            for name, layer in layers.items():
                self._hook(weights.model.get_submodule(name), layer)

    def clear(self) -> None:
        """Removes all adapters."""
        for hook in self.hooks:
            hook.remove()
        self.numbers, self.invocations, self.hooks = {}, {}, []
        self.choose(None)

    def find_branch(self, adapter: str, prompt: list[int]) -> Branch | None:
        """Returns the branch of an activated adapter: from the last occurrence of its invocation; None without one."""
        wanted = list(self.invocations.get(adapter, ()))
        starts = range(len(prompt) - len(wanted), -1, -1) if wanted else ()
        at = next((start for start in starts if prompt[start : start + len(wanted)] == wanted), None)
        return None if at is None else Branch(adapter, at)

    def choose(self, numbers: Tensor | None) -> None:
        """Sets the adapter of each token (N,) of the next pass, or of all its tokens (1,); None for no adapter."""
        self.chosen = None if numbers is None or bool((numbers == NONE).all()) else numbers
        self.masks.clear()

    def _hook(self, module: Any, layer: LayerAdapters) -> None:
        def add(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            if self.chosen is None:
                return None
            return layer.add_to(output, inputs[0], self._mask(layer.owners, output.device))

        self.hooks.append(module.register_forward_hook(add))

    def _mask(self, owners: tuple[int, ...], device: torch.device) -> Tensor:
        """Returns (N, ranks): 1 where a rank belongs to the token's adapter."""
        if (owners, device) not in self.masks:
            assert self.chosen is not None
            mine = self.chosen.cpu()[:, None] == torch.tensor(owners)
            self.masks[owners, device] = mine.to(device, torch.float32)
        return self.masks[owners, device]


def _read_folder(weights: Weights, peft: Any, name: str, folder: Path) -> Any:
    """Loads a PEFT folder as the adapter `name`; returns the PEFT model, a new one around `weights` if `peft` is None.

    Raises BadInput when the folder is no adapter of this model; loading it anyway would leave random weights.
    """
    from peft import PeftConfig, PeftModel

    try:
        config = PeftConfig.from_pretrained(str(folder))
        _check_base(weights, config.base_model_name_or_path, folder)
        with warnings.catch_warnings(action="ignore"):  # peft warns of what is refused below
            peft = peft or PeftModel(weights.model, config, adapter_name=name)
            loaded = peft.load_adapter(str(folder), adapter_name=name)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        _restore(peft)
        why = " ".join(str(error).split())[:LONGEST]
        raise BadInput(f"this adapter does not fit {weights.folder.name}: {why}", file=folder) from error
    wrong = {"missing": loaded.missing_keys, "foreign": loaded.unexpected_keys}
    if any(wrong.values()):
        _restore(peft)
        raise BadInput(f"this adapter does not fit {weights.folder.name}: {describe_wrong_weights(wrong)}", file=folder)
    if unknown := _unknown_weights(peft, name):
        _restore(peft)
        raise BadInput(f"this adapter has {unknown}; only plain and activated LoRA of linear layers runs", file=folder)
    return peft


def _restore(peft: Any) -> None:
    """Removes PEFT's layers from the model after a failure."""
    if peft is not None:
        peft.unload()


def _check_base(weights: Weights, base: str | None, folder: Path) -> None:
    """Raises BadInput for an adapter of another base model, which may have the same shapes but gives nonsense."""
    here = weights.folder.name
    if base and here.lower() not in (folder_name(base), Path(base).name.lower()):
        what = f"trained on `{base}`, which is not this run's model `{here}`; choose that model, or train anew"
        raise BadInput(what, file=folder / "adapter_config.json", key="base_model_name_or_path")


def _unknown_weights(peft: Any, name: str) -> str:
    """Returns what an adapter has besides pairs of matrices of linear layers; empty when it has nothing else."""
    from peft import LoraConfig

    config = peft.peft_config[name]
    if not isinstance(config, LoraConfig):
        return f"weights of the type {config.peft_type}"
    options = {"use_dora": config.use_dora, "bias": config.bias != "none", "lora_bias": config.lora_bias}
    options |= {"modules_to_save": bool(config.modules_to_save)}
    options |= {"weights of embeddings": any(".lora_embedding_" in weight for weight, _ in peft.named_parameters())}
    options |= {"target_parameters": bool(config.target_parameters)}
    return ", ".join(option for option, used in options.items() if used)


@torch.no_grad()
def _stack_layers(peft: Any, names: list[str]) -> dict[str, LayerAdapters]:
    """Returns the weights of these adapters by the name of the layer that they belong to."""
    from peft.tuners.lora import LoraLayer

    layers: dict[str, LayerAdapters] = {}
    for path, module in peft.get_base_model().named_modules():
        if not isinstance(module, LoraLayer):
            continue
        here = [(number, name) for number, name in enumerate(names) if name in module.lora_A]
        matrices: Any = module
        down = [matrices.lora_A[name].weight.float() for _, name in here]
        up = [matrices.lora_B[name].weight.float() * matrices.scaling[name] for _, name in here]
        owners = [number for (number, _), matrix in zip(here, down, strict=True) for _ in range(len(matrix))]
        layers[path] = LayerAdapters(tuple(owners), torch.cat(down), torch.cat(up, 1))
    return layers
