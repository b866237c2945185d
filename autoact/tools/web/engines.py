"""Clients of search engines with an API: three that need a key, and SearXNG on a host of one's own."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autoact.errors import ToolFailed
from autoact.security.secrets import Secret
from autoact.tools.web.caching_client import CachingClient
from autoact.tools.web.client import HttpRequest
from autoact.trajectory import Page

_TAG = re.compile(r"<[^<>]{0,200}>")
_LONGEST_TEXT = 600
"""Characters of a page's text requested from an engine that allows a limit."""

Describe = Callable[[str, str, int, str], HttpRequest]
"""Makes the request for host, query, number of results and key."""


@dataclass(frozen=True, slots=True)
class Service:
    """The API of one engine: its request, and the place of the results in its reply."""

    host: str
    """Empty for an engine that everyone hosts themselves."""
    describe: Describe
    results: tuple[str, ...]
    text: str


def _tavily(host: str, query: str, k: int, key: str) -> HttpRequest:
    return _post(f"{host}/search", {"query": query, "max_results": k}, {"Authorization": f"Bearer {key}"})


def _exa(host: str, query: str, k: int, key: str) -> HttpRequest:
    wanted = {"query": query, "numResults": k, "contents": {"text": {"maxCharacters": _LONGEST_TEXT}}}
    return _post(f"{host}/search", wanted, {"x-api-key": key})


def _brave(host: str, query: str, k: int, key: str) -> HttpRequest:
    headers = {"X-Subscription-Token": key, "Accept": "application/json"}
    return HttpRequest(f"{host}/res/v1/web/search", parameters={"q": query, "count": str(k)}, headers=headers)


def _searxng(host: str, query: str, k: int, key: str) -> HttpRequest:
    return HttpRequest(f"{host}/search", parameters={"q": query, "format": "json"})


def _post(url: str, wanted: Mapping[str, Any], headers: Mapping[str, str]) -> HttpRequest:
    body = json.dumps(wanted, ensure_ascii=False).encode()
    return HttpRequest(url, "POST", headers={"Content-Type": "application/json", **headers}, body=body)


SERVICES = {
    "tavily": Service("https://api.tavily.com", _tavily, ("results",), "content"),
    "brave": Service("https://api.search.brave.com", _brave, ("web", "results"), "description"),
    "exa": Service("https://api.exa.ai", _exa, ("results",), "text"),
    "searxng": Service("", _searxng, ("results",), "content"),
}


class SearchEngine:
    """One service. The key is empty where the service needs none."""

    def __init__(self, name: str, client: CachingClient, host: str, key: Secret) -> None:
        self._name, self._client, self._key = name, client, key
        self._service = SERVICES[name]
        self._host = (host or self._service.host).rstrip("/")

    def search(self, query: str, k: int) -> list[Page]:
        """Returns the best pages with the text that the engine shows of them. Raises ToolFailed."""
        found = self._client.ask(self._service.describe(self._host, query, k, self._key.reveal())).json()
        for step in self._service.results:
            found = found.get(step, []) if isinstance(found, dict) else None
        if not isinstance(found, list):
            raise ToolFailed(f"{self._name} replied in another form than expected")
        pages = [self._page(hit) for hit in found if isinstance(hit, dict)]
        return [page for page in pages if page.text or page.title][:k]

    def _page(self, hit: Mapping[str, Any]) -> Page:
        title, text = hit.get("title") or hit.get("url"), hit.get(self._service.text)
        return Page(clean_text(title), clean_text(text))


def clean_text(text: object) -> str:
    """Returns an engine's text without tags and entities; empty for a value that is not text."""
    return " ".join(html.unescape(_TAG.sub("", text)).split()) if isinstance(text, str) else ""
