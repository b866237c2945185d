"""The pictures of the panes: every letter in its cell, curves as dots."""

from __future__ import annotations

from xml.etree import ElementTree

from pictures import EDGE, WIDE, drawn
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

SVG = "{http://www.w3.org/2000/svg}"


def test_letters_are_where_their_cells_are() -> None:
    style = Style.parse("bold #ff0000 on #00ff00")
    row = Strip([Segment("東京 "), Segment("  a<b  [c]", style), Segment("\u2801\u2880", Style.parse("#0000ff"))])
    tree = ElementTree.fromstring(drawn([row], "#000000"))
    words = {found.text: found for found in tree.iter(f"{SVG}text")}
    assert list(words) == ["東京", "a<b", "[c]"]
    assert float(words["a<b"].attrib["x"]) == round(EDGE + 7 * WIDE, 1)
    assert words["[c]"].attrib["fill"] == "#ff0000"
    grounds = [found.attrib["fill"] for found in tree.iter(f"{SVG}rect")]
    assert grounds == ["#000000", "#00ff00"]
    (dots,) = tree.iter(f"{SVG}path")
    assert dots.attrib["d"].count("h0") == 2
