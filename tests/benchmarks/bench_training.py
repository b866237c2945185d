"""What training three adapters costs: ours beside the published recipe and TRL's SFTTrainer at its best setting.

Run: make bench-training, or python tests/benchmarks/bench_training.py [--trajectories N] [--turns N] [--precision P]
[--only ROW], with the embedded model and real trajectories in the folder AUTOACT_SHARED, else ../shared; without them
it says so and ends. TRL is no dependency: `.venv/bin/python -m pip install --constraint constraints.txt trl` adds it,
and without it its row is left out. Every row trains the same tokens by one thread, in a process of its own: read the
CPU seconds and their ratios, not the wall time. The learning rate is zero, so that all rows have the same loss.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from recorded_trajectories import CARD, lesson, read_trajectories  # noqa: E402

from autoact.project.config import Differentiation  # noqa: E402
from autoact.registry.roles import SUB_AGENTS  # noqa: E402

SHARED = Path(os.environ.get("AUTOACT_SHARED") or ROOT.parent / "shared")
FILES = "data/trajectories/*_hotpotqa_200.jsonl"
EPOCHS = 5
EXACT, ALORA, FIVE, RECIPE, TRL = "ours, LoRA", "ours, aLoRA", f"ours, aLoRA, {EPOCHS} epochs", "recipe", "TRL"
TOLERANCE = 1e-5
"""Largest relative difference of losses in 32 bits."""


class Row(NamedTuple):
    """What one way of training costs."""

    cpu: float
    """Seconds of the training alone, without imports and the loading of the model."""
    loss: float
    """Nats per loss-bearing token over all adapters."""
    peak: float
    """GiB of the process at most."""
    growth: float
    """GiB of these that came with the training."""


class Loaded(NamedTuple):
    """The model and what it learns, by adapter."""

    model: Any
    samples: dict[str, list[Any]]
    invocations: dict[str, tuple[int, ...]]


def load(arguments: argparse.Namespace) -> Loaded:
    """The embedded model, and the first N trajectories of at least so many turns that are of about median length."""
    from autoact.model.store import EMBEDDED, load_model
    from autoact.model.tokens import Tokens
    from autoact.training.alora import invocation_text
    from autoact.training.loss import Sample
    from autoact.training.spans import encode_lesson

    weights = load_model(EMBEDDED, "cpu", arguments.precision)
    tokens = Tokens(weights.tokenizer)
    found: dict[int, dict[str, Sample]] = {}
    trajectories = [one for file in sorted(SHARED.glob(FILES)) for one in read_trajectories(file)]
    for number, trajectory in enumerate(trajectories):
        lessons = {adapter: lesson(trajectory, adapter) for adapter in SUB_AGENTS}
        encoded = {adapter: encode_lesson(one, CARD, tokens) for adapter, one in lessons.items()}
        if len(encoded["plan"].spans) >= arguments.turns and len(encoded["plan"].ids) <= arguments.longest:
            found[number] = {
                adapter: Sample(encoded[adapter], tuple(encoded[adapter].of_parts(one.parts)))
                for adapter, one in lessons.items()
            }
    if not found:
        sys.exit(f"no trajectory has {arguments.turns} turns and at most {arguments.longest} tokens")
    middle = statistics.median_low(len(one["plan"].encoded.ids) for one in found.values())
    chosen = sorted(found.values(), key=lambda one: abs(len(one["plan"].encoded.ids) - middle))
    samples = {adapter: [one[adapter] for one in chosen[: arguments.trajectories]] for adapter in SUB_AGENTS}
    opens = {one: tokens.segment(invocation_text(lesson(trajectories[0], one).parts)) for one in SUB_AGENTS}
    return Loaded(weights.model, samples, opens)


def settings(epochs: int) -> Differentiation:
    """Those of the paper, without dropout and with a learning rate of zero."""
    return Differentiation(dropout=0.0, learning_rate=0.0, epochs=epochs, batch=1, save_every=10**6)


def set_weights(model: Any) -> None:
    """Gives all rows the same adapter; at its start B is zero, and A would have no gradient."""
    import torch

    source = torch.Generator().manual_seed(0)
    for name, weight in sorted(model.named_parameters()):
        if "lora_" in name:
            weight.data.copy_(0.02 * torch.randn(weight.shape, generator=source))


# -- ours ------------------------------------------------------------------------------------------------------------


def train_ours(loaded: Loaded, *, epochs: int, activated: bool) -> float:
    """Trains the adapters one after the other, as a run does; returns the loss of the last epoch."""
    from autoact.training.alora import Trunks
    from autoact.training.lora import LoraTraining

    trunks, total = Trunks(), 0.0
    with tempfile.TemporaryDirectory() as root:
        for adapter, samples in loaded.samples.items():
            training = LoraTraining(
                loaded.model, adapter, samples, settings(epochs), seed=7, root=Path(root),
                invocation=loaded.invocations[adapter] if activated else (), trunks=trunks,
            )  # fmt: skip
            set_weights(training.model)
            for name, weight in training.weights.items():
                weight.data.copy_(training.used[name])
            running = training.run()
            while True:
                try:
                    next(running)
                except StopIteration as end:
                    total += end.value * sum(one.tokens for one in samples)
                    break
            training.close()
    return total


# -- others ----------------------------------------------------------------------------------------------------------


def separate_samples(samples: Sequence[Any]) -> Iterator[tuple[list[int], list[int]]]:
    """Ids and labels of the published recipe: a sample for each turn, which repeats all turns before it."""
    for one in samples:
        for span in one.spans:
            ids = list(one.encoded.ids[: span.end])
            yield ids, [-100] * span.start + ids[span.start :]


def train_recipe(loaded: Loaded) -> float:
    """The published recipe: batches of 2 in random order, padded at the left to the longest, checkpointing."""
    import torch
    from peft import get_peft_model

    from autoact.training.lora import make_lora_config

    total = 0.0
    for samples in loaded.samples.values():
        model: Any = get_peft_model(loaded.model, make_lora_config(loaded.model, settings(1))).train()
        set_weights(model)
        loaded.model.activation_checkpointing_enable()
        optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=0.0)
        pairs = list(separate_samples(samples))
        random.Random(0).shuffle(pairs)
        for at in range(0, len(pairs), 2):
            batch = pairs[at : at + 2]
            longest = max(len(ids) for ids, _ in batch)
            ids = torch.tensor([[0] * (longest - len(one)) + one for one, _ in batch])
            labels = torch.tensor([[-100] * (longest - len(one)) + one for _, one in batch])
            mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one, _ in batch])
            loss = model(input_ids=ids, labels=labels, attention_mask=mask, use_cache=False).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += float(loss) * int((labels != -100).sum())
        loaded.model.activation_checkpointing_disable()
        model.unload()
    return total


def train_trl(loaded: Loaded) -> float:
    """TRL's SFTTrainer at the setting that is fastest here: batches of 1, no checkpointing."""
    import torch
    from datasets import Dataset
    from peft import get_peft_model
    from trl import SFTConfig, SFTTrainer

    from autoact.training.lora import make_lora_config

    total = 0.0

    class Recording(SFTTrainer):  # type: ignore[misc]
        """Adds up the losses, which its log rounds."""

        def compute_loss(self, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            nonlocal total
            tokens = int((inputs["labels"] != -100).sum())
            found = super().compute_loss(model, inputs, *more, **named)
            total += float(found[0] if isinstance(found, tuple) else found) * tokens
            return found

    with tempfile.TemporaryDirectory() as root:
        for samples in loaded.samples.values():
            model: Any = get_peft_model(loaded.model, make_lora_config(loaded.model, settings(1)))
            set_weights(model)
            rows = [{"input_ids": ids, "labels": labels} for ids, labels in separate_samples(samples)]
            options = SFTConfig(
                output_dir=root, per_device_train_batch_size=1, gradient_checkpointing=False, num_train_epochs=1,
                learning_rate=0.0, max_length=None, packing=False, use_cpu=True, bf16=False, report_to="none",
                save_strategy="no", logging_strategy="no", disable_tqdm=True,
                dataset_kwargs={"skip_prepare_dataset": True},
            )  # fmt: skip
            trainer = Recording(model=model, args=options, train_dataset=Dataset.from_list(rows), processing_class=None)
            assert torch.get_num_threads() == 1
            trainer.train()
            model.unload()
    return total


ROWS: dict[str, Callable[[Loaded], float]] = {
    EXACT: lambda loaded: train_ours(loaded, epochs=1, activated=False),
    ALORA: lambda loaded: train_ours(loaded, epochs=1, activated=True),
    FIVE: lambda loaded: train_ours(loaded, epochs=EPOCHS, activated=True),
    RECIPE: train_recipe,
    TRL: train_trl,
}


# -- the table -------------------------------------------------------------------------------------------------------


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Runs one row in this process and prints it as JSON."""
    loaded = load(arguments)
    tokens = sum(one.tokens for samples in loaded.samples.values() for one in samples)
    sum(float(weight.detach().sum()) for weight in loaded.model.parameters())  # reads them all from the disk
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    before, began = pages * resource.getpagesize(), time.process_time()
    total = ROWS[name](loaded)
    cpu = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(json.dumps([cpu, total / tokens, peak / 2**30, (peak - before) / 2**30]))


def run_row(name: str, options: Sequence[str]) -> Row:
    """Runs one row in a process of its own, by one thread."""
    command = [sys.executable, __file__, *options, "--row", name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Row(*json.loads(done.stdout.splitlines()[-1]))


def show(rows: dict[str, Row], precision: str) -> None:
    """Prints the table, with ratios to TRL and to the recipe where these have run."""
    print(f"{'':24}{'CPU s':>8}{'TRL / it':>10}{'recipe / it':>13}{'peak GiB':>10}{'of training':>13}{'loss':>14}")
    for name, row in rows.items():
        epochs = EPOCHS if name == FIVE else 1
        ratios = [f"{epochs * rows[other].cpu / row.cpu:.1f}" if other in rows else "-" for other in (TRL, RECIPE)]
        print(
            f"{name:24}{row.cpu:8.1f}{ratios[0]:>10}{ratios[1]:>13}{row.peak:10.2f}{row.growth:13.2f}{row.loss:14.7f}"
        )
    print(f"The other rows' seconds count {EPOCHS} times where they are compared with {EPOCHS} epochs.")
    equal = [row.loss for name, row in rows.items() if name in (EXACT, RECIPE, TRL)]
    apart = max(equal) / min(equal) - 1 if equal else 0.0
    print(f"losses of LoRA differ by {apart:.1e} (relative)")
    if precision == "float32" and apart > TOLERANCE:
        sys.exit("the losses differ: these rows do not train the same")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=1)
    parser.add_argument("--turns", type=int, default=15, help="fewest turns that a trajectory must have")
    parser.add_argument("--longest", type=int, default=2_000, help="most tokens of a trajectory")
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--only", default="", help="only rows whose name has one of these words, as in TRL,recipe")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not list(SHARED.glob(FILES)):
        print(f"skipped: no {FILES} in {SHARED}; set AUTOACT_SHARED to the folder of real data")
        return
    if arguments.row:
        measure(arguments.row, arguments)
        return
    rows = {}
    for name in ROWS:
        if name == TRL and not importlib.util.find_spec("trl"):
            print("TRL is left out: .venv/bin/python -m pip install --constraint constraints.txt trl")
        elif any(word in name for word in arguments.only.split(",")):
            rows[name] = run_row(name, sys.argv[1:])
    show(rows, arguments.precision)


if __name__ == "__main__":
    main()
