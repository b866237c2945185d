"""Which adapters learn best: plain and activated LoRA of some sizes, trained on what one run has kept.

Run: python tests/benchmarks/bench_adapters.py RUN_FOLDER [--seeds N] [--epochs N] [--train N] [--only WORDS], with the
embedded model. The run's kept trajectories are divided by their questions: most to learn from, the last third to
measure on. Prints the loss per token of each sub-agent's own words there, in nats (less is better), as the mean over
the seeds with an interval of 95% (Student), and the CPU seconds. Every kind takes the same steps on the same data. It
needs no serving. 19 trajectories, 3 epochs and 3 seeds take a quarter of an hour on two quiet cores.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch

from autoact.job.inputs import open_question_answering
from autoact.lessons import build_lessons
from autoact.model.store import EMBEDDED, load_model
from autoact.model.tokens import Tokens
from autoact.project.config import Config, Differentiation
from autoact.project.project import Project
from autoact.registry.roles import SUB_AGENTS
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import read
from autoact.run.record.state import RunState, fold
from autoact.script import Card, Lesson
from autoact.stages.context import StageContext
from autoact.training.alora import Trunks, invocation_text
from autoact.training.lora import LoraTraining
from autoact.training.loss import Loss, Sample, SpanLoss, can_pack
from autoact.training.spans import encode_lesson

STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}
"""The 97.5% quantile of Student's distribution by the number of seeds."""
QKV = ("q_proj", "k_proj", "v_proj")
KINDS: Mapping[str, Differentiation] = {
    "LoRA r8 q,v": Differentiation(),
    "aLoRA r8 q,v": Differentiation(adapter="alora"),
    "aLoRA r32 q,k,v": Differentiation(adapter="alora", rank=32, alpha=64, targets=QKV),
    "LoRA r16 all, rs": Differentiation(rank=16, rslora=True, targets=("all-linear",), learning_rate=5e-4),
    "aLoRA r16 all, rs": Differentiation(
        adapter="alora", rank=16, rslora=True, targets=("all-linear",), learning_rate=5e-4
    ),
}


class Data(NamedTuple):
    """What an adapter learns from and is measured on."""

    train: list[Sample]
    held_out: list[Sample]
    invocation: tuple[int, ...]


def read_run(path: Path) -> tuple[RunState, Card]:
    """The state of a run, and the card of its sub-agents."""
    folder, state = RunFolder(path.resolve()), RunState()
    for record in read(folder.events):
        fold(state, record)
    config = msgspec.convert(folder.read_config(), Config)
    inputs, _ = open_question_answering(config, Project.open(folder.path.parent.parent))
    return state, StageContext(config, inputs, state, folder.path, lambda adapters: None).group_card()


def divide(state: RunState, card: Card, tokens: Tokens, most: int) -> dict[str, Data]:
    """The data of each adapter; no question is in both halves."""
    kept = [one for name, one in state.trajectories.items() if (judged := state.verdicts.get(name)) and judged.kept]
    questions = list(dict.fromkeys(one.question.id for one in kept))
    learned = set(questions[: -(-2 * len(questions) // 3)])
    data = {}
    for adapter in SUB_AGENTS:
        lessons = build_lessons(adapter, Differentiation().cast(), kept, state.verdicts, 0.0, 7)
        train = [one for one in lessons if one.trajectory.question.id in learned][:most]
        held_out = [one for one in lessons if one.trajectory.question.id not in learned]
        text = invocation_text(part for one in lessons for part in one.parts)
        data[adapter] = Data(encode(train, card, tokens), encode(held_out, card, tokens), tokens.segment(text))
    return data


def encode(lessons: Sequence[Lesson], card: Card, tokens: Tokens) -> list[Sample]:
    """The samples of lessons that have a span."""
    whole = [(encode_lesson(one, card, tokens), one.parts) for one in lessons]
    samples = [Sample(encoded, tuple(encoded.of_parts(parts))) for encoded, parts in whole]
    return [sample for sample in samples if sample.spans]


@torch.no_grad()
def held_out_loss(model: Any, loss: Loss, samples: Sequence[Sample]) -> float:
    """Nats per loss-bearing token."""
    model.eval()
    return sum(float(one()) for one in loss.passes(model, samples)) / sum(one.tokens for one in samples)


def train(model: Any, adapter: str, data: Data, settings: Differentiation, seed: int, trunks: Trunks) -> float:
    """The held-out loss of an adapter after its training."""
    invocation = data.invocation if settings.adapter == "alora" else ()
    with tempfile.TemporaryDirectory() as root:
        training = LoraTraining(
            model, adapter, data.train, settings, seed=seed, root=Path(root), invocation=invocation, trunks=trunks
        )
        for _ in training.run():
            pass
        found = held_out_loss(training.model, training.loss, data.held_out)
        training.close()
    return found


def describe(losses: Sequence[float]) -> str:
    """The mean with its interval."""
    if len(losses) == 1:
        return f"{losses[0]:.3f}"
    half = STUDENT[len(losses)] * statistics.stdev(losses) / len(losses) ** 0.5
    return f"{statistics.mean(losses):.3f} ±{half:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=int, default=3, choices=range(1, 6))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--train", type=int, default=100, help="most trajectories to learn from")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--only", default="", help="only kinds whose name begins so")
    arguments = parser.parse_args()
    weights = load_model(EMBEDDED, "cpu", arguments.precision)
    data = divide(*read_run(arguments.run), Tokens(weights.tokenizer), arguments.train)
    for adapter, one in data.items():
        print(f"{adapter}: {len(one.train)} trajectories to learn from, {len(one.held_out)} held out")
    print(f"{'':20}" + "".join(f"{adapter:>17}" for adapter in data) + f"{'CPU s':>9}")
    base = SpanLoss(packed=can_pack(weights.model))
    before = [held_out_loss(weights.model, base, one.held_out) for one in data.values()]
    print(f"{'no adapter':20}" + "".join(f"{loss:17.3f}" for loss in before), flush=True)
    trunks = Trunks()
    for name, kind in KINDS.items():
        if not name.startswith(arguments.only):
            continue
        settings = msgspec.structs.replace(kind, epochs=arguments.epochs)
        began = time.process_time()
        rows = [
            [train(weights.model, adapter, one, settings, seed, trunks) for seed in range(arguments.seeds)]
            for adapter, one in data.items()
        ]
        cpu = time.process_time() - began
        print(f"{name:20}" + "".join(f"{describe(losses):>17}" for losses in rows) + f"{cpu:9.0f}", flush=True)


if __name__ == "__main__":
    main()
