"""Trains one LoRA adapter. Order and dropout depend only on (seed, step), so a resumed training gives equal bytes."""

from __future__ import annotations

import copy
import hashlib
import math
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import safetensors.torch
import torch
from accelerate import Accelerator
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from autoact.events import CheckpointSaved, CheckpointSkipped, Event, LossValidated, TrainStepped
from autoact.files import disk
from autoact.model.memory import release_memory
from autoact.project.config import ALL_LINEAR, Differentiation
from autoact.threads import thread_limit
from autoact.training import checkpoint
from autoact.training.alora import BranchLoss, Trunks
from autoact.training.loss import PASS, Loss, Sample, SpanLoss, can_pack
from autoact.training.memory import save_memory
from autoact.training.repeatable import deterministic_sums

CLIP = 1.0
"""Gradient norm above which gradients are scaled down."""
STEADY = 20
"""Steps over which a loss must be low for a training to end early."""
RELEASE_EVERY = 10
"""Steps between releases of memory; one at every step would cost a tenth of the time."""


class LoraTraining:
    """The training of one adapter: `run` trains and yields events, `export` writes the adapter."""

    validated: list[float]
    """The loss on the samples of validation, at each checkpoint so far."""
    best: dict[str, Tensor]
    """The weights at the lowest of these losses; empty before the first one, or if the last weights are kept."""

    def __init__(
        self, model: Any, name: str, samples: Sequence[Sample], settings: Differentiation, *, seed: int, root: Path,
        validation: Sequence[Sample] = (), invocation: Sequence[int] = (), trunks: Trunks | None = None,
    ):  # fmt: skip
        """Prepares model and optimiser. `root` is the run folder; checkpoints go to checkpoints/<name> in it.

        The loss on the samples of `validation` is measured before each checkpoint. With `invocation` tokens the adapter
        is an activated one (aLoRA), and `trunks` may be shared with others.
        """
        self.name, self.samples, self.settings, self.seed = name, samples, settings, seed
        self.checkpoints = root / "checkpoints" / name
        self.steps_per_epoch = math.ceil(len(samples) / settings.batch)
        steps = self.steps_per_epoch * settings.epochs
        self.steps = min(steps, settings.most_steps) if settings.most_steps else steps
        self.losses: list[float] = []
        self.validation, self.validated, self.best = validation, [], {}
        self.threads = thread_limit().threads
        """Fixed during the training: another number of threads would round sums differently."""
        self.invocation = list(invocation)
        packed = can_pack(model)
        self.loss: Loss = (
            BranchLoss(self.invocation, trunks or Trunks(), packed=packed) if invocation else SpanLoss(packed=packed)
        )
        longest = max(sample.pass_tokens for sample in samples)
        self.saves_memory = not invocation and save_memory(model, max(longest, min(PASS, settings.batch * longest)))
        torch.manual_seed(_make_seed(seed, name))
        self.base = model
        self.processes = Accelerator(cpu=model.device.type == "cpu")
        """The processes that share the work of each step; one, unless a launcher has started several."""
        with warnings.catch_warnings():  # peft uses a deprecated name of transformers
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            wide = model.dtype == torch.bfloat16  # float16 is not: small gradients of its weights would become zero
            config = make_lora_config(model, settings)
            self.model: Any = get_peft_model(model, config, autocast_adapter_dtype=not wide)
        self.used = {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}
        """The adapter's weights that passes compute with: in bfloat16 if the model has it, else in 32 bits."""
        self.weights = {name: _to_float32(weight) for name, weight in self.used.items()}
        """The same weights in 32 bits, which the optimiser changes; the same tensors where those have 32 bits."""
        self.optimizer = torch.optim.AdamW(self.weights.values(), lr=settings.learning_rate, weight_decay=0.0)

    def run(self, enough: bool | None = False) -> Generator[Event, bool | None, float]:
        """Trains from the newest intact checkpoint, or from the start, and yields events.

        When True is sent after a step, it ends there; when `enough` is True at the start, it ends after one step, or
        at once if a checkpoint has some.

        Returns the mean loss over the last epoch, in nats per loss-bearing token. Raises DiskFull when there is no
        space for a checkpoint; another training then continues from the checkpoint before.
        """
        yield from self._resume()
        self.model.train()
        for step in range(len(self.losses), self.steps):
            if (enough and self.losses) or self._has_learned() or self._has_overfitted():
                break
            with deterministic_sums(self.base.device, self.threads):
                stepped = self._step(step)
            self.losses.append(stepped.loss)
            if (step + 1) % RELEASE_EVERY == 0:
                release_memory()
            enough = yield stepped
            enough = enough or self._has_learned()
            # also after the last step: if the run dies while the next adapter trains, nothing is repeated here
            if (step + 1) % self.settings.save_every == 0 or step + 1 == self.steps or enough:
                if self.validation:
                    yield LossValidated(self.name, step + 1, self._validate())
                yield CheckpointSaved(self.name, step + 1, self._save(step + 1))
        self._restore_best()
        return self._mean_loss()

    def _validate(self) -> float:
        """Measures the loss on the samples of validation, per token, and keeps the weights if it is the lowest."""
        passes = self.loss.passes(self.model, self.validation)
        count, mine = self.processes.num_processes, self.processes.process_index
        self.model.eval()
        with torch.no_grad(), deterministic_sums(self.base.device, self.threads):
            total = sum((one().float() for one in passes[mine::count]), torch.zeros((), device=self.base.device))
        self.model.train()
        total = total if count == 1 else self.processes.reduce(total, "sum")
        loss = float(total) / sum(sample.tokens for sample in self.validation)
        if self.settings.patience and loss < min(self.validated, default=math.inf):
            self.best = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.validated.append(loss)
        return loss

    def _restore_best(self) -> None:
        """Takes back the weights at the lowest loss of validation, if these are kept."""
        for name, weight in self.best.items():
            self.weights[name].data.copy_(weight)
        self._round_weights()

    def _has_overfitted(self) -> bool:
        """Returns whether the loss of validation has not fallen for as many measurements as the setting says."""
        patience = self.settings.patience
        return 0 < patience < len(self.validated) and min(self.validated[-patience:]) >= min(self.validated[:-patience])

    def _has_learned(self) -> bool:
        """Returns whether the mean loss of the last STEADY steps is below the setting.

        In the first epoch these steps are new to the adapter, so this is a loss of validation.
        """
        last = self.losses[-STEADY:]
        return len(last) == STEADY and fmean(last) < self.settings.enough_loss

    def _mean_loss(self) -> float:
        """Returns the mean loss per loss-bearing token over the steps of the last epoch, in nats."""
        steps = range(max(0, len(self.losses) - self.steps_per_epoch), len(self.losses))
        tokens = [sum(sample.tokens for sample in self._batch(step)) for step in steps]
        return sum(self.losses[step] * count for step, count in zip(steps, tokens, strict=True)) / sum(tokens)

    def export(self, folder: Path) -> None:
        """Writes the adapter's weights and settings into a folder, in the format of PEFT."""
        found = get_peft_model_state_dict(self.model, state_dict=dict(self.weights))
        weights = {name: weight.detach().contiguous() for name, weight in found.items()}
        disk.write(folder / "adapter_model.safetensors", safetensors.torch.save(weights, {"format": "pt"}))
        config: Any = copy.copy(self.model.peft_config["default"])
        config.alora_invocation_tokens = self.invocation or None  # set here only: a branch is trained as a plain LoRA
        config.save_pretrained(str(folder))

    def close(self) -> None:
        """Removes the adapter from the base model."""
        self.model.unload()
        if self.saves_memory:
            self.base.activation_checkpointing_disable()
            self.base.disable_input_require_grads()
        release_memory()

    @property
    def first(self) -> bool:
        """True in the process that writes files."""
        return bool(self.processes.is_main_process)

    def _step(self, step: int) -> TrainStepped:
        began = time.monotonic()
        rate = self._rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = list(self._batch(step))
        tokens = sum(sample.tokens for sample in batch)
        total = self._run_passes(step, batch, tokens)
        norm = torch.nn.utils.clip_grad_norm_(self.weights.values(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._round_weights()
        ms = 1000 * (time.monotonic() - began)
        return TrainStepped(self.name, step, self.steps, total, rate, float(norm), tokens, ms)

    def _run_passes(self, step: int, batch: Sequence[Sample], tokens: int) -> float:
        """Computes the gradient of a step, the passes dealt out to the processes; returns its loss per token."""
        total = 0.0
        count, mine = self.processes.num_processes, self.processes.process_index
        for index, one in enumerate(self.loss.passes(self.model, batch)):
            if index % count == mine:
                torch.manual_seed(_make_seed(self.seed, self.name, step, index))  # dropout depends on nothing else
                loss = one() / tokens
                torch.autograd.backward(loss)
                self._collect_gradients()
                total += loss.item()
        return total if count == 1 else self._add_up(total)

    def _collect_gradients(self) -> None:
        """Adds the gradients of a pass to those of the step, in 32 bits."""
        for name, weight in self.weights.items():
            used = self.used[name]
            if used is not weight and used.grad is not None:
                weight.grad = used.grad.float() if weight.grad is None else weight.grad + used.grad
                used.grad = None

    def _round_weights(self) -> None:
        """Gives the passes the weights as they are now."""
        for name, weight in self.weights.items():
            if self.used[name] is not weight:
                self.used[name].data.copy_(weight)

    def _add_up(self, loss: float) -> float:
        """Adds up the gradients of all processes, and their losses, whose sum it returns."""
        weights = list(self.weights.values())
        grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in weights]
        flat = torch.cat([*(grad.flatten() for grad in grads), grads[0].new_tensor([loss])])
        *parts, total = self.processes.reduce(flat, "sum").split([*(grad.numel() for grad in grads), 1])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.view_as(weight)
        return float(total)

    def _batch(self, step: int) -> Iterator[Sample]:
        """Yields the samples of a step: each epoch has its own permutation, which depends only on (seed, epoch)."""
        epoch, at = divmod(step, self.steps_per_epoch)
        source = torch.Generator().manual_seed(_make_seed(self.seed, "order", epoch))
        order = torch.randperm(len(self.samples), generator=source).tolist()
        for index in order[at * self.settings.batch : (at + 1) * self.settings.batch]:
            yield self.samples[index]

    def _rate(self, step: int) -> float:
        """Returns the learning rate of a step: linear warm-up, then cosine to zero."""
        warmup = max(1, round(self.settings.warmup * self.steps))
        if step < warmup:
            return self.settings.learning_rate * (step + 1) / warmup
        done = (step - warmup) / max(1, self.steps - warmup)
        return self.settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    # -- state -------------------------------------------------------------------------------------------------------

    def _save(self, step: int) -> str:
        """Saves a checkpoint; returns its digest, empty in all processes but the first."""
        return checkpoint.save_checkpoint(self.checkpoints, step, self._state()) if self.first else ""

    def _state(self) -> dict[str, Tensor]:
        state = {
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "validated": torch.tensor(self.validated, dtype=torch.float64),
            **{f"best/{name}": weight for name, weight in self.best.items()},
        }
        for name, weight in self.weights.items():
            state[f"weight/{name}"] = weight.detach().contiguous()
            for key, value in self.optimizer.state[weight].items():
                state[f"{key}/{name}"] = value.detach().contiguous()
        return state

    def _resume(self) -> Iterator[Event]:
        found, damaged = checkpoint.read_newest(self.checkpoints)
        for step, why in damaged:
            yield CheckpointSkipped(self.name, step, why)
        if found is not None:
            self._restore(found.state)

    def _restore(self, state: dict[str, Tensor]) -> None:
        self.losses = state["losses"].tolist()
        self.validated = state["validated"].tolist() if "validated" in state else []
        self.best = {name.removeprefix("best/"): weight for name, weight in state.items() if name.startswith("best/")}
        for name, weight in self.weights.items():
            weight.data.copy_(state[f"weight/{name}"])
            keys = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"{key}/{name}" in state]
            self.optimizer.state[weight] = {
                key: state[f"{key}/{name}"].to("cpu" if key == "step" else weight.device) for key in keys
            }
        self._round_weights()


def _to_float32(weight: Tensor) -> Tensor:
    """Returns a weight itself, or a copy in 32 bits."""
    return weight if weight.dtype == torch.float32 else weight.detach().float()


def make_lora_config(model: Any, settings: Differentiation) -> LoraConfig:
    """Returns the settings of an adapter in the form of PEFT, with the names of all layers that have weights in it."""
    targets = linear_layers(model) if settings.targets == (ALL_LINEAR,) else list(settings.targets)
    return LoraConfig(
        task_type="CAUSAL_LM", r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout,
        use_rslora=settings.rslora, target_modules=targets, bias="none",
    )  # fmt: skip


def linear_layers(model: Any) -> list[str]:
    """Returns the names of the linear layers in a model, without the last, which gives the logits."""
    last = model.get_output_embeddings()
    kinds = (torch.nn.Linear, Conv1D)
    return sorted(
        {name.rpartition(".")[2] for name, one in model.named_modules() if isinstance(one, kinds) and one is not last}
    )


def _make_seed(*parts: object) -> int:
    """Returns a seed that depends on all parts, and unlike hash() is equal in every process."""
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2s(text, digest_size=6).digest(), "big")
