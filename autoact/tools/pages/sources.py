"""The sources of pages that the setting `source` names: the corpus, search engines, a wiki, or a ZIM file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from autoact.files import disk
from autoact.security import grants
from autoact.tools.library.tool import ToolContext, ToolRecord, require_package, with_state
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Page

if TYPE_CHECKING:
    from autoact.tools.web.caching_client import CachingClient

CORPUS, WIKIPEDIA, ZIM, DDGS = "corpus", "wikipedia", "zim", "ddgs"
KEYS = {"tavily": "TAVILY_API_KEY", "brave": "BRAVE_API_KEY", "exa": "EXA_API_KEY", "searxng": ""}
"""The secret that each search engine needs; SearXNG, on a host of one's own, needs none."""
BACKENDS = ("duckduckgo", "brave", "mojeek", "startpage", "yahoo", "wikipedia")
"""The engines of ddgs that may be named. Without a choice the package asks machine-written encyclopedias first."""
DDGS_HOST = "https://duckduckgo.com"
"""The host that ddgs asks first."""
READERS = (CORPUS, WIKIPEDIA, ZIM)
SEARCHERS = (CORPUS, DDGS, WIKIPEDIA, *KEYS)
ONLINE: Mapping[str, Any] = {"allow": [], "contact": "", "cache_hours": 168.0}
"""Settings of tools that use the web: hosts allowed though they are not public, a contact address for hosts, and how
long replies are cached."""
WIKI: Mapping[str, Any] = {"source": CORPUS, "site": "https://en.wikipedia.org", **ONLINE}
READ: Mapping[str, Any] = {**WIKI, "file": ""}
SEARCH: Mapping[str, Any] = {**WIKI, "results": 3, "host": "", "backends": ["duckduckgo", "brave", "mojeek"]}

Search = Callable[[str, int], Sequence[Page]]
"""Returns the best pages for a query and a number of pages, the best first. Raises ToolFailed."""


class PageSource(Protocol):
    """A source of pages by title. Both methods raise ToolFailed."""

    def page(self, title: str) -> Page | None:
        """Returns the page with a title; None when there is none."""

    def nearby(self, title: str, k: int) -> list[str]:
        """Returns at most `k` titles to try instead."""


class CorpusPages:
    """The corpus as a source of pages."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def page(self, title: str) -> Page | None:
        return self._corpus.page(title)

    def nearby(self, title: str, k: int) -> list[str]:
        """Returns titles of pages about the thing, then similar titles."""
        about = (page.title for page in self._corpus.search(title, k // 2))
        return list(dict.fromkeys([*about, *self._corpus.similar(title)]))[:k]


class WikiPages:
    """A wiki as a source of pages, opened for each call."""

    def __init__(self, record: ToolRecord) -> None:
        self._record = record

    def page(self, title: str) -> Page | None:
        from autoact.tools.web.wikipedia import Wikipedia

        return Wikipedia(web_client(self._record), self._record.settings["site"]).page(title)

    def nearby(self, title: str, k: int) -> list[str]:
        from autoact.tools.web.wikipedia import Wikipedia

        return Wikipedia(web_client(self._record), self._record.settings["site"]).nearby(title, k)


class ZimPages:
    """A ZIM file as a source of pages, opened for each call, which takes less time than reading a page."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def page(self, title: str) -> Page | None:
        from autoact.tools.pages.zim import Zim

        return Zim(self._file).page(title)

    def nearby(self, title: str, k: int) -> list[str]:
        from autoact.tools.pages.zim import Zim

        return Zim(self._file).nearby(title, k)


def open_page_source(context: ToolContext, record: ToolRecord) -> PageSource:
    """Returns the source from which Retrieve takes pages."""
    source = source_of(context, record)
    if source == ZIM:
        return ZimPages(_file(context, record))
    return WikiPages(record) if source == WIKIPEDIA else CorpusPages(context.corpus)


def source_of(context: ToolContext, record: ToolRecord) -> str:
    """Returns the name of the source of WebSearch or Retrieve: the paragraphs of a data set, if used, override the
    setting."""
    return CORPUS if context.data_pages else str(record.settings["source"])


def search_function(context: ToolContext, record: ToolRecord) -> Search:
    """Returns the function by which WebSearch searches."""
    settings, source = record.settings, source_of(context, record)
    if source == CORPUS:
        return context.corpus.search

    def search(query: str, k: int) -> Sequence[Page]:
        from autoact.security.secrets import Secret
        from autoact.tools.web.engines import SearchEngine
        from autoact.tools.web.metasearch import Metasearch
        from autoact.tools.web.wikipedia import Wikipedia

        client = web_client(record)
        if source == DDGS:
            return Metasearch(settings["backends"], client).search(query, k)
        if source == WIKIPEDIA:
            return Wikipedia(client, settings["site"]).search(query, k)
        value = _key(context, source, settings["host"])
        return SearchEngine(source, client, settings["host"], Secret(KEYS[source], value or "")).search(query, k)

    return search


def _file(context: ToolContext, record: ToolRecord) -> Path:
    """Returns the ZIM file of the settings, relative to the project's folder."""
    return (context.root or Path()) / disk.expand_user(record.settings["file"])


def web_client(record: ToolRecord) -> CachingClient:
    """Makes the web client of a tool, with the tool's limits."""
    from autoact.tools.web.caching_client import CachingClient, default_cache
    from autoact.tools.web.client import Client
    from autoact.tools.web.guard import Guard

    settings = record.settings
    client = Client(Guard(settings["allow"]), record.limits.timeout_s, contact=settings["contact"])
    return CachingClient(client, default_cache(), settings["cache_hours"] * 3600)


def host_url(record: ToolRecord) -> str:
    """Returns the URL of the host that a tool asks; empty for a tool without one."""
    from autoact.tools.web.engines import SERVICES

    settings, source = record.settings, record.settings.get("source")
    if source in SERVICES:
        return str(settings["host"] or SERVICES[source].host)
    if source == DDGS:
        return DDGS_HOST
    return str(settings["site"] if source == WIKIPEDIA else settings.get("endpoint") or settings.get("url") or "")


def settle(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """Returns the record with the state, the powers and the repeatability that its source gives it."""
    if record.name == "Lookup":
        return record
    source = source_of(context, record)
    sources = SEARCHERS if record.name == "WebSearch" else READERS
    if source not in sources:
        return with_state(record, "needs-setting", f"its setting `source` is one of {', '.join(sources)}, not {source}")
    if source == CORPUS:
        record = msgspec.structs.replace(record, powers=(), repeatable=True)
        if not len(context.corpus):
            online = DDGS if record.name == "WebSearch" else WIKIPEDIA
            reason = (
                f'the corpus is empty: put pages into corpus/, or search the web: settings = {{source = "{online}"}}'
            )
            return with_state(record, "needs-setting", reason)
        searched = 'it searches the corpus; for the web: settings = {source = "ddgs"}'
        return with_state(record, "offline", searched) if record.name == "WebSearch" else record
    if source == ZIM:
        exists = record.settings["file"] and _file(context, record).is_file()
        record = msgspec.structs.replace(record, powers=("files",), repeatable=True)
        return record if exists else with_state(record, "needs-setting", 'it needs a ZIM file: file = "wikipedia.zim"')
    return _online(context, record, source)


def _online(context: ToolContext, record: ToolRecord, source: str) -> ToolRecord:
    if source == DDGS:
        unknown = [name for name in record.settings["backends"] if name not in BACKENDS]
        if unknown or not record.settings["backends"]:
            return with_state(record, "needs-setting", f"its setting backends takes some of {', '.join(BACKENDS)}")
        return require_package(record, "ddgs", "search")
    if source == "searxng" and not record.settings["host"]:
        return with_state(record, "needs-setting", 'it needs the address of your SearXNG: host = "https://..."')
    key, host = KEYS.get(source), record.settings.get("host", "")
    if key and context.secret(key) is None:
        return with_state(record, "needs-key", f"needs a key: autoact secrets set {key}")
    if key and host and not context.granted(key, host):
        return with_state(record, "refused", grants.refusal(key, host))
    return record


def _key(context: ToolContext, source: str, host: str) -> str | None:
    """Returns the key for a search engine: its own host may always have it, a host of the settings where that is
    granted."""
    name = KEYS[source]
    if not name:
        return None
    return context.secret_for(name, host) if host else context.secret(name)
