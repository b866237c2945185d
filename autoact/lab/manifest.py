"""The manifest of a run: what its scores depend on, as settings and digests, so that unlike runs are told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from autoact.run.record.state import RunState
from autoact.script import is_fork
from autoact.trajectory import Question

INPUTS = ("corpus", "tools", "prompts", "model")
"""Names of the inputs that a run reads beside its settings; it logs their digests."""
CONDITIONS = ("questions", "corpus", "tools", "prompts", "task.description", "task.answer", "task.environment")
"""Names of the inputs that have to be equal for two scores to measure the same."""
WITHOUT_EFFECT = (
    "run.stages", "run.question", "model.lanes", "server.", "session.", "differentiation.save_every",
    "group_planning.compare", "model.prompt_price", "model.generated_price",
)  # fmt: skip
"""Settings, or the beginnings of their names, that change no answer but by rounding."""


class Manifest(Struct, frozen=True):
    """The inputs and settings that the scores of a run depend on."""

    run: str
    engine: str
    seed: int | None
    asked: int
    """Questions that were answered, forks not counted."""
    questions: str
    """Digest of these questions with their gold answers."""
    inputs: dict[str, str]
    """Digests of what INPUTS names; without those that the run did not log, as in earlier versions."""
    selected: tuple[str, ...]
    """Names of the selected tools."""
    kept: int
    """Trajectories that were kept to learn from."""
    trajectories: str
    """Digest of these."""
    adapters: dict[str, str]
    """SHA-256 of each adapter's weights."""
    settings: dict[str, Any]
    """By dotted name."""


class Unlike(Struct, frozen=True):
    """One thing in which runs differ."""

    what: str
    """A name of CONDITIONS, a setting, or another field of a manifest."""
    values: tuple[str, ...]
    """In the order of the runs; empty where a run did not log it."""
    condition: bool
    """Whether it has to be equal."""
    cause: bool
    """Whether it is a setting that every run has, and so a possible cause of other scores."""


def make_manifest(run: str, state: RunState) -> Manifest:
    """Returns the manifest of a run from its state."""
    kept = state.kept
    asked = {question_key(one.trajectory.question) for one in state.solved if not is_fork(one.trajectory.unit)}
    settings = dict(flatten_settings(state.config))
    seed = settings.get("model.seed")
    return Manifest(
        run=run,
        engine=state.engine,
        seed=seed if isinstance(seed, int) else None,
        asked=len(asked),
        questions=_digest(sorted(asked)),
        inputs={name: state.inputs[name] for name in INPUTS if name in state.inputs},
        selected=tuple(name for name, _ in state.selected),
        kept=len(kept),
        trajectories=_digest(msgspec.json.encode(one).decode() for one in kept),
        adapters={name: adapter.sha256 for name, adapter in state.adapters.items()},
        settings=settings,
    )


def question_key(question: Question) -> str:
    """Returns a text that is equal for equal questions with equal ids, options and gold answers."""
    return msgspec.json.encode([question.id, question.text, question.answer, question.choices]).decode()


def find_unlike(manifests: Iterable[Manifest]) -> list[Unlike]:
    """Returns everything in which the runs differ, the conditions first.

    A digest that a run did not log counts as different only if it is known of two others that differ.
    """
    manifests = list(manifests)
    described = [_describe(one) for one in manifests]
    names = dict.fromkeys([*CONDITIONS, *(name for one in described for name in one)])
    found = []
    for name in names:
        values = tuple(one.get(name, "") for one in described)
        if len({value for value in values if value}) > 1 or (name not in (*CONDITIONS, *INPUTS) and len({*values}) > 1):
            cause = name != "run.base" and all(name in one.settings for one in manifests)
            found.append(Unlike(name, values, name in CONDITIONS, cause))
    return found


def find_unknown(manifests: Iterable[Manifest]) -> list[str]:
    """Returns the names of INPUTS that a run did not log."""
    known = [one.inputs for one in manifests]
    return [name for name in INPUTS if any(name not in one for one in known)]


def _describe(manifest: Manifest) -> dict[str, str]:
    """Returns every part of a manifest that may differ as a short text."""
    chosen = {
        name: str(value) for name, value in manifest.settings.items() if not name.startswith(WITHOUT_EFFECT)
    }  # fmt: skip
    return {
        "questions": f"{manifest.asked} ({manifest.questions})",
        **{name: digest for name, digest in manifest.inputs.items()},
        **chosen,
        "engine": manifest.engine,
        "selected tools": ", ".join(manifest.selected),
        "trajectories learned from": f"{manifest.kept} ({manifest.trajectories})",
        "adapters": " ".join(f"{name} {digest[:8]}" for name, digest in sorted(manifest.adapters.items())),
    }


def flatten_settings(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yields each setting as `section.key` and its value."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from flatten_settings(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.blake2s(digest_size=6)
    for text in texts:
        digest.update(f"{len(text)} {text}".encode())
    return digest.hexdigest()
