"""Foreign text: what acts or hides is made visible, what is spelling stays."""

from __future__ import annotations

import random
import re

import pytest

from studio.terminal import untrusted_text

ACTS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
SPELT = [
    "naïve café", "日本語テキスト", "العربية", "עברית", "हिन्दी क्षत्रिय", "👨‍👩‍👧‍👦 🏳️‍🌈 ❤️", "x\u0301y", "line\nline",
    "±√∞ ∑ → ≤", "می‌خواهم", "BingSearch[Woman in Gold]", "[/bold] [@click=app.quit]x[/]",
]  # fmt: skip
RANGES = ((0, 0x20), (0x7F, 0xA0), (0x300, 0x370), (0x2000, 0x2070), (0x20, 0x7F), (0xD800, 0xE000), (0xFE00, 0xFE10),
          (0xE0000, 0xE0200), (0, 0x110000))  # fmt: skip


def hostile(source: random.Random, length: int = 60) -> str:
    return "".join(chr(source.randrange(*source.choice(RANGES))) for _ in range(length))


def test_five_thousand_hostile_strings() -> None:
    source = random.Random(20261122)
    for _ in range(5000):
        text = hostile(source)
        shown = untrusted_text.clean(text)
        assert not ACTS.search(shown), (text, shown)
        assert untrusted_text.clean(shown) == shown, (text, shown)
        shown.encode()
        one = untrusted_text.line(text, 40)
        assert not ACTS.search(one), (text, one)
        assert "\n" not in one
        assert not re.search("[\u0300-\u036f]{5}", shown)


@pytest.mark.parametrize("text", SPELT)
def test_what_is_spelling_stays(text: str) -> None:
    assert untrusted_text.clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("a\rb\x08\x7f", "a␍b␈␡"),
        ("\x9b2J", "\\x9b2J"),
        ("abc\u202ecba", "abc<U+202E>cba"),
        ("in\u200bvisible", "in<U+200B>visible"),
        ("pass\u200dword", "pass<joiner:1>word"),
        ("hi\U000e0041\U000e0042", "hi<hidden:2>"),
        ("\ud800", "\ufffd"),
        ("a\tb", "a   b"),
        ("a\r\nb", "a\nb"),
        ("x" + "\u0301" * 50, "x" + "\u0301" * 4),
    ],
)
def test_what_acts_or_hides_is_seen(text: str, shown: str) -> None:
    assert untrusted_text.clean(text) == shown


def test_nothing_goes_on_for_ever() -> None:
    assert untrusted_text.clean("x" * 100_000).endswith("…[cut, 100000 characters in full]")
    assert len(untrusted_text.clean("x" * 10_000_000)) < 5_000
    assert len(untrusted_text.clean("y\n" * 30_000).split("\n")) == untrusted_text.LINES + 1
    assert untrusted_text.line("one\ntwo\nthree", 7) == "one ⏎ t…"


def test_content_is_never_markup() -> None:
    assert untrusted_text.content("BingSearch[Woman in Gold]").plain == "BingSearch[Woman in Gold]"
    assert untrusted_text.content("[bold]x[/bold] [/").plain == "[bold]x[/bold] [/"
    assert untrusted_text.content("\x1b]0;title\x07").plain == "␛]0;title␇"
