"""What fits on which GPU, and the settings that are chosen for it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from autoact.model.memory_plan import cards
from autoact.model.memory_plan.architecture import count
from autoact.model.memory_plan.cards import find_devices, simulate
from autoact.model.memory_plan.needs import Workload
from autoact.model.memory_plan.plan import FEWEST_LANES, MemoryPlan, make_plan
from autoact.project.config import Config, Differentiation

LLAMA_7B, LLAMA_13B = "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-13b-hf"
LLAMA_70B, MIXTRAL = "meta-llama/Llama-3.1-70B-Instruct", "mistralai/Mixtral-8x7B-Instruct-v0.1"
SEVEN_BILLION = (LLAMA_7B, "mistralai/Mistral-7B-Instruct-v0.3", "Qwen/Qwen2.5-7B-Instruct")


@pytest.fixture
def plan(configurations: dict[str, Any]) -> Any:
    def make(name: str, gigabytes: float, number: int = 1, tokens: int = 2048) -> MemoryPlan:
        devices = simulate([round(gigabytes * 1e9)] * number, ["GPU"] * number)
        return make_plan(name, count(configurations[name]), devices, Workload(tokens))

    return make


@pytest.mark.parametrize("name", SEVEN_BILLION)
def test_7b_fits_24_gb(plan: Any, name: str) -> None:
    """It answers in 16 bits, and is trained so with gradient checkpointing; in 4 bits there is room for more lanes."""
    made = plan(name, 24)
    full, _, four = made.options
    assert made.chosen is full
    assert full.precision == "bfloat16"
    assert full.checkpointing
    assert FEWEST_LANES <= full.lanes <= four.lanes
    assert max(full.answering, full.training, four.answering, four.training) < 24e9
    assert four.training < 12e9


def test_13b_fits_80_gb_and_24_gb_only_quantised(plan: Any) -> None:
    large, small = plan(LLAMA_13B, 80), plan(LLAMA_13B, 24)
    assert (large.chosen.precision, large.chosen.checkpointing) == ("bfloat16", False)
    assert large.chosen.lanes >= 16
    assert max(large.chosen.answering, large.chosen.training) < 80e9
    assert small.chosen.precision in ("8bit", "4bit")
    assert max(small.chosen.answering, small.chosen.training) < 24e9


def test_70b_does_not_fit_80_gb_in_16_bits(plan: Any) -> None:
    made = plan(LLAMA_70B, 80)
    full, eight, four = made.options
    assert full.weights > 80e9
    assert full.lanes == 0
    assert (full.cards, eight.cards, four.cards) == (2, 2, 1)
    assert made.chosen is four


def test_weights_are_divided_where_there_are_more_gpus(plan: Any) -> None:
    made = plan(LLAMA_70B, 80, number=4)
    assert (made.chosen.precision, made.chosen.cards) == ("bfloat16", 2)
    assert "its weights are divided among 2 GPUs" in made.notes


def test_each_adapter_may_have_a_gpu(plan: Any) -> None:
    assert any("one of its own" in note for note in plan(LLAMA_7B, 80, number=3).notes)
    assert not any("one of its own" in note for note in plan(LLAMA_7B, 80, number=2).notes)


def test_what_fits_nowhere_names_the_number_of_gpus(plan: Any) -> None:
    made = plan(LLAMA_70B, 24)
    assert made.chosen is None
    assert made.lines == ()
    assert (
        made.notes[0]
        == "this model does not fit here; of GPUs of this size it takes 7 in bfloat16 or 4 in 8bit or 3 in 4bit"
    )


def test_a_mixture_gains_little_from_few_bits(plan: Any) -> None:
    made = plan(MIXTRAL, 80)
    assert made.chosen is None
    assert any("not quantised" in note for note in made.notes)


def test_longer_prompts_leave_fewer_lanes(plan: Any) -> None:
    assert plan(LLAMA_7B, 24, tokens=4096).options[0].lanes < plan(LLAMA_7B, 24, tokens=1024).options[0].lanes


@pytest.mark.parametrize("name", [LLAMA_13B, "microsoft/Phi-3-mini-4k-instruct"])
def test_lines_are_settings(plan: Any, name: str) -> None:
    made = plan(name, 80)
    values = tomllib.loads("\n".join(made.lines))
    assert values["model"] == {"id": name, "precision": made.chosen.precision, "lanes": made.chosen.lanes}
    targets = values.get("differentiation", {}).get("targets", list(Differentiation().targets))
    assert {matrix.name for matrix in made.architecture.matrices} >= set(targets)
    assert set(values) <= set(Config.__struct_fields__)


def test_processor_plans_in_the_precision_that_it_computes_fast(
    configurations: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    model = count(configurations["HuggingFaceTB/SmolLM2-135M-Instruct"])
    for flags, precision in (("flags: avx512_bf16", "bfloat16"), ("flags: avx2", "float32")):
        monkeypatch.setattr(cards, "_processor_flags", lambda flags=flags: flags)
        made = make_plan("small", model, find_devices(), Workload(2048, card=False))
        assert made.devices.kind == "cpu"
        assert made.chosen is not None
        assert made.chosen.precision == precision


@pytest.fixture
def nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program of a machine with two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, GPU-aa, NVIDIA A, 24564'\necho '1, GPU-bb, NVIDIA B, 81559'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    return program


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, ("NVIDIA A", "NVIDIA B")),
        ("1", ("NVIDIA B",)),
        ("GPU-aa", ("NVIDIA A",)),
        ("1, 0", ("NVIDIA A", "NVIDIA B")),
    ],
)
def test_gpus_that_are_found(
    nvidia: Path, visible: str | None, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    devices = find_devices()
    assert (devices.kind, devices.names) == ("cuda", names)
    sizes = {"NVIDIA A": 24564 << 20, "NVIDIA B": 81559 << 20}
    assert devices.memory == tuple(sizes[name] for name in names)


@pytest.mark.parametrize("text", ["exit 9", "echo 'No devices were found'; exit 6"])
def test_a_driver_without_a_gpu_leaves_the_processor(nvidia: Path, text: str) -> None:
    nvidia.write_text(f"#!/bin/sh\n{text}\n")
    assert find_devices().kind == "cpu"


def test_hidden_gpus_leave_the_processor(nvidia: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert find_devices().kind == "cpu"
