"""Image2Text: what a picture of the project shows and says, or what a data set's captions tell of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from autoact.errors import ToolFailed
from autoact.script import Observation
from autoact.tools.captions import LEAST_SURE, Caption, Captions
from autoact.tools.deadline import within
from autoact.tools.record import Call, Check, Group, Limits, ToolContext, ToolRecord, lacking, requiring

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
LARGEST_FILE = 20_000_000
MOST_PIXELS = 40_000_000
WIDEST = 2_000
"""Pixels; larger pictures are made smaller before they are read."""
LONGEST_CAPTION = 40
"""Tokens."""
RECORD = ToolRecord(
    name="Image2Text",
    definition="Describes an image in words and reads the text in it.",
    usage="Image2Text[photo.png]",
    powers=("files",),
    limits=Limits(timeout_s=60.0, max_chars=600),
    settings={"folder": "images", "captions": "", "model": ""},
)


class Pictures:
    """What reads pictures, loaded when first wanted."""

    def __init__(self, folder: Path, captions: Path | None, model: Path | None, *, reads: bool) -> None:
        self._folder, self._reads = folder, reads
        self._captions = Captions(captions) if captions else None
        self._model = model
        self._loaded: dict[str, Any] = {}

    def told(self, asked: str) -> Caption:
        """Caption and texts of a picture file or of a data set's question. Raises ToolFailed."""
        if self._captions and (known := self._captions.of(asked)) is not None:
            return known
        picture = self._opened(asked)
        caption = self._described(picture, self._model) if self._model else ""
        return Caption(True, caption, self._read(picture) if self._reads else ())

    def _opened(self, name: str) -> Image:
        """A picture of the folder, in colours and not too large. Raises ToolFailed."""
        file = (self._folder / name).resolve()
        known = sorted(one.name for one in self._folder.glob("*") if one.suffix.casefold() in KINDS)[:20]
        if not file.is_relative_to(self._folder.resolve()) or file.suffix.casefold() not in KINDS or not file.is_file():
            hint = f"; there are {', '.join(known)}" if known else ""
            raise ToolFailed(f"there is no image called [{name[:80]}]{hint}")
        if not (self._reads or self._model):
            raise ToolFailed("reading an image takes a package: pip install 'autoact-studio[images]'")
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

    def _read(self, picture: Image) -> tuple[str, ...]:
        """The texts in a picture, by RapidOCR's own models."""
        import numpy
        from rapidocr import RapidOCR

        if "reader" not in self._loaded:
            self._loaded["reader"] = RapidOCR(params={"Global.log_level": "error"})
        found = self._loaded["reader"](numpy.asarray(picture)[:, :, ::-1])  # it takes blue before red
        pairs = zip(found.txts or (), found.scores or (), strict=True)
        return tuple(text for text, sure in pairs if sure >= LEAST_SURE)

    def _described(self, picture: Image, model: Path) -> str:
        """A caption by the model of the project. Nothing is fetched and no code of the model's folder is run."""
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


def spoken(told: Caption) -> str:
    """Caption and texts as an observation."""
    if not told.image:
        return "This question has no image."
    parts = (("Caption", told.caption.rstrip(". ")), ("Text", ", ".join(told.texts)))
    return " ".join(f"{name}: {text}." for name, text in parts if text) or "The image has no text in it."


def settled(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """What there is to read pictures with."""
    paths = {key: _beside(context, record.settings[key]) for key in ("captions", "model") if record.settings[key]}
    for key, path in paths.items():
        if not path.exists():
            return lacking(record, "needs-setting", f"`{key}` leads nowhere: {path}")
    if "model" in paths or _reads():
        return record
    if "captions" in paths:
        return lacking(record, "offline", "tells a data set's captions; other images take autoact-studio[images]")
    return requiring(requiring(record, "onnxruntime", "images"), "rapidocr", "images")


def _reads() -> bool:
    return all(find_spec(module) for module in ("rapidocr", "onnxruntime"))


def _beside(context: ToolContext, path: str) -> Path:
    return (context.root or Path()) / Path(path).expanduser()


def pictures(context: ToolContext, record: ToolRecord) -> Pictures:
    """What reads pictures; kept for all episodes of the library. Raises BadProject for captions that are none."""
    if "pictures" not in context.kept:
        paths = {key: _beside(context, value) if value else None for key, value in record.settings.items()}
        folder = paths["folder"] or Path()
        context.kept["pictures"] = Pictures(folder, paths["captions"], paths["model"], reads=_reads())
    kept: Pictures = context.kept["pictures"]
    return kept


def opened(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """The reader of pictures; its models load with the first picture."""
    record = records["Image2Text"]

    def call(argument: str) -> Observation:
        told = within(record.limits.timeout_s, lambda: pictures(context, record).told(argument))
        return Observation(spoken(told))

    return {"Image2Text": call}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """A picture that is not there is told of; and the first picture or question of the project is read."""
    record = records["Image2Text"]
    yield Check("Image2Text", "no such picture.png", "there is no image called")
    if not record.runs:
        return
    folder = _beside(context, record.settings["folder"])
    for file in sorted(one for one in folder.glob("*") if one.suffix.casefold() in KINDS)[:1]:
        yield Check("Image2Text", file.name, "^(?:Caption|Text): |no text in it")
    if record.settings["captions"]:
        with _beside(context, record.settings["captions"]).open("rb") as lines:
            row = msgspec.json.decode(next(lines, b"{}"), type=dict[str, object])
        yield Check("Image2Text", str(row.get("id") or row.get("pid")), "^Caption: |no image")


GROUP = Group((RECORD,), opened, settled, checks)
