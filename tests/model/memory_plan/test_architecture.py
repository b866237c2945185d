"""Parameters are counted exactly, and what a layer has is read as transformers builds it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from autoact.errors import UnknownModel
from autoact.model.memory_plan.architecture import FAMILIES, Architecture, build_empty, count, read_architecture

Matrices = Counter[tuple[str, int, int, bool]]


def matrices(model: Architecture) -> Matrices:
    """The projections without a mixture's routers, which transformers makes plain or of a class of their own."""
    return Counter({
        (one.name, one.inputs, one.outputs, one.bias): one.count
        for one in model.matrices if not one.name.endswith("expert_gate")
    })  # fmt: skip


def test_count_equals_the_published_one(known: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(known["config"]))
    assert read_architecture(tmp_path / "config.json").parameters == known["parameters"]


def test_count_equals_the_model_that_transformers_builds(known: dict[str, Any]) -> None:
    counted, built = count(known["config"]), build_empty(known["config"])
    assert counted.parameters == built.parameters
    assert matrices(counted) == matrices(built)
    assert counted.windows == sliding_windows(known["config"])


@pytest.mark.parametrize("family", FAMILIES)
def test_values_that_a_configuration_leaves_out(family: str) -> None:
    from transformers import AutoConfig

    sizes = ("hidden_size", "vocab_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    more = ("max_position_embeddings", "num_key_value_heads")
    usual = AutoConfig.for_model(family).to_dict()
    if family == "gpt2":
        sizes, more = ("n_embd", "vocab_size", "n_layer", "n_head", "n_positions"), ()
    said = {key: usual[key] for key in (*sizes, *more) if usual.get(key) and key not in FAMILIES[family].defaults}
    said["model_type"] = family
    assert count(said).parameters == build_empty(said).parameters
    assert count(said).windows == sliding_windows(said)


def sliding_windows(config: dict[str, Any]) -> tuple[int, ...]:
    """The window of each layer of the cache that transformers makes."""
    from transformers import AutoConfig, DynamicCache

    layers = DynamicCache(config=AutoConfig.for_model(**config)).layers
    return tuple(getattr(layer, "sliding_window", 0) or 0 for layer in layers)


def test_model_of_another_family_is_built_without_weights(tmp_path: Path) -> None:
    config = {"model_type": "stablelm", "num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 96,
              "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 320}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = read_architecture(tmp_path / "config.json")
    attention = 64 * 64 * 2 + 64 * 32 * 2
    norms = 2 * 64 * (2 * 2 + 1)
    assert found.parameters == 2 * 320 * 64 + 2 * (attention + 3 * 64 * 96) + norms
    assert found.projected == 2 * (attention + 3 * 64 * 96)


def test_text_part_of_a_model_for_texts_only(configurations: dict[str, Any], tmp_path: Path) -> None:
    text = configurations["google/gemma-3-1b-it"]
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gemma3", "text_config": text}))
    assert read_architecture(tmp_path / "config.json") == count(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "cannot be read"),
        ("[1]", "cannot be read"),
        ('{"model_type": "llama"}', "the key 'hidden_size' is missing"),
        ('{"model_type": "llama", "hidden_size": "wide"}', "is missing"),
        ('{"model_type": "nothing-like-this"}', "not a causal language model"),
        ('{"model_type": "vit"}', "not a causal language model"),
        ("{}", "is missing"),
    ],
)
def test_bad_configuration_is_named(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(UnknownModel, match=problem) as caught:
        read_architecture(file)
    assert str(file) in str(caught.value)


def test_a_known_family_needs_no_model_library(configurations: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(configurations["Qwen/Qwen3-8B"]))
    code = (
        "import sys; from autoact.cli import main\n"
        f"code = main(['doctor', '--model', {str(tmp_path)!r}, '--memory', '24'])\n"
        "print(code, *sorted({'torch', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stderr.split() == ["0"]
    assert "8,190,735,360 parameters" in asked.stdout
