"""Where weights come from, and what is said when they come from nowhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
import safetensors.torch
import torch

from autoact.errors import UnknownModel
from autoact.model import store


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOACT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "models"


def test_a_local_folder_is_used_where_it_lies(tiny: Path, cache: Path) -> None:
    assert store.find_model(str(tiny)) == tiny
    weights = store.load_model(str(tiny), device="cpu")
    assert weights.model.dtype == getattr(torch, store.best_precision("cpu"))
    assert not weights.model.training
    assert "tiny-llama" in weights.name
    assert store.list_stored_models() == []


def test_precision_can_be_set(tiny: Path, cache: Path) -> None:
    assert store.load_model(str(tiny), device="cpu", precision="bfloat16").model.dtype == torch.bfloat16


@pytest.mark.parametrize("name", ["/nowhere/model", "./nothing.gguf", "~/no-such-folder"])
def test_a_path_that_leads_nowhere(cache: Path, name: str) -> None:
    with pytest.raises(UnknownModel, match=r"config\.json or a \.gguf"):
        store.find_model(name)


def test_an_unknown_name_says_what_would_do(cache: Path) -> None:
    with pytest.raises(UnknownModel, match="no-such-model.*smollm2-135m-instruct"):
        store.find_model("someone/no-such-model")
    assert not list(cache.glob("*"))


def test_a_stored_model_is_found_by_name_and_hub_id(cache: Path) -> None:
    folder = cache / "smollm2-360m-instruct"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert store.find_model("smollm2-360m-instruct") == store.find_model("SmolLM2-360M-Instruct") == folder
    assert [(one.name, one.bytes) for one in store.list_stored_models()] == [("smollm2-360m-instruct", 2)]


# -- weights that do not fit -----------------------------------------------------------------------------------------

State = dict[str, torch.Tensor]
Spoil = Callable[[State, dict[str, Any]], None]
UP = "model.layers.1.mlp.up_proj.weight"


def spoilt(tiny: Path, folder: Path, spoil: Spoil) -> Path:
    """A copy of the tiny model whose weights and configuration were changed."""
    shutil.copytree(tiny, folder)
    weights, settings = folder / "model.safetensors", folder / "config.json"
    state, config = safetensors.torch.load_file(weights), json.loads(settings.read_text())
    spoil(state, config)
    safetensors.torch.save_file(state, weights, {"format": "pt"})
    settings.write_text(json.dumps(config))
    return folder


def renamed(state: State, config: dict[str, Any]) -> None:
    for name in list(state):
        state[f"wrapped.{name}"] = state.pop(name)


def lacks_rows(state: State, config: dict[str, Any]) -> None:
    config["vocab_size"] = 200
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        state[name] = state[name][:200].clone()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda state, config: state.pop(UP), rf"1 missing \({UP}\)"),
        (renamed, r"21 missing \(lm_head.weight, .*, \.\.\.\); 21 foreign \(wrapped.lm_head.weight, "),
        (lambda state, config: state.update({"q.bias": torch.zeros(2)}), r"1 foreign \(q.bias\)"),
        (lambda state, config: config.update(num_hidden_layers=1), r"9 foreign \(model.layers.1.input_layernorm"),
        (lambda state, config: config.update(num_hidden_layers=3), r"9 missing \(model.layers.2.input_layernorm"),
        (lambda state, config: config.update(vocab_size=500), r"lm_head.weight \(320, 64\) instead of \(500, 64\)"),
        (lambda state, config: config.update(model_type="nonesuch"), "nonesuch"),
        (lambda state, config: config.update(model_type="t5"), "Unrecognized configuration"),
        (lambda state, config: config.update(hidden_size="wide"), "hidden_size"),
        (lacks_rows, "the tokenizer has 320 tokens, the model only 200"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused_by_name(tiny: Path, tmp_path: Path, spoil: Spoil, why: str) -> None:
    folder = spoilt(tiny, tmp_path / "spoilt", spoil)
    with pytest.raises(UnknownModel, match=f"{folder}: .*{why}"):
        store.load_model(str(folder), device="cpu")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"hello world", b'{"a": [1'])
def test_a_broken_file_is_refused(tiny: Path, tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(tiny, folder)
    (folder / name).write_bytes(content)
    with pytest.raises(UnknownModel, match=f"{folder}: not a model that can be loaded"):
        store.load_model(str(folder), device="cpu")


# -- GGUF files ------------------------------------------------------------------------------------------------------

GGUF_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "model.layers": "blk", "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
}  # fmt: skip


def gguf_file(tiny: Path, file: Path, left_out: str = "", scale: float = 1.0) -> Path:
    """The tiny model as a GGUF file, one of its tensors left out."""
    tokenizer = json.loads((tiny / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(64)
    writer.add_block_count(2)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(sorted(vocabulary, key=vocabulary.__getitem__))
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(vocabulary["<end>"])
    for name, tensor in safetensors.torch.load_file(tiny / "model.safetensors").items():
        for ours, theirs in GGUF_NAMES.items():
            name = name.replace(ours, theirs)
        if name != left_out:
            writer.add_tensor(name, (tensor * scale).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def test_a_gguf_file_is_converted_once(tiny: Path, cache: Path, tmp_path: Path) -> None:
    folder = store.find_model(str(gguf_file(tiny, tmp_path / "Own.gguf")))
    assert folder == cache / "own"
    assert store.find_model(str(tmp_path / "Own.gguf")) == folder
    ours, theirs = (store.load_model(str(one), "cpu", "float32").model.lm_head.weight for one in (folder, tiny))
    assert torch.equal(ours, theirs)


def test_a_gguf_file_that_lacks_a_tensor_is_refused(tiny: Path, cache: Path, tmp_path: Path) -> None:
    file = gguf_file(tiny, tmp_path / "own.gguf", left_out="blk.1.ffn_up.weight")
    with pytest.raises(UnknownModel, match=rf"{file}: .*1 missing \({UP}\)"):
        store.find_model(str(file))
    assert not list(cache.glob("*"))


def test_another_gguf_file_of_the_same_name_is_another_model(tiny: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one = store.find_model(str(gguf_file(tiny, tmp_path / "own.gguf")))
    other = store.find_model(str(gguf_file(tiny, tmp_path / "other" / "own.gguf", scale=2.0)))
    assert one.name == "own"
    assert other.name.startswith("own-")
    first, second = (store.load_model(str(folder), "cpu", "float32").model.lm_head.weight for folder in (one, other))
    assert torch.equal(2 * first, second)
    assert store.find_model(str(tmp_path / "other" / "own.gguf")) == other


@pytest.mark.parametrize("content", [b"", b"GGUF", b"hello world" * 100])
def test_a_broken_gguf_file_is_refused(cache: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(content)
    with pytest.raises(UnknownModel, match=f"{file}: not a model that can be loaded"):
        store.find_model(str(file))
    assert not list(cache.glob("*"))


def test_a_tokenizer_alone_is_downloaded_once_and_is_no_model(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def snapshot_download(hub_id: str, local_dir: Path, allow_patterns: list[str]) -> None:
        asked.append(allow_patterns)
        for file in tiny.iterdir():
            if any(file.match(pattern) for pattern in allow_patterns):
                shutil.copy(file, local_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    monkeypatch.setenv("AUTOACT_MODELS", str(tmp_path))
    for _ in range(2):
        tokenizer = store.load_tokenizer("acme/large-70b")
        assert tokenizer("Who?")["input_ids"] == store.load_tokenizer(str(tiny))("Who?")["input_ids"]
        assert tokenizer.chat_template
    assert len(asked) == 1
    assert not list(tmp_path.rglob("*.safetensors"))
    assert store.list_stored_models() == []
