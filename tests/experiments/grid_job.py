"""The job of a run of an experiment about capitals: `grid_job.py [--slow] FOLDER`, with a scripted model.

It fails where the file `fail` in the project names its seed, and counts each answer that it gives in the file `asked`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))  # a job finds nothing beside it by itself

from capitals import Hall, speak  # noqa: E402 - found by the line above

from autoact.errors import ModelFailed  # noqa: E402
from autoact.events import Event, TrainStepped  # noqa: E402
from autoact.job.job import main  # noqa: E402
from autoact.model.scripted import ScriptedEngine  # noqa: E402
from autoact.run.record.folder import RunFolder  # noqa: E402
from autoact.script import Ask, Train  # noqa: E402
from autoact.trajectory import Adapter  # noqa: E402


def make_engine(folder: RunFolder, seconds: float) -> ScriptedEngine:
    """Returns a model that fails where the project says so, and answers after some seconds."""
    root, settings = folder.path.parent.parent, folder.read_config()
    failing = (root / "fail").exists() and settings["model"]["seed"] == int((root / "fail").read_text())

    def answer(ask: Ask) -> str:
        if failing and "group_planning" in settings["run"]["stages"]:
            raise ModelFailed("out of luck")
        time.sleep(seconds)
        with (root / "asked").open("a") as file:
            file.write(f"{folder.name}\n")
        return speak(ask)

    return ScriptedEngine(answer)


def make_trainer(folder: RunFolder):  # type: ignore[no-untyped-def]
    """Returns a trainer that writes an empty adapter."""

    def train(wish: Train) -> Generator[Event, None, Adapter]:
        yield TrainStepped(wish.adapter, 0, 1, 0.5, 1e-3, 1.0, len(wish.lessons), 1.0)
        made = folder.adapters / wish.adapter
        made.mkdir(parents=True, exist_ok=True)
        (made / "adapter_model.safetensors").write_text(wish.adapter)
        return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", len(wish.lessons), 0.5)

    return train


if __name__ == "__main__":
    slow = "--slow" in sys.argv
    if card := os.environ.get("CUDA_VISIBLE_DEVICES"):
        with (Path(sys.argv[-1]).parent.parent / "cards").open("a") as seen:
            seen.write(f"{card}\n")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    opened = Hall(lambda folder: make_engine(folder, 0.05 if slow else 0.0), make_trainer)
    sys.exit(main([sys.argv[-1]], opened.open))
