"""The prompts, one text file each, and what fills them. An unknown or missing field is an error."""

from __future__ import annotations

import string
from functools import cache
from importlib import resources


def fill(prompt: str, **fields: str) -> str:
    """The text of `prompt`.txt with its `{fields}` replaced.

    Raises KeyError unless the fields given are exactly the fields the file names.
    """
    text, wanted = _load(prompt)
    if wanted != set(fields):
        raise KeyError(f"prompt {prompt}: fields {sorted(wanted)} expected, {sorted(fields)} given")
    return text.format_map(fields)


@cache
def _load(prompt: str) -> tuple[str, set[str]]:
    text = resources.files(__name__).joinpath(f"{prompt}.txt").read_text(encoding="utf-8").rstrip("\n")
    return text, {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
