"""What every test may ask for: the folder of real data, a tiny random model on disk, the embedded model."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from autoact.model.store import Weights

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = """{% for m in messages %}<{{ m.role }}>
{{ m.content }}<end>
{% endfor %}<assistant>
"""
WORDS = """Question: Who wrote the opera Fidelio? Thought: I should read the page about it. Action: Retrieve
Argument: Fidelio. Observation: Fidelio is an opera by Beethoven. Action: Lookup Action: Finish Reflect right wrong"""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data: AUTOACT_SHARED, else `shared` beside the repository. Skips when it is absent."""
    folder = Path(os.environ.get("AUTOACT_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip("no shared data: set AUTOACT_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random two-layer Llama and a byte-level tokenizer with a chat template; the same every time."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=letters, special_tokens=["<end>"], show_progress=False
    )
    plain.train_from_iterator([WORDS], trainer)
    PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>", chat_template=TEMPLATE).save_pretrained(folder)
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=plain.get_vocab_size(), hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096, initializer_range=0.2,
        eos_token_id=0, bos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def weights(tiny: Path) -> Weights:
    """The tiny model, loaded afresh."""
    from autoact.model.store import load

    return load(str(tiny), device="cpu", precision="float32")


@pytest.fixture(scope="session")
def embedded() -> Weights:
    """The embedded model in float32 on the CPU. Skips when neither the cache nor the package has it."""
    from autoact.model import store

    cached = (store.cache_folder() / store.EMBEDDED / "config.json").exists()
    if not cached and importlib.util.find_spec(store.EMBEDDED_PACKAGE) is None:
        pytest.skip("the embedded model's package is not installed")
    return store.load(store.EMBEDDED, device="cpu", precision="float32")
