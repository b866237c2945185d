"""Wikipedia, or any MediaWiki with text extracts: its pages by title, its search, and the meanings of a title."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autoact.errors import ToolFailed
from autoact.tools.pages.title_search import fold
from autoact.tools.web.caching_client import CachingClient
from autoact.tools.web.client import HttpRequest
from autoact.trajectory import Page

SITE = "https://en.wikipedia.org"
_HEADING = re.compile(r"=+ .* =+")
_MOST_LINKS = "50"
_ALWAYS = {"action": "query", "format": "json", "formatversion": "2", "redirects": "1"}


class Wikipedia:
    """One wiki, by the address of its host."""

    def __init__(self, client: CachingClient, site: str = SITE) -> None:
        self._client = client
        self._api = f"{site.rstrip('/')}/w/api.php"

    def page(self, title: str) -> Page | None:
        """Returns the page after redirects; None when there is none, or when the title has several meanings."""
        found = self._fetch_page(title)
        if found is None or _is_ambiguous(found):
            return None
        text = _paragraphs(found.get("extract", ""))
        return Page(found["title"], text) if text else None

    def nearby(self, title: str, k: int) -> list[str]:
        """Returns the meanings of an ambiguous title, else the titles that a search for it finds."""
        found = self._fetch_page(title)
        if found is not None and _is_ambiguous(found):
            links = [link["title"] for link in found.get("links", [])]
            # Meanings of Mercury have titles like Mercury (planet); other links come after them.
            return sorted(links, key=lambda link: not fold(link).startswith(fold(title)))[:k]
        query = self._query({"list": "search", "srsearch": title, "srlimit": str(k), "srprop": ""})
        return [hit["title"] for hit in query.get("search", [])]

    def search(self, query: str, k: int) -> list[Page]:
        """Returns the best pages, each with its introduction."""
        wanted = {
            "generator": "search", "gsrsearch": query, "gsrlimit": str(k), "gsrnamespace": "0",
            "prop": "extracts", "exintro": "1", "explaintext": "1", "exlimit": str(k),
        }  # fmt: skip
        found = sorted(self._query(wanted).get("pages", []), key=lambda page: page.get("index", 0))
        return [Page(page["title"], _paragraphs(page.get("extract", ""))) for page in found]

    def _fetch_page(self, title: str) -> Mapping[str, Any] | None:
        wanted = {
            "titles": title.replace("|", " "), "prop": "extracts|pageprops|links", "ppprop": "disambiguation",
            "explaintext": "1", "exsectionformat": "wiki", "plnamespace": "0", "pllimit": _MOST_LINKS,
        }  # fmt: skip
        pages = self._query(wanted).get("pages", [])
        missing = not pages or "missing" in pages[0] or "invalid" in pages[0]
        return None if missing else pages[0]

    def _query(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        answer = self._client.ask(HttpRequest(self._api, parameters={**_ALWAYS, **wanted})).json()
        if not isinstance(answer, dict) or "error" in answer:
            message = answer.get("error", {}).get("info", "") if isinstance(answer, dict) else ""
            raise ToolFailed(f"the wiki could not answer: {message or 'its reply has another form than expected'}")
        query = answer.get("query", {})
        return query if isinstance(query, dict) else {}


def _is_ambiguous(page: Mapping[str, Any]) -> bool:
    return "disambiguation" in page.get("pageprops", {})


def _paragraphs(extract: str) -> str:
    """Returns the paragraphs with a blank line between them, without headings."""
    lines = (line.strip() for line in extract.splitlines())
    return "\n\n".join(line for line in lines if line and not _HEADING.fullmatch(line))
