"""The texts of the prompts, one file each, and `fill`, which inserts the values of their fields.

Those in the folder `methods` are for methods other than the episode with reflection, and named `methods/NAME`.

Stages, `scratchpad` and the trainer use it; it imports nothing of the project. A changed text changes the digests of
asks, so a resumed run asks anew from there. Begin with card.txt, the system message of every episode.
"""

from __future__ import annotations

import string
from functools import cache
from importlib import resources


def fill(prompt: str, **fields: str) -> str:
    """Returns the text of `prompt`.txt with its `{fields}` replaced.

    Raises KeyError unless exactly the fields of the file are given.
    """
    text, wanted = _load(prompt)
    if wanted != set(fields):
        raise KeyError(f"prompt {prompt}: fields {sorted(wanted)} expected, {sorted(fields)} given")
    return text.format_map(fields)


@cache
def _load(prompt: str) -> tuple[str, set[str]]:
    text = resources.files(__name__).joinpath(f"{prompt}.txt").read_text(encoding="utf-8").rstrip("\n")
    return text, {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
