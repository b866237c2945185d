"""A tiny model for llama.cpp: a GGUF file with the weights of the tiny model of transformers, in float32."""

from __future__ import annotations

import json
import re
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from autoact.model.llamacpp.adapters import MODULES, _pair_rows
from autoact.model.llamacpp.source import Source
from autoact.model.store import Weights
from autoact.project.config import Model

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    **MODULES,
}  # fmt: skip


def write_gguf(folder: Path, target: Path) -> Path:
    """Writes the model of `folder` in float32."""
    config = json.loads((folder / "config.json").read_text())
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    writer = gguf.GGUFWriter(str(target), "llama")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_vocab_size(config["vocab_size"])
    _add_tokenizer(writer, folder, config["eos_token_id"])
    for name, matrix in load_file(str(folder / "model.safetensors")).items():
        found = re.fullmatch(r"model\.layers\.(\d+)\.(?:\w+\.)?(\w+)\.weight", name)
        if found and found[2] in heads:
            matrix = _pair_rows(matrix, heads[found[2]])
        own = f"blk.{found[1]}.{NAMES[found[2]]}.weight" if found else NAMES[name]
        writer.add_tensor(own, np.ascontiguousarray(matrix.astype(np.float32)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _add_tokenizer(writer: gguf.GGUFWriter, folder: Path, end: int) -> None:
    found = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = found["model"]["vocab"]
    special = {one["id"] for one in found["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    merges = [one if isinstance(one, str) else " ".join(one) for one in found["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if vocabulary[one] in special else normal for one in tokens])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)


@pytest.fixture
def source(weights: Weights, tmp_path: Path) -> Source:
    """The files of the tiny model."""
    return Source(Model(), write_gguf(weights.folder, tmp_path / "tiny.gguf"), weights.folder, weights.tokenizer)
