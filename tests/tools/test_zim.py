"""Pages of a ZIM file are found by title and read as text; a damaged file is told, never fatal."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.errors import ToolFailed
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.pages.corpus import Corpus, Page
from autoact.tools.pages.zim import MAGIC, Zim, page_text

CURIE = """<html><head><style>p {}</style></head><body><table><tr><td><p>Born 1867</p></td></tr></table>
<p>Marie Curie was a <b>physicist</b> born in Warsaw.<sup>[1]</sup></p><p> She won the Nobel&nbsp;Prize. </p></body>"""
TEXT = "Marie Curie was a physicist born in Warsaw.\n\nShe won the Nobel Prize."
PAGES = {b"Marie_Curie": CURIE, **{b"River_%d" % n: f"<p>River {n} is long.</p>" for n in range(30)}}
Pack = Callable[[bytes], bytes]


def plain(content: bytes) -> bytes:
    return b"\1" + content


def xz(content: bytes) -> bytes:
    return b"\4" + lzma.compress(content)


def zstd(content: bytes) -> bytes:
    packer = pytest.importorskip("zstandard")
    return b"\5" + bytes(packer.ZstdCompressor().compress(content))


def written(file: Path, pack: Pack = plain, space: bytes = b"C") -> Path:
    """A ZIM file with one cluster: all pages, and Madame Curie, who is another name for the first of them."""
    texts = [text.encode() for text in PAGES.values()]
    offsets = [4 * (len(texts) + 1)]
    for text in texts:
        offsets.append(offsets[-1] + len(text))
    cluster = pack(struct.pack(f"<{len(offsets)}I", *offsets) + b"".join(texts))
    blobs = {path: number for number, path in enumerate(PAGES)}
    paths = sorted([*PAGES, b"Madame_Curie"])
    lines = []
    for path in paths:
        if path in blobs:
            line = struct.pack("<HBcIII", 0, 0, space, 0, 0, blobs[path]) + path + b"\0"
            lines.append(line + path.replace(b"_", b" ") + b"\0")
        else:
            lines.append(struct.pack("<HBcII", 0xFFFF, 0, space, 0, paths.index(b"Marie_Curie")) + path + b"\0\0")
    begins = [80 + 8 * len(lines) + 8]
    for line in lines:
        begins.append(begins[-1] + len(line))
    *places, end = begins
    minor = 1 if space == b"C" else 0
    header = struct.pack(
        "<IHH16xIIQQQQII", MAGIC, 6, minor, len(lines), 1, 80, 0, 80 + 8 * len(lines), 0, 0, 0
    ) + struct.pack("<Q", 0)
    pointers = struct.pack(f"<{len(places)}Q", *places) + struct.pack("<Q", end)
    file.write_bytes(header + pointers + b"".join(lines) + cluster)
    return file


@pytest.mark.parametrize("pack", [plain, xz, zstd])
@pytest.mark.parametrize("space", [b"C", b"A"])
def test_pages_by_title(tmp_path: Path, pack: Pack, space: bytes) -> None:
    zim = Zim(written(tmp_path / "a.zim", pack, space))
    assert zim.page("Marie Curie") == Page("Marie Curie", TEXT)
    assert zim.page("marie_Curie") == zim.page(" Madame  Curie ") == zim.page("Marie Curie")
    assert [zim.page(f"River {n}") for n in range(30)] == [Page(f"River {n}", f"River {n} is long.") for n in range(30)]
    assert zim.page("Nobody") is None
    assert zim.page("") is None
    assert zim.page("Zz") is None


def test_titles_nearby(tmp_path: Path) -> None:
    zim = Zim(written(tmp_path / "a.zim"))
    assert zim.nearby("River 2", 3) == ["River 2", "River 20", "River 21"]
    assert zim.nearby("Marie", 5) == ["Marie Curie"]
    assert zim.nearby("Zebra", 5) == zim.nearby("", 0) == []


def test_every_byte_may_be_damaged(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.zim", xz).read_bytes()
    for at in [*range(0, 400), *range(400, len(whole), 7)]:
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            (tmp_path / "b.zim").write_bytes(data)
            try:
                zim = Zim(tmp_path / "b.zim")
                assert zim.page("River 7") is None or zim.page("River 7")
                zim.nearby("River", 3)
            except ToolFailed as error:
                assert "ZIM" in str(error) or "page" in str(error) or "compressed" in str(error)  # noqa: PT017


def test_retrieve_reads_from_a_zim_file(tmp_path: Path) -> None:
    written(tmp_path / "a.zim", xz)
    settings = {"Retrieve": {"source": "zim", "file": "a.zim"}}
    library = Library.load(None, ToolContext(Corpus.of_pages(()), settings, root=tmp_path))
    session = library.session()
    assert session.call("Retrieve", "Madame Curie").text == f"Marie Curie: {' '.join(TEXT.split())}"
    assert session.call("Lookup", "Nobel").text == "(Result 1 / 1) She won the Nobel Prize."
    assert session.call("Retrieve", "River 99").text == "Could not find [River 99]. Similar: [River 9]"
    (tmp_path / "a.zim").unlink()
    record = Library.load(None, ToolContext(Corpus.of_pages(()), settings, root=tmp_path)).resolve("Retrieve")
    assert record
    assert (record.state, record.reason) == ("needs-setting", 'it needs a ZIM file: file = "wikipedia.zim"')


def test_text_of() -> None:
    assert page_text("<p>a<script>x</script> b<table><tr><td>c<table></table>d</table> e</p>f<p>g") == "a b e\n\ng"
