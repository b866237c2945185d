"""Image2Text: describes a picture of the project and reads its text, or returns the caption of a data set."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoact.errors import ToolFailed
from autoact.files import disk
from autoact.files.records import read_records
from autoact.project.questions import LEAST_CONFIDENCE, question_id
from autoact.script import Observation
from autoact.tools.images.captions import Captions
from autoact.tools.library.deadline import run_within
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
from autoact.trajectory import Picture, Question

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
LARGEST_FILE = 20_000_000
MOST_PIXELS = 40_000_000
WIDEST = 2_000
"""Pixels; larger pictures are scaled down before they are read."""
LONGEST_CAPTION = 40
"""Tokens."""
RECORD = ToolRecord(
    name="Image2Text",
    definition="Describes an image in words and reads the text in it.",
    usage="Image2Text[photo.png]",
    powers=("files",),
    limits=ToolLimits(timeout_s=60.0, max_chars=600),
    settings={"folder": "images", "captions": "", "model": ""},
)


class Pictures:
    """Reads pictures with models that are loaded by the first call that needs them."""

    def __init__(self, folder: Path, captions: Path | None, model: Path | None, *, reads: bool) -> None:
        self._folder, self._can_read = folder, reads
        self._captions = Captions(captions) if captions else None
        self._model = model
        self._loaded: dict[str, Any] = {}
        self._reading = threading.Lock()
        """Neither the text recogniser nor a caption model may be run by two threads at once."""

    def describe(self, name_or_question: str, question: Question | None) -> Picture:
        """Returns the caption and texts of a picture: of the file that `asked` names, else of the question that is
        answered.

        Outside episodes `asked` may also be the id or the wording of a question in the captions. Raises ToolFailed.
        """
        file = self._file(name_or_question)
        if file is None and question is not None:
            known = question.picture or (self._captions.for_question(question) if self._captions else None)
            if known is not None:
                return known
            file = self._file_of(question)
        elif file is None and self._captions and (known := self._captions.find(name_or_question)) is not None:
            return known
        picture = self._open(file, name_or_question)
        with self._reading:
            caption = self._caption(picture, self._model) if self._model else ""
            return Picture(caption=caption, texts=self._recognise(picture) if self._can_read else ())

    def _file(self, name: str) -> Path | None:
        """Returns the picture file of the folder with this name; None when there is none."""
        try:
            file = (self._folder / name).resolve()
            inside = file.is_relative_to(self._folder.resolve())
            return file if inside and file.suffix.casefold() in KINDS and file.is_file() else None
        except (OSError, ValueError):  # a name too long, or with a zero byte
            return None

    def _file_of(self, question: Question) -> Path | None:
        """Returns the picture file named by a question's id, directly or, as in ScienceQA, in a folder."""
        names = (f"{question.id}{middle}{kind}" for middle in ("", "/image") for kind in KINDS)
        return next(filter(None, map(self._file, names)), None)

    def _open(self, file: Path | None, name_or_question: str) -> Image:
        """Opens a picture in RGB, scaled down to WIDEST. Raises ToolFailed."""
        if file is None:
            known = sorted(one.name for one in self._folder.glob("*") if one.suffix.casefold() in KINDS)[:20]
            hint = f"; there are {', '.join(known)}" if known else ""
            raise ToolFailed(f"there is no image called [{name_or_question[:80]}]{hint}")
        name = file.name
        if not (self._can_read or self._model):
            raise ToolFailed("reading an image needs a package: pip install 'autoact-studio[images]'")
        from PIL import Image, UnidentifiedImageError

        try:
            if file.stat().st_size > LARGEST_FILE:
                raise ToolFailed(f"[{name}] is larger than {LARGEST_FILE:,} bytes")
            with Image.open(file) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ToolFailed(f"[{name}] has more than {MOST_PIXELS:,} pixels")
                plain = picture.convert("RGB")
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise ToolFailed(f"[{name}] cannot be read as an image") from error
        plain.thumbnail((WIDEST, WIDEST))
        return plain

    def _recognise(self, picture: Image) -> tuple[str, ...]:
        """Recognises the texts in a picture with RapidOCR's own models."""
        import numpy
        from rapidocr import RapidOCR

        if "reader" not in self._loaded:
            self._loaded["reader"] = RapidOCR(params={"Global.log_level": "error"})
        found = self._loaded["reader"](numpy.asarray(picture)[:, :, ::-1])  # it expects BGR
        pairs = zip(found.txts or (), found.scores or (), strict=True)
        return tuple(text for text, sure in pairs if sure >= LEAST_CONFIDENCE)

    def _caption(self, picture: Image, model: Path) -> str:
        """Returns a caption by the project's model. Nothing is downloaded and no code of the model's folder is run."""
        from transformers import AutoModelForImageTextToText, AutoProcessor

        if "model" not in self._loaded:
            here = {"local_files_only": True, "trust_remote_code": False}
            self._loaded["processor"] = AutoProcessor.from_pretrained(model, **here)
            self._loaded["model"] = AutoModelForImageTextToText.from_pretrained(
                model, use_safetensors=True, **here
            ).eval()
        processor = self._loaded["processor"]
        made = self._loaded["model"].generate(
            **processor(images=picture, return_tensors="pt"), max_new_tokens=LONGEST_CAPTION, do_sample=False
        )
        return str(processor.batch_decode(made, skip_special_tokens=True)[0]).strip()


def picture_text(picture: Picture) -> str:
    """Writes caption and texts as an observation."""
    if not picture.there:
        return "This question has no image."
    parts = (("Caption", picture.caption.rstrip(". ")), ("Text", ", ".join(picture.texts)))
    return " ".join(f"{name}: {text}." for name, text in parts if text) or "The image has no text in it."


def settle(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """Returns the record with its state: whether there is a model, a package or captions to read pictures with."""
    paths = {key: _project_path(context, record.settings[key]) for key in ("captions", "model") if record.settings[key]}
    for key, path in paths.items():
        if not path.exists():
            return with_state(record, "needs-setting", f"`{key}` does not exist: {path}")
    if "model" in paths or _can_read():
        return record
    if "captions" in paths or context.captioned:
        return with_state(
            record, "offline", "reads a data set's captions only; other images need autoact-studio[images]"
        )
    return require_package(require_package(record, "onnxruntime", "images"), "rapidocr", "images")


def _can_read() -> bool:
    return all(find_spec(module) for module in ("rapidocr", "onnxruntime"))


def _project_path(context: ToolContext, path: str) -> Path:
    return (context.root or Path()) / disk.expand_user(path)


def open_pictures(context: ToolContext, record: ToolRecord) -> Pictures:
    """Returns the pictures that all sessions of the library share. Raises BadProject for invalid captions."""

    def make() -> Pictures:
        paths = {key: _project_path(context, value) if value else None for key, value in record.settings.items()}
        return Pictures(paths["folder"] or Path(), paths["captions"], paths["model"], reads=_can_read())

    return context.shared.get("pictures", make)


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool; its models load with the first picture."""
    record = records["Image2Text"]

    def call(argument: str) -> Observation:
        known = open_pictures(context, record)
        return Observation(
            picture_text(run_within(record.limits.timeout_s, lambda: known.describe(argument, context.question)))
        )

    return {"Image2Text": call}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields a check of a missing picture, and of the first picture and question of the project."""
    record = records["Image2Text"]
    yield Check("Image2Text", "no such picture.png", "there is no image called")
    if not record.runs:
        return
    folder = _project_path(context, record.settings["folder"])
    for file in sorted(one for one in folder.glob("*") if one.suffix.casefold() in KINDS)[:1]:
        yield Check("Image2Text", file.name, "^(?:Caption|Text): |no text in it")
    if record.settings["captions"]:
        first = next(read_records(_project_path(context, record.settings["captions"])), None)
        yield Check("Image2Text", question_id(first.values) if first else "", "^Caption: |no image")


GROUP = Group((RECORD,), open_calls, settle, checks)
