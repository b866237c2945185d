"""Chooses the few of many tools whose descriptions fit a task best, without asking a model."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from msgspec import Struct

from autoact.tools.pages.corpus import tokens
from autoact.trajectory import Example, Tool

NAME_WEIGHT = 2.0
"""Weight of a word in a tool's name; a word in its definition has weight 1."""
TASK_WEIGHT = 2.0
"""Weight of the task's description; a question has weight 1."""
MOST_QUESTIONS = 8
_SCHEMA = "CREATE VIRTUAL TABLE tool USING fts5(name, definition, tokenize='porter unicode61 remove_diacritics 2')"
_SCORES = f"SELECT rowid, -bm25(tool, {NAME_WEIGHT}, 1.0) FROM tool WHERE tool MATCH ? ORDER BY rowid"
_PART_OF_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_RELATED_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"\b(?:who|whom|whose|which|when|where|born|capital|author|founded)\b", "search page title encyclopedia web"),
        (
            r"\d\s*[-+*/^%×÷]\s*\d|\bhow (?:much|many)\b|\b(?:sum|percent|average|total|product)\b|%",
            "arithmetic calculate",
        ),
        (r"\b(?:picture|photo|image|diagram|figure|shown|drawing)\b", "image picture photo"),
        (r"\b(?:table|row|column|spreadsheet)\b", "table rows"),
        (r"\b(?:related|relation|relationship|entity|property of)\b", "facts related knowledge"),
    )
)
"""Words of a task, and the words used in the descriptions of tools that help with it."""


class ToolFit(Struct, frozen=True):
    """The fit of a tool for a task."""

    tool: Tool
    score: float
    """Summed BM25 of its name and definition; 0 when no word is shared."""
    uses: int = 0
    """Calls in the worked examples: a tool that they use comes before all others."""
    words: tuple[str, ...] = ()
    """Words of the task that the tool's name and definition have."""

    def reason(self) -> str:
        """Explains the fit in a few words."""
        if self.uses:
            return f"the worked examples use it ({self.uses})"
        return f"it shares {', '.join(self.words)}" if self.words else "it shares no word with the task"


def rank_tools(task: str, examples: Sequence[Example], tools: Sequence[Tool]) -> list[ToolFit]:
    """Returns every tool, the best fit first. The order of `tools` does not matter."""
    tools = sorted(tools, key=lambda tool: (tool.name, tool.definition))
    uses = Counter(step.action for example in examples for step in example.steps)
    scores = dict.fromkeys(range(1, len(tools) + 1), 0.0)
    all_words: set[str] = set()
    with closing(_build_index(tools)) as index:
        for text, weight in _texts(task, examples):
            words = tokens(_add_related_words(text))
            all_words.update(words)
            for row, score in _scores(index, words).items():
                scores[row] += weight * score
        words_of = _shared_words(index, sorted(all_words))
    fits = [
        ToolFit(
            tool, round(scores[row], 6), sum(uses[name] for name in (tool.name, *tool.aliases)), words_of.get(row, ())
        )
        for row, tool in enumerate(tools, 1)
    ]
    return sorted(fits, key=lambda fit: (-fit.uses, -fit.score, fit.tool.name))


def choose_tools(
    task: str, examples: Sequence[Example], tools: Sequence[Tool], most: int
) -> tuple[list[Tool], dict[str, str]]:
    """Returns the `most` tools that fit best, the best first, and the reason why each other tool was left out."""
    fits = rank_tools(task, examples, tools)
    others = {
        fit.tool.name: f"rank {rank} of {len(fits)} by its description; only {most} are offered: {fit.reason()}"
        for rank, fit in enumerate(fits[most:], most + 1)
    }
    return [fit.tool for fit in fits[:most]], others


def _texts(task: str, examples: Sequence[Example]) -> Iterator[tuple[str, float]]:
    yield task, TASK_WEIGHT
    questions = sorted({example.question.text for example in examples})[:MOST_QUESTIONS]
    for question in questions:
        yield question, 1.0


def _add_related_words(text: str) -> str:
    return " ".join([text, *(words for pattern, words in _RELATED_WORDS if pattern.search(text))])


def _build_index(tools: Sequence[Tool]) -> sqlite3.Connection:
    index = sqlite3.connect(":memory:")
    index.execute(_SCHEMA)
    rows = (
        (number, _split_name(" ".join((tool.name, *tool.aliases))), tool.definition)
        for number, tool in enumerate(tools, 1)
    )
    index.executemany("INSERT INTO tool (rowid, name, definition) VALUES (?, ?, ?)", rows)
    return index


def _split_name(name: str) -> str:
    """Splits a tool's name into words: WebSearch is `Web Search`, maps.find_route is `maps find route`."""
    return " ".join(_PART_OF_NAME.findall(name))


def _scores(index: sqlite3.Connection, words: Sequence[str]) -> Mapping[int, float]:
    # Every word is quoted and holds letters and digits only, so nothing of it is search syntax.
    matching = " OR ".join(f'"{word}"' for word in words)
    return dict(index.execute(_SCORES, (matching,)).fetchall()) if words else {}


def _shared_words(index: sqlite3.Connection, words: Sequence[str]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for word in words:
        for row in _scores(index, [word]):
            found[row] = (*found.get(row, ()), word)
    return found
