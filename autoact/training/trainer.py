"""The trainer of the local engine: encodes the lessons of a Train request, trains, and writes a PEFT folder."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import msgspec

from autoact import prompts
from autoact.errors import BadInput, ModelFailed
from autoact.events import Event, ExamplesBuilt
from autoact.files import disk
from autoact.model.engine import Engine
from autoact.model.local import LocalEngine
from autoact.project.config import Differentiation, Model
from autoact.script import Card, Lesson, Train
from autoact.training.alora import Trunks, check_cache, invocation_text
from autoact.training.launch import train_in_processes
from autoact.training.lora import LoraTraining
from autoact.training.loss import Sample
from autoact.training.repeatable import prepare_cublas
from autoact.training.request import Request
from autoact.training.spans import encode_lesson
from autoact.trajectory import Adapter

ADAPTERS = "adapters"
"""The folder of finished adapters in a run folder."""

KINDS = {
    ("lora", False): "LoRA", ("lora", True): "rank-stabilised LoRA",
    ("alora", False): "activated LoRA", ("alora", True): "rank-stabilised activated LoRA",
}  # fmt: skip
"""Names of adapters for people, by the settings `adapter` and `rslora`."""


class LocalTrainer:
    """Trains adapters on the local engine's own model, so that the base weights are in memory only once."""

    def __init__(self, engine: LocalEngine, settings: Differentiation, *, seed: int, root: Path):
        """Takes the run folder as `root`. Make it before the model's first forward pass: it sets up cuBLAS."""
        prepare_cublas()
        self.engine, self.settings, self.seed, self.root = engine, settings, seed, root
        self.trunks = Trunks()
        """Kept from one adapter to the next, until `release`."""
        if settings.processes > 1 and getattr(engine.model, "hf_quantizer", None) is not None:
            raise BadInput("several processes train only a base that is not quantised", key="differentiation.processes")
        if settings.adapter == "alora":
            check_cache(engine.model)

    def train(self, request: Train) -> Generator[Event, bool | None, Adapter]:
        """Trains an adapter; see `Trainer` in autoact.run.conductor.world."""
        samples = self._samples(request.card, request.lessons)
        if not samples:
            raise ModelFailed(f"the adapter `{request.adapter}` has nothing to learn from")
        spans = sum(len(sample.spans) for sample in samples)
        if self.settings.processes > 1:
            self.engine.release()
            return (yield from train_in_processes(self._request(request)))
        enough = yield ExamplesBuilt(request.adapter, len(samples), spans, sum(sample.tokens for sample in samples))
        self.engine.release()
        training = LoraTraining(
            self.engine.model, request.adapter, samples, self.settings, seed=self.seed, root=self.root,
            validation=self._samples(request.card, request.validation), invocation=self._invocation(request),
            trunks=self.trunks,
        )  # fmt: skip
        try:
            loss = yield from training.run(enough or False)
            digest = self._export(training, request.card, loss) if training.first else ""
        finally:
            training.close()
            self.engine.model.eval()
        return Adapter(request.adapter, f"{ADAPTERS}/{request.adapter}", digest, spans, loss)

    def release(self) -> None:
        """Forgets the trunks."""
        self.trunks.clear()

    def _request(self, train: Train) -> Request:
        """Returns a training as a request to worker processes, which load the same model."""
        model = self.engine.model
        precision: Any = str(model.dtype).removeprefix("torch.")
        section = Model(str(self.engine.weights.folder.absolute()), model.device.type, precision)
        return Request(train, self.settings, section, self.seed, str(self.root.absolute()))

    def _samples(self, card: Card, lessons: Iterable[Lesson]) -> list[Sample]:
        """Returns the lessons with tokens that carry loss."""
        return [sample for lesson in lessons if (sample := self._sample(card, lesson)).spans]

    def _sample(self, card: Card, lesson: Lesson) -> Sample:
        encoded = encode_lesson(lesson, card, self.engine.tokens)
        sample = Sample(encoded, tuple(encoded.of_parts(lesson.parts)))
        return sample.compare(self._sample(card, lesson.against)) if lesson.against else sample

    def _invocation(self, request: Train) -> tuple[int, ...]:
        """Returns the tokens that activate the adapter of a request; none for one that is always active."""
        if self.settings.adapter == "lora":
            return ()
        return self.engine.tokens.segment(invocation_text(part for lesson in request.lessons for part in lesson.parts))

    def _export(self, training: LoraTraining, card: Card, loss: float) -> str:
        """Writes the adapter's folder, completely or not at all; returns the digest of its weights."""
        adapters = self.root / ADAPTERS
        with disk.fill_folder(adapters / training.name, adapters / f".part-{training.name}", over=True) as part:
            training.export(part)
            self._write_model_card(part, training, card, loss)
            return disk.sha256(part / "adapter_model.safetensors")

    def _write_model_card(self, folder: Path, training: LoraTraining, card: Card, loss: float) -> None:
        settings = self.settings
        text = prompts.fill(
            "model_card", role=training.name, base=self.engine.weights.folder.name, task=card.task,
            trajectories=str(len(training.samples)), kind=KINDS[settings.adapter, settings.rslora],
            rank=str(settings.rank), alpha=str(settings.alpha), epochs=str(settings.epochs),
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
