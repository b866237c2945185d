"""A training that was interrupted leaves the very bytes of one that was not."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import msgspec
import pytest
import safetensors.torch
import torch
from msgspec.structs import replace
from peft import PeftModel

from autoact.errors import DiskFull
from autoact.events import CheckpointSaved, CheckpointSkipped, Event, LossValidated, TrainStepped
from autoact.files import disk
from autoact.model.store import Weights, load_model
from autoact.project.config import Differentiation
from autoact.training.lora import STEADY, LoraTraining
from autoact.training.loss import Sample, SpanLoss
from autoact.training.spans import Encoded, Span

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

SETTINGS = Differentiation(rank=4, dropout=0.05, epochs=3, batch=2, save_every=2, learning_rate=1e-2)


class Trained(NamedTuple):
    folder: Path
    loss: float


def samples(count: int = 5) -> list[Sample]:
    source = torch.Generator().manual_seed(1)
    made = []
    for number in range(count):
        ids = torch.randint(1, 300, (24 + number,), generator=source).tolist()
        spans = (Span("plan", "thought", 6, 12), Span("plan", "action", 15, 20 + number % 3))
        made.append(Sample(Encoded(tuple(ids), spans), spans))
    return made


def training(
    tiny: Path, root: Path, lessons: Sequence[Sample] | None = None, *, precision: Any = "float32",
    settings: Differentiation = SETTINGS, validation: Sequence[Sample] = (),
) -> LoraTraining:  # fmt: skip
    model = load_model(str(tiny), "cpu", precision).model
    return LoraTraining(model, "plan", lessons or samples(), settings, seed=7, root=root, validation=validation)


def finished(one: LoraTraining) -> tuple[list[Event], Trained]:
    events, running = [], one.run()
    while True:
        try:
            events.append(next(running))
        except StopIteration as end:
            folder = one.checkpoints.parent.parent / "adapter"
            folder.mkdir(exist_ok=True)
            one.export(folder)
            one.close()
            return events, Trained(folder, end.value)


def losses(events: Sequence[Event]) -> dict[int, float]:
    return {event.step: event.loss for event in events if isinstance(event, TrainStepped)}


def mean_loss(events: Sequence[Event]) -> float:
    """Over the loss-bearing tokens of these steps."""
    steps = [event for event in events if isinstance(event, TrainStepped)]
    return sum(step.loss * step.tokens for step in steps) / sum(step.tokens for step in steps)


def digest(trained: Trained) -> str:
    return disk.sha256(trained.folder / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def undisturbed(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], Trained]:
    return finished(training(tiny, tmp_path_factory.mktemp("undisturbed")))


def stopped(tiny: Path, root: Path, after: int, **settings: Any) -> list[Event]:
    """A training that ends without warning after so many events."""
    one = training(tiny, root, **settings)
    running = one.run()
    events = [next(running) for _ in range(after)]
    running.close()
    one.close()
    return events


def test_losses_fall_and_steps_count(undisturbed: tuple[list[Event], Trained]) -> None:
    events, trained = undisturbed
    steps = [event for event in events if isinstance(event, TrainStepped)]
    assert [step.step for step in steps] == list(range(9))
    assert all(step.of == 9 for step in steps)
    assert steps[0].lr == pytest.approx(SETTINGS.learning_rate)
    assert steps[-1].lr < SETTINGS.learning_rate / 10
    assert steps[-1].loss < steps[0].loss
    assert trained.loss == pytest.approx(mean_loss(steps[-3:]))
    assert sum(step.tokens for step in steps[:3]) == sum(sample.tokens for sample in samples())


@pytest.mark.parametrize("after", [1, 3, 5, 12])
def test_a_stopped_training_goes_on_to_the_same_bytes(
    tiny: Path, tmp_path: Path, undisturbed: tuple[list[Event], Trained], after: int
) -> None:
    before = stopped(tiny, tmp_path, after)
    saved = max((event.step for event in before if isinstance(event, CheckpointSaved)), default=0)
    torch.manual_seed(99)  # another process would have another random state
    events, trained = finished(training(tiny, tmp_path))
    assert min(losses(events)) == saved
    assert losses(before) | losses(events) == losses(undisturbed[0])
    assert digest(trained) == digest(undisturbed[1])
    assert trained.loss == undisturbed[1].loss


def validated(events: Sequence[Event]) -> dict[int, float]:
    return {event.step: event.loss for event in events if isinstance(event, LossValidated)}


def other_samples() -> list[Sample]:
    """Samples with other tokens than those that are learned."""
    moved = (tuple((number + 7) % 300 for number in one.encoded.ids) for one in samples(3))
    return [Sample(Encoded(ids, one.spans), one.spans) for ids, one in zip(moved, samples(3), strict=True)]


def test_the_loss_of_validation_is_that_of_the_samples_and_changes_nothing(
    tiny: Path, tmp_path: Path, undisturbed: tuple[list[Event], Trained]
) -> None:
    held = other_samples()
    one = training(tiny, tmp_path, validation=held)
    events, trained = finished(one)
    measured = validated(events)
    assert list(measured) == [2, 4, 6, 8, 9]
    assert digest(trained) == digest(undisturbed[1])
    model = PeftModel.from_pretrained(load_model(str(tiny), "cpu", "float32").model, str(trained.folder)).eval()
    with torch.no_grad():
        alone = [float(one()) for sample in held for one in SpanLoss(packed=False).passes(model, [sample])]
    assert measured[9] == pytest.approx(sum(alone) / sum(sample.tokens for sample in held), rel=1e-4)


PATIENT = replace(SETTINGS, epochs=10, learning_rate=0.05, patience=2, dropout=0.0)


def test_a_training_ends_when_the_loss_of_validation_rises_and_keeps_the_weights_of_the_lowest(
    tiny: Path, tmp_path: Path
) -> None:
    events, trained = finished(training(tiny, tmp_path / "ended", settings=PATIENT, validation=other_samples()))
    measured = validated(events)
    lowest = min(measured, key=measured.__getitem__)
    assert max(measured) == lowest + PATIENT.patience * PATIENT.save_every < 30
    again = stopped(tiny, tmp_path / "cut", len(events) - 3, settings=PATIENT, validation=other_samples())
    rest, resumed = finished(training(tiny, tmp_path / "cut", settings=PATIENT, validation=other_samples()))
    assert validated(again) | validated(rest) == measured
    assert digest(resumed) == digest(trained)
    model = PeftModel.from_pretrained(load_model(str(tiny), "cpu", "float32").model, str(trained.folder)).eval()
    held = other_samples()
    with torch.no_grad():
        total = sum(float(one()) for one in SpanLoss(packed=False).passes(model, held))
    assert measured[lowest] == pytest.approx(total / sum(sample.tokens for sample in held), rel=1e-4)


def test_a_training_that_is_told_enough_keeps_what_it_has(
    tiny: Path, tmp_path: Path, undisturbed: tuple[list[Event], Trained]
) -> None:
    one = training(tiny, tmp_path)
    running = one.run()
    before = [next(running), next(running), next(running)]  # two steps and a checkpoint
    last = running.send(True)
    assert isinstance(last, TrainStepped)
    saved = running.send(True)
    assert saved == CheckpointSaved("plan", 3, saved.sha256)
    with pytest.raises(StopIteration) as end:
        next(running)
    steps = losses([*before, last])
    assert steps == {step: loss for step, loss in losses(undisturbed[0]).items() if step < len(steps)}
    assert end.value.value == pytest.approx(mean_loss([*before, last]))
    one.close()
    again = training(tiny, tmp_path).run(enough=True)  # a job that died here and was started again
    with pytest.raises(StopIteration):
        next(again)


def test_a_training_ends_when_its_loss_stays_low(tiny: Path, tmp_path: Path) -> None:
    """It ends at the first step whose last STEADY losses are low enough on average, also after a stop."""
    settings = replace(SETTINGS, epochs=20, learning_rate=0.02)
    whole, _ = finished(training(tiny, tmp_path / "whole", settings=settings))
    found = [loss for _, loss in sorted(losses(whole).items())]
    means = {step: fmean(found[step - STEADY : step]) for step in range(STEADY, len(found) + 1)}
    enough = (min(means.values()) + found[0]) / 2
    last = next(step for step, mean in means.items() if mean < enough)
    assert last < len(found)
    settings = replace(settings, enough_loss=enough)
    events, _ = finished(training(tiny, tmp_path / "short", settings=settings))
    assert len(losses(events)) == last
    assert isinstance(events[-1], CheckpointSaved)
    again, _ = finished(training(tiny, tmp_path / "short", settings=settings))
    assert again == []


def test_a_training_has_a_limit_of_steps(tiny: Path, tmp_path: Path) -> None:
    """The learning rate falls to its end, as in a training that has as many steps in all."""
    limited = training(tiny, tmp_path / "limited", settings=replace(SETTINGS, epochs=9, most_steps=5))
    events, _ = finished(limited)
    assert sorted(losses(events)) == [0, 1, 2, 3, 4]
    assert {event.of for event in events if isinstance(event, TrainStepped)} == {5}
    rates = [event.lr for event in events if isinstance(event, TrainStepped)]
    assert rates[-1] < 0.2 * max(rates)
    assert training(tiny, tmp_path / "free", settings=replace(SETTINGS, epochs=2, most_steps=500)).steps < 500


@pytest.mark.parametrize(
    ("torn", "why"),
    [("manifest", "No such file"), ("state.safetensors", "No such file"), ("digest", "not the one its manifest names")],
)
def test_a_torn_checkpoint_gives_way_to_the_older(
    tiny: Path, tmp_path: Path, undisturbed: tuple[list[Event], Trained], torn: str, why: str
) -> None:
    stopped(tiny, tmp_path, 7)
    newest = max((tmp_path / "checkpoints" / "plan").glob("step-*"))
    assert newest.name == "step-000004"
    if torn == "digest":
        state = newest / "state.safetensors"
        state.write_bytes(state.read_bytes()[:-1] + b"\x01")
    else:
        (newest / torn).unlink()
    events, trained = finished(training(tiny, tmp_path))
    (skipped,) = (event for event in events if isinstance(event, CheckpointSkipped))
    assert (skipped.role, skipped.step) == ("plan", 4)
    assert why in skipped.why
    assert min(losses(events)) == 2
    assert digest(trained) == digest(undisturbed[1])


def test_a_half_written_checkpoint_is_no_checkpoint(
    tiny: Path, tmp_path: Path, undisturbed: tuple[list[Event], Trained]
) -> None:
    stopped(tiny, tmp_path, 4)
    folder = tmp_path / "checkpoints" / "plan"
    shutil.copytree(folder / "step-000002", folder / ".part")
    (folder / ".part" / "manifest").unlink()
    events, trained = finished(training(tiny, tmp_path))
    assert min(losses(events)) == 2
    assert digest(trained) == digest(undisturbed[1])
    assert not (folder / ".part").exists()


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: writes come up short and then fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 1, 4096, 20_000])
def test_a_full_disk_leaves_the_checkpoints_as_they_were(
    tiny: Path, tmp_path: Path, undisturbed: tuple[list[Event], Trained], size: int
) -> None:
    one = training(tiny, tmp_path)
    running = one.run()
    before = [next(running) for _ in range(5)]
    with files_up_to(size), pytest.raises(DiskFull, match="step-000004"):
        next(running)
    one.close()
    folder = tmp_path / "checkpoints" / "plan"
    assert [path.name for path in folder.iterdir()] == ["step-000002"]
    events, trained = finished(training(tiny, tmp_path))
    assert min(losses(events)) == 2
    assert losses(before) | losses(events) == losses(undisturbed[0])
    assert digest(trained) == digest(undisturbed[1])


def test_a_checkpoint_is_a_file_and_its_digest_and_no_pickle(tiny: Path, tmp_path: Path) -> None:
    stopped(tiny, tmp_path, 4)
    folder = tmp_path / "checkpoints" / "plan" / "step-000002"
    assert {path.name for path in folder.iterdir()} == {"state.safetensors", "manifest"}
    assert (folder / "manifest").read_text() == disk.sha256(folder / "state.safetensors")
    assert not [file for file in folder.iterdir() if file.read_bytes()[:1] == b"\x80"]


def test_two_checkpoints_are_kept(tiny: Path, tmp_path: Path) -> None:
    finished(training(tiny, tmp_path))
    kept = sorted(folder.name for folder in (tmp_path / "checkpoints" / "plan").iterdir())
    assert kept == ["step-000008", "step-000009"]


def test_a_model_of_16_bits_trains_weights_of_32(tiny: Path, tmp_path: Path) -> None:
    """Steps this small round to nothing in 16 bits, so they must add up in 32."""
    settings = msgspec.structs.replace(SETTINGS, learning_rate=1e-5, dropout=0.0, epochs=20)
    one = training(tiny, tmp_path / "run", precision="bfloat16", settings=settings)
    name = next(name for name in one.weights if "lora_A" in name)
    before, used_before = one.weights[name].clone(), one.used[name].detach().clone()
    _, trained = finished(one)
    moved = (one.weights[name] - before).abs().max()
    assert 0 < moved < 1e-3
    assert {weight.dtype for weight in one.used.values()} == {torch.bfloat16}
    assert torch.equal(one.used[name], one.weights[name].bfloat16())
    assert (one.used[name] == used_before).float().mean() > 0.5
    written = safetensors.torch.load_file(trained.folder / "adapter_model.safetensors")
    assert {weight.dtype for weight in written.values()} == {torch.float32}


def test_a_model_in_float16_trains_an_adapter_of_32_bits(tiny: Path, tmp_path: Path) -> None:
    one = training(tiny, tmp_path / "run", precision="float16")
    assert {weight.dtype for weight in one.used.values()} == {torch.float32}
    assert all(one.used[name] is weight for name, weight in one.weights.items())
    one.close()


def test_a_stopped_training_in_16_bits_goes_on_to_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    _, whole = finished(training(tiny, tmp_path / "whole", precision="bfloat16"))
    running = training(tiny, tmp_path / "part", precision="bfloat16").run()
    for event in running:
        if isinstance(event, CheckpointSaved) and event.step == 4:
            running.close()
    _, resumed = finished(training(tiny, tmp_path / "part", precision="bfloat16"))
    assert digest(resumed) == digest(whole)


def test_the_adapter_is_a_plain_peft_folder(tiny: Path, undisturbed: tuple[list[Event], Trained]) -> None:
    model: Any = PeftModel.from_pretrained(load_model(str(tiny), "cpu", "float32").model, str(undisturbed[1].folder))
    bare = load_model(str(tiny), "cpu", "float32").model
    lesson = samples()
    with torch.inference_mode():
        ours = sum(float(one()) for one in SpanLoss(packed=False).passes(model.eval(), lesson))
        base = sum(float(one()) for one in SpanLoss(packed=False).passes(bare, lesson))
    assert ours < base


def test_the_base_model_comes_back_as_it_was(weights: Weights, tmp_path: Path) -> None:
    before = {name: weight.clone() for name, weight in weights.model.state_dict().items()}
    one = LoraTraining(weights.model, "tool", samples(), SETTINGS, seed=7, root=tmp_path)
    finished(one)
    after = weights.model.state_dict()
    assert set(after) == set(before)
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
