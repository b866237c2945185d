"""Who trains: turns a Train wish into token spans, runs the loop, and leaves a PEFT folder with a card."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec

from autoact import prompts
from autoact.errors import ModelFailed
from autoact.events import Event, ExamplesBuilt
from autoact.files import disk
from autoact.model.local import LocalEngine
from autoact.project.config import Differentiation
from autoact.script import Card, Lesson, Train
from autoact.training.lora import LoraTraining
from autoact.training.loss import Sample
from autoact.training.repeatable import prepare
from autoact.training.spans import encode
from autoact.trajectory import Adapter, Role

ADAPTERS = "adapters"
"""The folder of finished adapters within the run's."""


class Trainer:
    """Trains adapters on the engine's own model: the base weights are in memory once."""

    def __init__(self, engine: LocalEngine, card: Card, settings: Differentiation, *, seed: int, root: Path):
        """`card` is what the sub-agents will be prompted with; `root` is the run folder.

        Make it before the model's first forward pass: a GPU is told here to repeat its sums.
        """
        prepare()
        self.engine, self.card, self.settings, self.seed, self.root = engine, card, settings, seed, root

    def train(self, wish: Train) -> Generator[Event, bool | None, Adapter]:
        """Yields what it learns from and the training's steps, returns the adapter. Sent True, it ends early.

        Raises ModelFailed when nothing carries loss, DiskFull when a checkpoint or the adapter has no room.
        """
        samples = [sample for lesson in wish.lessons if (sample := self._sample(wish.role, lesson)).spans]
        if not samples:
            raise ModelFailed(f"the {wish.role}-agent has nothing to learn from")
        spans = sum(len(sample.spans) for sample in samples)
        enough = yield ExamplesBuilt(wish.role, len(samples), spans, sum(sample.tokens for sample in samples))
        self.engine.release()
        training = LoraTraining(self.engine.model, wish.role, samples, self.settings, seed=self.seed, root=self.root)
        try:
            loss = yield from training.run(enough or False)
            digest = self._export(training, loss)
        finally:
            training.close()
            self.engine.model.eval()
        return Adapter(wish.role, f"{ADAPTERS}/{wish.role}", digest, spans, loss)

    def _sample(self, role: Role, lesson: Lesson) -> Sample:
        encoded = encode(lesson, self.card, self.engine.tokens)
        return Sample(encoded, tuple(encoded.owned(role, lesson.parts)))

    def _export(self, training: LoraTraining, loss: float) -> str:
        """Put the adapter in its place, whole or not at all; the digest of its weights."""
        adapters = self.root / ADAPTERS
        with disk.fill_folder(adapters / training.role, adapters / ".part", over=True) as part:
            training.export(part)
            self._write_card(part, training, loss)
            return disk.sha256(part / "adapter_model.safetensors")

    def _write_card(self, folder: Path, training: LoraTraining, loss: float) -> None:
        settings = self.settings
        text = prompts.fill(
            "model_card", role=training.role, base=self.engine.weights.folder.name,
            trajectories=str(len(training.samples)),
            task=self.card.task, rank=str(settings.rank), alpha=str(settings.alpha), epochs=str(settings.epochs),
            rate=str(settings.learning_rate), loss=f"{loss:.4f}", targets=", ".join(settings.targets),
        )  # fmt: skip
        (folder / "README.md").write_text(text, encoding="utf-8")
        file = folder / "adapter_config.json"
        config = msgspec.json.decode(file.read_bytes())
        config["base_model_name_or_path"] = self.engine.weights.folder.name  # not a path of this machine
        file.write_bytes(msgspec.json.format(msgspec.json.encode(config)))
