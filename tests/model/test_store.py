"""Where weights come from, and what is said when they come from nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from autoact.errors import UnknownModel
from autoact.model import store


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOACT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "models"


def test_a_local_folder_is_used_where_it_lies(tiny: Path, cache: Path) -> None:
    assert store.find(str(tiny)) == tiny
    weights = store.load(str(tiny), device="cpu")
    assert weights.model.dtype == getattr(torch, store.best_precision("cpu"))
    assert not weights.model.training
    assert "tiny-llama" in weights.name
    assert store.stored() == []


def test_precision_can_be_set(tiny: Path, cache: Path) -> None:
    assert store.load(str(tiny), device="cpu", precision="bfloat16").model.dtype == torch.bfloat16


@pytest.mark.parametrize("name", ["/nowhere/model", "./nothing.gguf", "~/no-such-folder"])
def test_a_path_that_leads_nowhere(cache: Path, name: str) -> None:
    with pytest.raises(UnknownModel, match=r"config\.json or a \.gguf"):
        store.find(name)


def test_an_unknown_name_says_what_would_do(cache: Path) -> None:
    with pytest.raises(UnknownModel, match="no-such-model.*smollm2-135m-instruct"):
        store.find("someone/no-such-model")
    assert not list(cache.glob("*"))


def test_a_stored_model_is_found_by_name_and_hub_id(cache: Path) -> None:
    folder = cache / "smollm2-360m-instruct"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert store.find("smollm2-360m-instruct") == store.find("SmolLM2-360M-Instruct") == folder
    assert [(one.name, one.bytes) for one in store.stored()] == [("smollm2-360m-instruct", 2)]
