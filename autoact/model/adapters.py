"""Loads LoRA adapters onto a model, after a check that base model, targets, names and shapes fit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from autoact.errors import BadInput
from autoact.model.store import Weights, describe_wrong_weights, folder_name

LONGEST = 400
"""Most characters of a reason: peft lists every weight that has another shape."""


def load_adapter(weights: Weights, peft: Any, name: str, folder: Path) -> Any:
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
        why = " ".join(str(error).split())[:LONGEST]
        raise BadInput(f"this adapter does not fit {weights.folder.name}: {why}", file=folder) from error
    wrong = {"missing": loaded.missing_keys, "foreign": loaded.unexpected_keys}
    if any(wrong.values()):
        raise BadInput(f"this adapter does not fit {weights.folder.name}: {describe_wrong_weights(wrong)}", file=folder)
    return peft


def _check_base(weights: Weights, base: str | None, folder: Path) -> None:
    """Raises BadInput for an adapter of another base model, which may have the same shapes but gives nonsense."""
    here = weights.folder.name
    if base and here.lower() not in (folder_name(base), Path(base).name.lower()):
        what = f"trained on `{base}`, which is not this run's model `{here}`; choose that model, or train anew"
        raise BadInput(what, file=folder / "adapter_config.json", key="base_model_name_or_path")
