"""A training as files in a folder: the request, and the reason why there is no result."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.project.config import Differentiation, Model
from autoact.script import Train

REQUEST, EVENTS, ENOUGH, FAILURE = "request.json", "events.jsonl", "enough", "failure.json"
FOLLOW = "--follow"
"""The option of a worker whose events go to standard output."""


class Request(Struct, frozen=True):
    """One training."""

    train: Train
    settings: Differentiation
    model: Model
    seed: int
    root: str
    """The folder of checkpoints and adapters, such as a run's folder."""


class Failure(Struct, frozen=True):
    """The reason why a training has no result."""

    kind: str
    """A class of autoact.errors."""
    why: str


def write_request(folder: Path, request: Request) -> None:
    """Writes a request into an empty folder."""
    (folder / REQUEST).write_bytes(msgspec.json.encode(request))
