"""WebSearch, Retrieve and Lookup: search for pages, open one, and find a word in it, over the corpus or the web."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from autoact import scratchpad
from autoact.english.sentences import first_sentences, sentences, shorten
from autoact.script import Observation
from autoact.tools.library.tool import Call, Check, Group, ToolContext, ToolLimits, ToolRecord
from autoact.tools.pages.corpus import Page, tokens
from autoact.tools.pages.sources import (
    CORPUS,
    READ,
    SEARCH,
    PageSource,
    Search,
    open_page_source,
    search_function,
    settle,
    source_of,
)
from autoact.tools.pages.title_search import fold

RECORDS = (
    ToolRecord(
        name="WebSearch",
        aliases=("BingSearch",),
        definition="Searches for pages about a question or some key words and shows the best few.",
        usage="WebSearch[first woman to win a Nobel Prize]",
        powers=("network",),
        limits=ToolLimits(max_chars=600),
        settings=dict(SEARCH),
    ),
    ToolRecord(
        name="Retrieve",
        definition="Opens the page with the given title and shows how it begins.",
        usage="Retrieve[Marie Curie]",
        powers=("network",),
        settings=dict(READ),
    ),
    ToolRecord(
        name="Lookup",
        definition="Finds the next sentence with a key word on the page opened last.",
        usage="Lookup[Nobel Prize]",
        after=("Retrieve", "WebSearch"),
    ),
)
NEARBY = 5
"""Titles suggested when a page is not found."""
_STEM = 6
"""Words are compared by this many first letters, so that `directed` matches `director`."""


class Encyclopedia:
    """The pages that one episode opened last, and the position of Lookup in them."""

    def __init__(self, search: Search, source: PageSource, records: Mapping[str, ToolRecord]) -> None:
        self._search, self._source = search, source
        self._records = records
        self._pages: Sequence[Page] = ()
        self._keyword = ""
        self._matches: list[str] = []
        self._shown = 0

    def search(self, query: str) -> Observation:
        """Returns the best pages, numbered, each with the sentence nearest to the query. Lookup then searches these
        pages."""
        record = self._records["WebSearch"]
        hits = self._search(query, record.settings["results"])
        if not hits:
            return Observation(f"No results for [{query}].", failed=True)
        self._set_pages(hits)
        room = record.limits.max_chars // len(hits) - 4  # the number before each hit and the space after it
        lines = (f"{page.title}: {nearest_sentence(page, query)}" for page in hits)
        return Observation(" ".join(f"{number}. {shorten(line, room)}" for number, line in enumerate(lines, 1)))

    def retrieve(self, title: str) -> Observation:
        """Returns the first sentences of a page, after its title where that differs from the one asked for."""
        page = self._source.page(title)
        if page is None:
            offers = scratchpad.list_offers(self._source.nearby(title, NEARBY))
            return Observation(f"Could not find [{shorten(title, 80)}].{offers}", failed=True)
        self._set_pages([page])
        name = "" if fold(page.title) == fold(title) else f"{page.title}: "
        return Observation(name + first_sentences(page.text, self._records["Retrieve"].limits.max_chars - len(name)))

    def lookup(self, keyword: str) -> Observation:
        """Returns the next sentence with the key word: the same word goes on to the next sentence, another one
        starts again."""
        if not self._pages:
            return Observation("Lookup needs a page first: use Retrieve or WebSearch.", failed=True)
        if fold(keyword) != self._keyword:
            self._keyword, self._matches, self._shown = fold(keyword), self._sentences_with(fold(keyword)), 0
        if not self._matches:
            names = "; ".join(page.title for page in self._pages)
            return Observation(f"No sentence of [{names}] contains [{shorten(keyword, 80)}].", failed=True)
        if self._shown == len(self._matches):
            return Observation("No more results.", failed=True)
        self._shown += 1
        return Observation(f"(Result {self._shown} / {len(self._matches)}) {self._matches[self._shown - 1]}")

    def _set_pages(self, pages: Sequence[Page]) -> None:
        self._pages, self._keyword, self._matches, self._shown = pages, "", [], 0

    def _sentences_with(self, keyword: str) -> list[str]:
        """Returns the sentences that contain the key word as written, or else all of its words."""
        several = len(self._pages) > 1
        lines = [
            (fold(sentence), f"{page.title}: {sentence}" if several else sentence)
            for page in self._pages
            for sentence in sentences(page.text)
        ]
        whole = [shown for folded, shown in lines if keyword in folded]
        words = keyword.split()
        return whole or [shown for folded, shown in lines if all(word in folded for word in words)]


def nearest_sentence(page: Page, query: str) -> str:
    """Returns the first of the page's sentences that share the most words with the query."""
    wanted = {token[:_STEM] for token in tokens(query)}
    found = sentences(page.text)
    return max(found, key=lambda sentence: len(wanted & {token[:_STEM] for token in tokens(sentence)}), default="")


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the three tools, which share the pages opened last."""
    encyclopedia = Encyclopedia(
        search_function(context, records["WebSearch"]), open_page_source(context, records["Retrieve"]), records
    )
    return {"WebSearch": encyclopedia.search, "Retrieve": encyclopedia.retrieve, "Lookup": encyclopedia.lookup}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields checks on the first page of the corpus; without one, on a page that every wiki has."""
    page = next(context.corpus.pages(), None)
    title = page.title if page else "Earth"
    offline = {name: source_of(context, records[name]) == CORPUS for name in ("WebSearch", "Retrieve")}
    word = max(tokens(page.text if page and offline["Retrieve"] else "planet"), key=len)
    yield Check("WebSearch", title, r"^1\. ", "" if offline["WebSearch"] else "network")
    yield Check("Retrieve", title, ".", "" if offline["Retrieve"] else "network")
    yield Check("Lookup", word, r"^\(Result 1 / ", "" if offline["Retrieve"] else "network")


GROUP = Group(RECORDS, open_calls, settle, checks, remembers=True)
