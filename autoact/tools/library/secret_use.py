"""The secrets that a tool uses, and the hosts it sends them to."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from autoact.security import grants
from autoact.tools.bridges import http
from autoact.tools.database import database
from autoact.tools.library.tool import ToolRecord
from autoact.tools.pages import sources

SecretUse = tuple[str, str]
"""The name of a secret and the URL it is sent to. Empty for a program, which may send it anywhere."""


def secrets_of(record: ToolRecord) -> list[SecretUse]:
    """Returns the secret uses of a tool's settings, in their order."""
    return list(dict.fromkeys(_uses(record)))


def missing_grants(record: ToolRecord) -> list[SecretUse]:
    """Returns names of secrets with the hosts they may not be sent to yet, where a person can allow that."""
    uses = [(name, url) for name, url in secrets_of(record) if url and not grants.obstacle(name, url)]
    return [(name, grants.destination(url)) for name, url in uses if not grants.allows(name, url)]


def _uses(record: ToolRecord) -> Iterator[SecretUse]:
    settings = record.settings
    match record.kind:
        case "http":
            yield from ((name, settings["url"]) for name in http.secret_names(settings))
        case "mcp" | "python" | "langchain":
            yield from ((name, settings.get("url", "")) for name in settings["secrets"])
        case "builtin" if record.name == "Database" and database.is_server(settings["url"]):
            yield database.PASSWORD, settings["url"]
        case "builtin" if record.name == "WebSearch" and sources.KEYS.get(settings["source"]) and settings["host"]:
            yield sources.KEYS[settings["source"]], settings["host"]


def reaches_network(text: str) -> bool:
    """Returns whether a setting is a URL of another machine."""
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.casefold().partition("+")[0] in ("file", "sqlite"):
        return False
    try:
        return bool(urlsplit(text).netloc)
    except ValueError:  # such as a bracket that is not closed
        return True
