"""An HTTP endpoint as a tool: a project describes the request, and the argument fills its placeholders.

[[tool]]
name = "Weather"
kind = "http"
definition = "Tells the weather in a city."
usage = "Weather[Oslo]"
[tool.settings]
url = "https://api.example.org/now?q={argument}"
headers = { Authorization = "Bearer {secret:WEATHER_KEY}" }
result = "current.summary"
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from autoact.errors import ToolFailed
from autoact.script import Observation
from autoact.security import grants
from autoact.tools.library.tool import Bridge, Call, Group, State, ToolContext, ToolRecord, with_state

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "QUERY")
_PLACEHOLDER = re.compile(r"\{(argument|secret:([A-Z][A-Z0-9_]*))\}")
_WILDCARD = "*"
_SECRET_HEADERS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")
_DEFAULTS: Mapping[str, Any] = {
    "url": "", "method": "GET", "headers": {}, "body": "", "result": "", "allow": [], "cache_hours": 0.0,
}  # fmt: skip


def group(context: ToolContext, record: ToolRecord) -> Group:
    """Makes the group of the tool that one entry of tools.toml describes."""
    definition = record.definition or f"Asks {_split_url(record.settings['url']).hostname or 'a web service'}."
    record = msgspec.structs.replace(record, definition=definition, usage=record.usage or f"{record.name}[argument]")
    obstacle = _obstacle(context, record.settings)

    def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
        return {record.name: lambda argument: _call(context, records[record.name], argument)}

    return Group((with_state(record, *obstacle) if obstacle else record,), open_calls)


BRIDGE = Bridge(_DEFAULTS, ("network",), group)


def _call(context: ToolContext, record: ToolRecord, argument: str) -> Observation:
    """Makes one request and returns its result. Raises ToolFailed with what a person can do about it."""
    from autoact.tools.web.caching_client import CachingClient, default_cache
    from autoact.tools.web.client import Client, HttpRequest
    from autoact.tools.web.guard import Guard

    if argument in (".", ".."):
        raise ToolFailed("an argument of dots alone would leave the endpoint's path")
    settings = record.settings
    if obstacle := _secret_obstacle(context, settings):  # a grant may have been withdrawn since the library was loaded
        raise ToolFailed(obstacle[1])
    fill = partial(_fill, context, settings["url"])
    body = fill(settings["body"], _in_json(argument))
    headers = {name: fill(text, _in_header(argument)) for name, text in settings["headers"].items()}
    if body:
        headers = {"Content-Type": "application/json", **headers}
    url = fill(settings["url"], quote(argument, safe=""))
    in_header = any("{argument}" in text for text in settings["headers"].values())
    fresh_s = settings["cache_hours"] * 3600 if settings["method"] == "GET" and not in_header else 0.0
    client = Client(Guard(settings["allow"]), record.limits.timeout_s)
    request = HttpRequest(url, settings["method"], headers=headers, body=body.encode())
    reply = CachingClient(client, default_cache() if fresh_s else None, fresh_s).ask(request)
    if not settings["result"]:
        return Observation(reply.text() or "Done; the endpoint sent no text.")
    return Observation(pick(reply.json(), settings["result"]))


def pick(value: Any, path: str) -> str:
    """Returns the values at `path` as text, as in `items.0.title` or `items.*.title`. Raises ToolFailed when there are
    none."""
    found = [value]
    for step in path.split("."):
        found = [inner for outer in found for inner in _inside(outer, step)]
    texts = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in found]
    if not texts:
        names = ", ".join(list(value)[:8]) if isinstance(value, dict) else type(value).__name__
        raise ToolFailed(f"the answer has nothing at `{path}`; it begins with: {names}")
    return "; ".join(texts)


def _inside(value: Any, step: str) -> list[Any]:
    if isinstance(value, list):
        if step == _WILDCARD:
            return value
        return [value[int(step)]] if step.isascii() and step.isdigit() and int(step[:9]) < len(value) else []
    if isinstance(value, dict):
        if step == _WILDCARD:
            return list(value.values())
        return [value[step]] if step in value else []
    return []


def _fill(context: ToolContext, url: str, template: str, argument: str) -> str:
    """Returns the template with the argument and the secrets that may be sent to `url` in its placeholders."""

    def fill(place: re.Match[str]) -> str:
        return argument if place[2] is None else context.secret_for(place[2], url) or ""

    return _PLACEHOLDER.sub(fill, template)


def secret_names(settings: Mapping[str, Any]) -> list[str]:
    """Returns the names of the secrets that the request uses."""
    templates = [settings["url"], settings["body"], *settings["headers"].values()]
    return sorted({place[2] for template in templates for place in _PLACEHOLDER.finditer(template) if place[2]})


def _in_json(argument: str) -> str:
    """Escapes the argument for a JSON string."""
    return json.dumps(argument, ensure_ascii=False)[1:-1]


def _in_header(argument: str) -> str:
    """Encodes the argument for a header: one line of ASCII."""
    return quote(" ".join(argument.split()), safe=" !#$&'()*+,/:;=?@[]")


def _split_url(url: str) -> SplitResult:
    """Splits a URL; all parts are empty when it is not a URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _obstacle(context: ToolContext, settings: Mapping[str, Any]) -> tuple[State, str] | None:
    """Returns the state and the reason why the endpoint cannot be called; None when it can."""
    parts = _split_url(settings["url"])
    templates = [settings["url"], settings["body"], *settings["headers"].values()]
    if not parts.hostname or parts.scheme not in ("http", "https"):
        return "needs-setting", 'it needs settings = {url = "https://host/path?q={argument}"}'
    if "{" in parts.netloc:
        return "refused", "a placeholder in the host would let the argument choose the host; use path, query, or body"
    if settings["method"] not in METHODS:
        return "needs-setting", f"method is one of {', '.join(METHODS)}"
    if not any("{argument}" in template for template in templates):
        return "needs-setting", "no part of the request has the placeholder {argument}"
    for name, text in settings["headers"].items():
        if name.casefold() in _SECRET_HEADERS and not _PLACEHOLDER.search(text):
            return "refused", f"a key in {name} would be shared with the project; write {{secret:NAME}} instead"
    return _secret_obstacle(context, settings)


def _secret_obstacle(context: ToolContext, settings: Mapping[str, Any]) -> tuple[State, str] | None:
    """Returns why the secrets of the request may not be sent to its host; None when they may. The setting `allow` does
    not matter."""
    names, url = secret_names(settings), settings["url"]
    if missing := [name for name in names if context.secret(name) is None]:
        return "needs-key", f"needs a key: autoact secrets set {missing[0]}"
    if withheld := [name for name in names if not context.granted(name, url)]:
        return "refused", grants.refusal(withheld[0], url)
    return None
