"""Text2Image: draws pictures with a diffusion model of the user, stored in the project; off until a model is set."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autoact.errors import ToolFailed
from autoact.files import disk
from autoact.script import Observation
from autoact.tools.library.tool import (
    Call,
    Check,
    Group,
    ToolContext,
    ToolLimits,
    ToolRecord,
    require_package,
    with_state,
)

MOST_PICTURES = 500
"""Files of the folder, so that an agent that draws without end does not fill the disk."""
LONGEST_PROMPT = 500
RECORD = ToolRecord(
    name="Text2Image",
    definition="Draws an image from a description and tells where it is kept.",
    usage="Text2Image[a red bicycle by the sea]",
    powers=("files",),
    limits=ToolLimits(timeout_s=300.0),
    settings={"model": "", "folder": "images", "steps": 20, "pixels": 512, "seed": 1},
)


class Painter:
    """A diffusion pipeline and the folder of its pictures; the same words give the same picture."""

    def __init__(self, model: Path, folder: Path, settings: Mapping[str, Any]) -> None:
        self._model, self._folder = model, folder
        self._steps, self._pixels, self._seed = settings["steps"], settings["pixels"], settings["seed"]
        self._pipeline: Any = None
        self._drawing = threading.Lock()

    def draw(self, words: str, seconds: float) -> Path:
        """Draws a picture, unless it exists already, and returns its file. Raises ToolFailed."""
        if len(words) > LONGEST_PROMPT:
            raise ToolFailed(f"expected a description of at most {LONGEST_PROMPT} characters")
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / self._file_name(words)
        with self._drawing:  # a pipeline draws one picture at a time
            if file.exists():
                return file
            if sum(1 for _ in self._folder.iterdir()) >= MOST_PICTURES:
                raise ToolFailed(f"{self._folder.name} holds {MOST_PICTURES} files already; clear some away")
            part = file.with_name(f".{file.name}.part")
            self._make_picture(words, seconds).save(part, format="PNG")
            part.replace(file)
        return file

    def _file_name(self, words: str) -> str:
        drawn = f"{self._model.name} {self._steps} {self._pixels} {self._seed} {words}"
        plain = re.sub(r"[^a-z0-9]+", "-", words.casefold())[:40].strip("-")
        return f"{plain or 'picture'}-{hashlib.blake2s(drawn.encode(), digest_size=4).hexdigest()}.png"

    def _make_picture(self, words: str, seconds: float) -> Any:
        """Returns a new picture. Raises ToolFailed when the time is up after a step. Nothing is downloaded, no
        foreign code is run."""
        import torch
        from diffusers import DiffusionPipeline

        if self._pipeline is None:
            self._pipeline = DiffusionPipeline.from_pretrained(
                self._model, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
            self._pipeline.set_progress_bar_config(disable=True)
        end = time.monotonic() + seconds

        def in_time(pipeline: Any, step: int, at: int, values: dict[str, Any]) -> dict[str, Any]:
            if time.monotonic() > end:
                raise ToolFailed(f"it took longer than {seconds:g} seconds; lower `steps` or `pixels`")
            return values

        return self._pipeline(
            words, num_inference_steps=self._steps, height=self._pixels, width=self._pixels,
            generator=torch.Generator("cpu").manual_seed(self._seed), callback_on_step_end=in_time,
        ).images[0]  # fmt: skip


def settle(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """Returns the record with its state: off without a model, which takes gigabytes and minutes."""
    if not record.settings["model"]:
        return with_state(
            record, "needs-setting", "off: set `model` to the folder of a diffusers pipeline to switch it on"
        )
    folder = _project_path(context, record.settings["model"])
    if not (folder / "model_index.json").is_file():
        return with_state(record, "needs-setting", f"`model` is not a diffusers pipeline: {folder}")
    if context.root is None:
        return with_state(record, "needs-setting", "pictures are kept in a project's folder, and there is no project")
    return require_package(record, "diffusers", "drawing")


def _project_path(context: ToolContext, path: str) -> Path:
    return (context.root or Path()) / disk.expand_user(path)


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool; its model loads with the first picture and stays."""
    record = records["Text2Image"]
    model, folder = (_project_path(context, record.settings[key]) for key in ("model", "folder"))

    def call(words: str) -> Observation:
        painter = context.shared.get("painter", lambda: Painter(model, folder, record.settings))
        file = painter.draw(words, record.limits.timeout_s)
        return Observation(f"Drawn: {record.settings['folder']}/{file.name}")

    return {"Text2Image": call}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields a check that it draws."""
    yield Check("Text2Image", "a red bicycle by the sea", r"^Drawn: .*\.png$")


GROUP = Group((RECORD,), open_calls, settle, checks)
