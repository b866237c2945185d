"""TOML of strangers: what a person writes is read, what would hang or end a reader is refused at once."""

from __future__ import annotations

import time

import pytest

from autoact.files import toml_text

HOSTILE = {
    "a key of many parts": ".".join("a" * 250_000) + " = 1",
    "a heading of many parts": f"[{'.'.join('a' * 250_000)}]",
    "a key of quoted parts": " . ".join(['"a b"'] * 50_000) + " = 1",
    "parts in single quotes": "x = 1\n" + "\t.\t".join(["'a'"] * 50_000) + " = 1",
    "lists without end": "a = " + "[" * 100_000,
    "tables without end": "a = " + "{a=" * 100_000,
    "deep lists that end": f"a = {'[' * 60}{']' * 60}",
    "a number of many digits": "a = " + "1" * 100_000,
    "a number in many words": "a = 0x" + "f" * 900_000,
    "one more than 64 bits": f"a = {2**63}",
    "a long file": "a = 1\n" * 200_000,
    "words without an end": "a" * 999_999,
    "quotes without an end": '"' * 999_999,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused(name: str) -> None:
    before = time.thread_time()
    with pytest.raises(toml_text.TOMLDecodeError):
        toml_text.parse(HOSTILE[name])
    assert time.thread_time() - before < 30  # the worst took hours; of this thread's own time


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b.c = 1", {"a": {"b": {"c": 1}}}),
        ('description = "One. Two. Three. And e.g. a.b.c.d."', {"description": "One. Two. Three. And e.g. a.b.c.d."}),
        (f"a = {2**63 - 1}", {"a": 2**63 - 1}),
        ("a = [[[[1]]]]", {"a": [[[[1]]]]}),
    ],
)
def test_what_people_write_is_read(text: str, found: dict[str, object]) -> None:
    assert toml_text.parse(text) == found
