"""Image2Text reads pictures and cached captions, Text2Image keeps what it draws; neither leaves its folder."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from autoact.errors import BadProject, ToolFailed
from autoact.project.questions import read_questions
from autoact.script import Observation
from autoact.tools.images.captions import Captions
from autoact.tools.images.image_to_text import Pictures
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.library.tool import ToolRecord
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Question

ROWS = (
    '{"pid": "7", "Question": "Which bird is this?\\nOptions: (A) crow", "caption": "A crow.", '
    "\"orc\": \"[([[0, 0]], 'CROW', 0.9), ([[0, 0]], '#?', 0.2)]\"}\n"
    '{"id": "8", "question": "What is 2 + 2?", "caption": "no img", "orc": "no img"}\n'
    '{"id": "9", "question": "Which sea?", "caption": "A map", "ocr": ["Red", "Sea"]}\n'
)


def library(corpus: Corpus, root: Path, tool: str = "Image2Text", **settings: object) -> Library:
    return Library.load(None, ToolContext(corpus, {tool: settings}, root=root))


def record(library: Library, name: str = "Image2Text") -> ToolRecord:
    found = library.resolve(name)
    assert found is not None
    return found


def ask(library: Library, argument: str) -> Observation:
    return library.session().call("Image2Text", argument)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "captions.jsonl").write_text(ROWS)
    return tmp_path


def test_cached_captions(corpus: Corpus, root: Path) -> None:
    cached = library(corpus, root, captions="captions.jsonl")
    assert record(cached).state in ("ready", "offline")
    for asked in ("7", "which bird is this", "Which bird is this?\nOptions: (A) crow"):
        assert ask(cached, asked).text == "Caption: A crow. Text: CROW."
    assert ask(cached, "8").text == "This question has no image."
    assert ask(cached, "9").text == "Caption: A map. Text: Red, Sea."
    assert ask(cached, "10").failed


def test_captions_of_scienceqa(shared: Path) -> None:
    captions = Captions(shared / "data" / "scienceqa" / "dev.jsonl")
    polar = captions.find("332")
    assert polar is not None
    assert polar.caption == "A white polar bear standing on top of a rock."
    web = captions.find("18258")
    assert web is not None
    assert {"grizzly bear", "lichen", "mushroom"} <= set(web.texts)
    sentence = captions.find("14767")
    assert sentence is not None
    assert not sentence.there


def test_an_episode_is_told_of_the_picture_of_its_own_question(corpus: Corpus, root: Path, shared: Path) -> None:
    file = shared / "data" / "scienceqa" / "dev.jsonl"
    questions = [question for question in read_questions(file, "data") if question.picture and question.picture.there]
    cached = library(corpus, root, captions=str(file))
    for known in (questions, [replace(one, picture=None) for one in questions]):
        for question in known:
            seen = cached.session(question).call("Image2Text", question.text.partition("\n")[0])
            own = next(one.picture for one in questions if one.id == question.id)
            assert own is not None
            assert seen.text.startswith(f"Caption: {own.caption.rstrip('. ')}.")
    assert len(questions) == 65


def test_wording_finds_a_picture_where_no_id_does(corpus: Corpus, root: Path) -> None:
    rows = [
        {"id": f"c-{at}", "question": f"Which is shown?\nOptions: (A) {first} (B) {second}", "caption": caption}
        for at, (first, second, caption) in enumerate(
            [("cat", "dog", "A dog"), ("sea", "sky", "Water"), ("x", "y", "Z")]
        )
    ]
    (root / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, {**rows[2], "caption": "W"}]))
    cached = library(corpus, root, captions="mine.jsonl")

    def seen(*choices: str) -> str:
        question = Question("other", "Which is shown?", "A", choices=choices)
        return cached.session(question).call("Image2Text", "Which is shown?").text

    assert seen("sea", "sky") == "Caption: Water."
    assert seen("cat", "dog") == "Caption: A dog."
    assert "have different pictures" in seen("x", "y")
    assert "have different pictures" in ask(cached, "Which is shown?").text


def test_a_picture_is_found_by_the_id_of_its_question(root: Path) -> None:
    (root / "images" / "7").mkdir()
    (root / "images" / "7" / "image.png").write_bytes(bomb(1, 1))
    unread = Pictures(root / "images", None, None, reads=False)
    with pytest.raises(ToolFailed, match="reading an image needs a package"):
        unread.describe("what is shown here", Question("7", "Which?"))
    with pytest.raises(ToolFailed, match="there is no image called"):
        unread.describe("what is shown here", Question("8", "Which?"))


def test_captions_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n[]\n')
    with pytest.raises(BadProject, match=r"a\.jsonl:2: expected a JSON object"):
        Captions(tmp_path / "a.jsonl")


def test_states(corpus: Corpus, root: Path) -> None:
    assert record(library(corpus, root)).state in ("ready", "needs-package")
    for settings in ({"captions": "absent.jsonl"}, {"model": "absent"}):
        assert record(library(corpus, root, **settings)).state == "needs-setting"
    drawing = record(library(corpus, root, "Text2Image"), "Text2Image")
    assert (drawing.state, drawing.reason.startswith("off: set `model`")) == ("needs-setting", True)
    absent = record(library(corpus, root, "Text2Image", model="absent"), "Text2Image")
    assert (absent.state, "not a diffusers pipeline" in absent.reason) == ("needs-setting", True)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is large and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_what_is_no_picture_of_the_project(corpus: Corpus, root: Path) -> None:
    pytest.importorskip("rapidocr")
    outside = root / "outside.png"
    outside.write_bytes(bomb(1, 1))
    (root / "images" / "link.png").symlink_to(outside)
    (root / "images" / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (root / "images" / "text.png").write_text("no picture")
    (root / "images" / "cut.png").write_bytes(bomb(9, 9))
    (root / "images" / "notes.txt").write_text("secret")
    reading = library(corpus, root)
    for name in ("../outside.png", str(outside), "link.png", "notes.txt", ".", "\x00.png", "a" * 5000 + ".png"):
        seen = ask(reading, name)
        assert seen.failed
        assert "secret" not in seen.text
    assert "pixels" in ask(reading, "bomb.png").text
    for name in ("text.png", "cut.png"):
        assert "cannot be read as an image" in ask(reading, name).text
    assert ask(reading, "absent.png").text.endswith("there are bomb.png, cut.png, link.png, text.png")


@pytest.mark.slow
def test_text_in_a_picture(corpus: Corpus, root: Path) -> None:
    pytest.importorskip("rapidocr")
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (640, 200), "white")
    ImageDraw.Draw(picture).text((30, 60), "Marie Curie 1867", fill="black", font=ImageFont.load_default(64))
    picture.save(root / "images" / "curie.png")
    seen = ask(library(corpus, root), "curie.png").text
    assert seen.replace(",", "") == "Text: Marie Curie 1867."


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_caption_by_a_model(corpus: Corpus, root: Path) -> None:
    pytest.importorskip("PIL")
    from PIL import Image

    blip(root / "blip")
    Image.new("RGB", (40, 40), "red").save(root / "images" / "red.png")
    captioned = library(corpus, root, model="blip")
    assert record(captioned).state == "ready"
    seen = ask(captioned, "red.png")
    assert not seen.failed, seen.text
    assert seen.text.startswith(("Caption: ", "The image has no text"))


def blip(folder: Path) -> None:
    """A random caption model of the smallest size."""
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "red", "square", "of", "the", "sea"]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**small, "vocab_size": len(words), "bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3,
            "pad_token_id": 0, "encoder_hidden_size": 16}  # fmt: skip
    config = BlipConfig(text_config=text, vision_config={**small, "image_size": 32, "patch_size": 16})
    torch.manual_seed(1)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    BlipProcessor(BlipImageProcessor(size=size), tokenizer).save_pretrained(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_drawing(corpus: Corpus, root: Path) -> None:
    pytest.importorskip("diffusers")
    from PIL import Image

    diffusion(root / "tiny")
    settings = {"model": "tiny", "steps": 2, "pixels": 64}
    drawing = library(corpus, root, "Text2Image", **settings)
    seen = drawing.session().call("Text2Image", "A red bicycle, by the sea!")
    assert not seen.failed, seen.text
    assert seen.text.startswith("Drawn: images/a-red-bicycle-by-the-sea-")
    file = root / seen.text.removeprefix("Drawn: ")
    with Image.open(file) as picture:
        assert picture.size == (64, 64)
    drawn = file.read_bytes()
    file.unlink()
    again = library(corpus, root, "Text2Image", **settings).session().call("Text2Image", "A red bicycle, by the sea!")
    assert (root / again.text.removeprefix("Drawn: ")).read_bytes() == drawn
    late = library(corpus, root, "Text2Image", **settings, timeout_s=0.001).session().call("Text2Image", "another")
    assert late.failed
    assert "it took longer than 0.00" in late.text
    assert len(list((root / "images").iterdir())) == 1


def diffusion(folder: Path) -> None:
    """A random pipeline of the smallest size."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    letters = [chr(code) for code in range(33, 127)]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer({word: at for at, word in enumerate(vocabulary)}, [], model_max_length=32)
    torch.manual_seed(1)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(vocabulary), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, max_position_embeddings=32,
        )
    )  # fmt: skip
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, sample_size=8, norm_num_groups=4, cross_attention_dim=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2,
    )  # fmt: skip
    coder = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, latent_channels=4)
    StableDiffusionPipeline(
        coder, text, tokenizer, unet, DDIMScheduler(), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
