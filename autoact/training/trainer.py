"""The trainer on the local engine's model: turns a Train wish into token spans, runs the loop, leaves a PEFT folder."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec

from autoact import prompts
from autoact.errors import BadInput, ModelFailed
from autoact.events import Event, ExamplesBuilt
from autoact.files import disk
from autoact.model.engine import Engine
from autoact.model.local import LocalEngine
from autoact.project.config import Differentiation
from autoact.script import Card, Lesson, Train
from autoact.training.lora import LoraTraining
from autoact.training.loss import Sample
from autoact.training.repeatable import prepare_cublas
from autoact.training.spans import encode
from autoact.trajectory import Adapter

ADAPTERS = "adapters"
"""The folder of finished adapters within the run's."""


class LocalTrainer:
    """Trains adapters on the local engine's own model: the base weights are in memory once."""

    def __init__(self, engine: LocalEngine, settings: Differentiation, *, seed: int, root: Path):
        """`root` is the run folder. Make it before the model's first forward pass: it makes a GPU repeat its sums."""
        prepare_cublas()
        self.engine, self.settings, self.seed, self.root = engine, settings, seed, root

    def train(self, wish: Train) -> Generator[Event, bool | None, Adapter]:
        """See autoact.run.conductor.world.Trainer."""
        samples = [sample for lesson in wish.lessons if (sample := self._sample(wish.card, lesson)).spans]
        if not samples:
            raise ModelFailed(f"the adapter `{wish.adapter}` has nothing to learn from")
        spans = sum(len(sample.spans) for sample in samples)
        enough = yield ExamplesBuilt(wish.adapter, len(samples), spans, sum(sample.tokens for sample in samples))
        self.engine.release()
        training = LoraTraining(self.engine.model, wish.adapter, samples, self.settings, seed=self.seed, root=self.root)
        try:
            loss = yield from training.run(enough or False)
            digest = self._export(training, wish.card, loss)
        finally:
            training.close()
            self.engine.model.eval()
        return Adapter(wish.adapter, f"{ADAPTERS}/{wish.adapter}", digest, spans, loss)

    def _sample(self, card: Card, lesson: Lesson) -> Sample:
        encoded = encode(lesson, card, self.engine.tokens)
        return Sample(encoded, tuple(encoded.of_parts(lesson.parts)))

    def _export(self, training: LoraTraining, card: Card, loss: float) -> str:
        """Puts the adapter in its place, whole or not at all; returns the digest of its weights."""
        adapters = self.root / ADAPTERS
        with disk.fill_folder(adapters / training.name, adapters / ".part", over=True) as part:
            training.export(part)
            self._write_model_card(part, training, card, loss)
            return disk.sha256(part / "adapter_model.safetensors")

    def _write_model_card(self, folder: Path, training: LoraTraining, card: Card, loss: float) -> None:
        settings = self.settings
        text = prompts.fill(
            "model_card", role=training.name, base=self.engine.weights.folder.name,
            trajectories=str(len(training.samples)),
            task=card.task, rank=str(settings.rank), alpha=str(settings.alpha), epochs=str(settings.epochs),
            rate=str(settings.learning_rate), loss=f"{loss:.4f}", targets=", ".join(settings.targets),
        )  # fmt: skip
        (folder / "README.md").write_text(text, encoding="utf-8")
        file = folder / "adapter_config.json"
        config = msgspec.json.decode(file.read_bytes())
        config["base_model_name_or_path"] = self.engine.weights.folder.name  # not a path of this machine
        file.write_bytes(msgspec.json.format(msgspec.json.encode(config)))


def open_trainer(engine: Engine, settings: Differentiation, *, seed: int, root: Path) -> LocalTrainer:
    """Opens the trainer of the local engine. Raises BadInput for another engine."""
    if not isinstance(engine, LocalEngine):
        raise BadInput(f"the local trainer needs the local engine, not {engine.name}", key="model.engine")
    return LocalTrainer(engine, settings, seed=seed, root=root)
