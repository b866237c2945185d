"""Retrieval coverage: whether the corpus holds the pages that questions need, and whether Retrieve opens them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from autoact.metrics import normalise
from autoact.script import Observation
from autoact.tools.pages.corpus import Corpus
from autoact.tools.pages.title_search import fold
from autoact.trajectory import Question

BEGINNING = 40
"""Characters by which an observation is known as the beginning of a page."""


class Coverage(Struct, frozen=True):
    """Counts over questions whose gold pages are known."""

    questions: int
    held: int
    """Questions with all of their gold pages in the corpus."""
    reached: int | None
    """Of these, those whose gold pages Retrieve opens when it is called with their titles; None if it was not tried."""
    answered: int
    """Questions with a gold page that contains the gold answer; yes, no and options count as contained."""
    missing: tuple[str, ...]
    """Titles of gold pages that the corpus has not."""
    unreached: tuple[str, ...]
    """Titles with which Retrieve opens nothing, or another page."""


def measure_coverage(
    questions: Sequence[Question], corpus: Corpus, retrieve: Callable[[str], Observation] | None
) -> Coverage:
    """Returns the coverage of questions; those without known gold pages do not count.

    `retrieve` calls the tool with a title. It is None if there is none, or if it would use a network.
    """
    known = [one for one in questions if one.gold]
    texts = {title: _find_text(corpus, title) for title in dict.fromkeys(title for one in known for title in one.gold)}
    missing = [title for title, text in texts.items() if text is None]
    unreached = [
        title for title, text in texts.items() if text is not None and retrieve and not _opens(retrieve(title), text)
    ]
    held = [one for one in known if not set(one.gold) & set(missing)]
    reached = sum(not set(one.gold) & set(unreached) for one in held)
    return Coverage(
        questions=len(known),
        held=len(held),
        reached=reached if retrieve else None,
        answered=sum(_has_answer(one, [texts[title] or "" for title in one.gold]) for one in known),
        missing=tuple(missing),
        unreached=tuple(unreached),
    )


def describe_coverage(found: Coverage) -> str:
    """Returns the counts in words."""
    words = f"the corpus has the gold pages of {found.held} of {found.questions} questions"
    if found.reached is not None:
        words += f", Retrieve opens those of {found.reached}"
    return f"{words}, and a page says the answer of {found.answered}"


def _find_text(corpus: Corpus, title: str) -> str | None:
    page = corpus.page(title)
    return page.text if page is not None and fold(page.title) == fold(title) else None


def _opens(seen: Observation, text: str) -> bool:
    """Returns whether an observation is the beginning of a page."""
    return not seen.failed and seen.text.startswith(" ".join(text.split())[:BEGINNING].rstrip())


def _has_answer(question: Question, texts: Sequence[str]) -> bool:
    answer = normalise(question.answer or "")
    if question.choices or answer in ("yes", "no"):
        return any(texts)
    return any(f" {answer} " in f" {normalise(text)} " for text in texts)
