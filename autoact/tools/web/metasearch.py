"""Public search engines without a key, through the package ddgs, which asks only the engines that are named."""

from __future__ import annotations

import json
from collections.abc import Sequence

from autoact.errors import ToolFailed
from autoact.tools.web.caching_client import CachingClient
from autoact.tools.web.client import HttpRequest, HttpResponse
from autoact.tools.web.engines import clean_text
from autoact.trajectory import Page

PACKAGE = "ddgs"
REST_S = 60.0
"""Seconds without requests after all engines refused: repeated requests prolong the refusal."""


class _NothingFound(ToolFailed):
    """No results. A failure, so that it is not cached: an engine that limits requests may say the same."""


class Metasearch:
    """Some of the public engines."""

    def __init__(self, backends: Sequence[str], client: CachingClient) -> None:
        self._backends = tuple(backends)
        self._client = client

    def search(self, query: str, k: int) -> list[Page]:
        """Returns the best pages with the text that the engines show of them; empty without results. Raises
        ToolFailed."""
        query_request = HttpRequest(PACKAGE, parameters={"q": query, "k": str(k), "backends": ",".join(self._backends)})
        try:
            hits = self._client.ask_cached(query_request, self._ask).json()
        except _NothingFound:
            return []
        return [Page(clean_text(hit.get("title")), clean_text(hit.get("body"))) for hit in hits]

    def _ask(self, request: HttpRequest) -> HttpResponse:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

        if (left := self._client.rest_left(PACKAGE)) > 0:
            raise ToolFailed(
                f"no engine answered a moment ago; try again in {left:.0f} s, or set `source` to one with a key"
            )
        wanted = request.parameters
        try:
            hits = DDGS(timeout=max(1, int(self._client.client.timeout_s))).text(
                wanted["q"], max_results=int(wanted["k"]), backend=wanted["backends"]
            )
        except TimeoutException as error:
            raise ToolFailed("the engines took too long; raise `timeout_s`, or name other `backends`") from error
        except DDGSException as error:
            if "No results" in str(error):
                raise _NothingFound("no results") from error
            self._client.set_rest(PACKAGE, REST_S)
            limit = "too many requests" if isinstance(error, RatelimitException) else str(error)[:200]
            raise ToolFailed(
                f"no engine answered: {limit}; name other `backends`, or set `source` to one with a key"
            ) from error
        return HttpResponse(PACKAGE, 200, {}, json.dumps(hits).encode())
