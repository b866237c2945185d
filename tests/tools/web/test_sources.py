"""WebSearch and Retrieve over live sources, against recorded replies served on this machine."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import platformdirs
import pytest

from autoact.script import Observation
from autoact.security import grants
from autoact.tools.library.library import Library, ToolContext, ToolSession
from autoact.tools.pages.corpus import Corpus, Page

from .conftest import Answer, Site

KEYS = {"TAVILY_API_KEY": "tv-1", "BRAVE_API_KEY": "br-1", "EXA_API_KEY": "ex-1"}
WIKI = "/w/api.php"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))


def load(**settings: dict[str, object]) -> Library:
    context = ToolContext(Corpus.of_pages([Page("Sea", "The sea is salty.")]), settings, secret=KEYS.get)
    if host := str(settings.get("WebSearch", {}).get("host", "")):
        for name in KEYS:
            grants.allow(name, host)
    return Library.load(None, context)


def wiki(site: Site, *files: str) -> ToolSession:
    site.answers[WIKI] = [Answer((Path(__file__).parent / "recorded" / file).read_bytes()) for file in files]
    online = {"source": "wikipedia", "site": site.url, "allow": [site.host], "contact": "me@example.org"}
    return load(Retrieve=online, WebSearch=online).session()


def seen(observation: Observation) -> tuple[str, bool]:
    return observation.text, observation.failed


def parameters(site: Site, number: int = -1) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(site.asked[number].path).query).items()}


def test_a_wiki_page_is_opened_and_read_on(site: Site) -> None:
    session = wiki(site, "wiki_page.json")
    begins = "Marie Curie: Marie Curie was a physicist born in Warsaw. She won the Nobel Prize twice. In 1891 she moved"
    assert seen(session.call("Retrieve", "madame Curie")) == (f"{begins} to Paris.", False)
    assert seen(session.call("Lookup", "nobel prize")) == ("(Result 1 / 1) She won the Nobel Prize twice.", False)
    assert parameters(site)["titles"] == "madame Curie"
    assert parameters(site)["redirects"] == "1"
    assert site.asked[0].headers["user-agent"].startswith("AutoActStudio/")
    assert "me@example.org" in site.asked[0].headers["user-agent"]


def test_a_title_with_several_meanings_offers_them(site: Site) -> None:
    session = wiki(site, "wiki_ambiguous.json")
    text = "Could not find [Mercury]. Similar: [Mercury (element); Mercury (planet); Freddie Mercury]"
    assert seen(session.call("Retrieve", "Mercury")) == (text, True)
    assert len(site.asked) == 1


def test_a_missing_title_offers_what_a_search_finds(site: Site) -> None:
    session = wiki(site, "wiki_missing.json", "wiki_titles.json")
    text = "Could not find [Mari Curei]. Similar: [Marie Curie; Pierre Curie]"
    assert seen(session.call("Retrieve", "Mari Curei")) == (text, True)
    assert parameters(site)["srsearch"] == "Mari Curei"


def test_a_wiki_is_searched(site: Site) -> None:
    session = wiki(site, "wiki_search.json")
    text = "1. Marie Curie: Marie Curie was a physicist born in Warsaw. 2. Pierre Curie: Pierre Curie was a French "
    assert seen(session.call("WebSearch", "Curie physicist")) == (f"{text}physicist.", False)
    assert seen(session.call("Lookup", "French"))[0].endswith("Pierre Curie was a French physicist.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=403), "the setting `contact`"),
        (Answer(b"<html>Error</html>"), "not JSON"),
        (Answer(b"[]"), "another form"),
        (Answer(b'{"error": {"info": "exceeded your rate limit"}}'), "exceeded your rate limit"),
    ],
)
def test_what_a_wiki_refuses(site: Site, answer: Answer, words: str) -> None:
    session = wiki(site, "wiki_page.json")
    site.answers[WIKI] = answer
    text, failed = seen(session.call("Retrieve", "Marie Curie"))
    assert failed
    assert words in text


@pytest.mark.parametrize(
    ("source", "path", "header", "wanted"),
    [
        ("tavily", "/search", ("authorization", "Bearer tv-1"), {"query": "how long is the Nile", "max_results": 2}),
        ("brave", "/res/v1/web/search", ("x-subscription-token", "br-1"), {"q": "how long is the Nile", "count": "2"}),
        ("exa", "/search", ("x-api-key", "ex-1"), {"query": "how long is the Nile", "numResults": 2}),
        ("searxng", "/search", ("accept-encoding", "gzip"), {"q": "how long is the Nile", "format": "json"}),
    ],
)
def test_search_engines(site: Site, source: str, path: str, header: tuple[str, str], wanted: dict[str, object]) -> None:
    site.recorded(path, f"{source}.json")
    library = load(WebSearch={"source": source, "host": site.url, "allow": [site.host], "results": 2})
    session = library.session()
    for _ in range(2):
        text, failed = seen(session.call("WebSearch", "how long is the Nile"))
        assert not failed
        assert text.startswith("1. Longest rivers: ")
        assert "Nile" in text
        assert "<strong>" not in text
        assert " 2. " in text
    (asked,) = site.asked
    assert asked.headers[header[0]] == header[1]
    told = json.loads(asked.body) if asked.body else parameters(site)
    assert {name: told[name] for name in wanted} == wanted
    assert not session.call("Lookup", "Nile").failed


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b'{"detail": "no such key"}', status=401), "the key was not accepted; see `autoact secrets list`"),
        (Answer(b'{"results": "none"}'), "replied in another form than expected"),
        (Answer(b'{"results": []}'), "No results for [longest river]."),
        (Answer(b'{"results": [null, 3, {"title": 5}]}'), "No results for [longest river]."),
        (Answer(status=429, headers={"Retry-After": "60"}), "is busy and asks for 60 s of rest"),
        (Answer(b"{}", status=432), "answers 432"),
    ],
)
def test_what_an_engine_refuses(site: Site, answer: Answer, words: str) -> None:
    site.answers["/search"] = answer
    library = load(WebSearch={"source": "tavily", "host": site.url, "allow": [site.host]})
    text, failed = seen(library.session().call("WebSearch", "longest river"))
    assert failed
    assert words in text


@pytest.mark.parametrize(
    ("settings", "state", "words"),
    [
        ({}, "offline", "for the web: settings ="),
        ({"source": "tavily"}, "needs-key", "autoact secrets set TAVILY_API_KEY"),
        ({"source": "searxng"}, "needs-setting", "the address of your SearXNG"),
        ({"source": "wikipedia"}, "ready", ""),
        ({"source": "bing"}, "needs-setting", "one of corpus, ddgs, wikipedia, tavily, brave, exa, searxng, not bing"),
        ({"source": "ddgs", "backends": ["grokipedia"]}, "needs-setting", "takes some of duckduckgo, brave"),
    ],
)
def test_the_state_of_a_source(settings: dict[str, object], state: str, words: str) -> None:
    context = ToolContext(Corpus.of_pages([Page("Sea", "Salty.")]), {"WebSearch": settings}, secret=lambda name: None)
    record = Library.load(None, context).resolve("BingSearch")
    assert record
    assert (record.state, words in record.reason) == (state, True)
    assert record.powers == (("network",) if settings else ())


def test_a_key_is_sent_to_its_engine_or_to_a_host_that_was_allowed(site: Site) -> None:
    def found(**more: object) -> tuple[str, str]:
        context = ToolContext(Corpus.of_pages([]), {"WebSearch": {"source": "exa", **more}}, secret=KEYS.get)
        library = Library.load(None, context)
        (record,) = [one for one in library.records() if one.name == "WebSearch"]
        if more:
            library.session().call("WebSearch", "Nile")
        return record.state, record.reason

    assert found() == ("ready", "")
    state, reason = found(host=site.url, allow=[site.host])
    assert (state, f"`autoact secrets allow EXA_API_KEY {site.host}`" in reason) == ("refused", True)
    assert found(host="exa", allow=[site.host])[0] == "refused"
    assert site.asked == []


@pytest.fixture
def ddgs(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A package in the place of ddgs, with its names and its errors; `answer` is what it finds, or raises."""
    package, errors = types.ModuleType("ddgs"), types.ModuleType("ddgs.exceptions")
    errors.DDGSException = type("DDGSException", (Exception,), {})  # type: ignore[attr-defined]
    for name in ("RatelimitException", "TimeoutException"):
        setattr(errors, name, type(name, (errors.DDGSException,), {}))  # type: ignore[attr-defined]

    class DDGS:
        def __init__(self, *, timeout: int) -> None:
            assert timeout >= 1

        def text(self, query: str, **wanted: object) -> object:
            package.asked.append((query, wanted))
            if isinstance(package.answer, Exception):
                raise package.answer
            return package.answer

    package.DDGS, package.asked, package.exceptions = DDGS, [], errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ddgs", package)
    monkeypatch.setitem(sys.modules, "ddgs.exceptions", errors)
    package.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    return package


def test_public_engines_are_asked_by_name_and_once(ddgs: types.ModuleType) -> None:
    ddgs.answer = [{"title": "Longest rivers", "href": "https://x", "body": "The Nile is <b>long</b> &amp; old."}]
    session = load(WebSearch={"source": "ddgs", "backends": ["mojeek", "brave"]}).session()
    for _ in range(2):
        assert seen(session.call("WebSearch", "longest river")) == ("1. Longest rivers: The Nile is long & old.", False)
    assert ddgs.asked == [("longest river", {"max_results": 3, "backend": "mojeek,brave"})]


def test_public_engines_that_had_enough_are_left_alone(ddgs: types.ModuleType) -> None:
    session = load(WebSearch={"source": "ddgs"}).session()
    ddgs.answer = ddgs.exceptions.DDGSException("No results found.")
    assert seen(session.call("WebSearch", "river")) == ("No results for [river].", True)
    ddgs.answer = ddgs.exceptions.TimeoutException("slow")
    assert "raise `timeout_s`" in session.call("WebSearch", "river").text
    assert len(ddgs.asked) == 2
    ddgs.answer = ddgs.exceptions.RatelimitException("202")
    assert "no engine answered: too many requests" in session.call("WebSearch", "river").text
    assert len(ddgs.asked) == 3
    assert "no engine answered a moment ago; try again in" in session.call("WebSearch", "river").text
    assert len(ddgs.asked) == 3


def test_public_engines_that_break_say_why(ddgs: types.ModuleType) -> None:
    ddgs.answer = ddgs.exceptions.DDGSException(OSError("dns error"))
    text = load(WebSearch={"source": "ddgs"}).session().call("WebSearch", "river").text
    assert text == (
        "WebSearch failed: no engine answered: dns error; name other `backends`, or set `source` to one with a key"
    )


def test_the_package_has_the_names_that_are_used() -> None:
    package = pytest.importorskip("ddgs")
    from ddgs.engines import ENGINES
    from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

    from autoact.tools.pages.sources import BACKENDS

    assert set(BACKENDS) <= set(ENGINES["text"])
    assert issubclass(RatelimitException, DDGSException)
    assert issubclass(TimeoutException, DDGSException)
    assert callable(package.DDGS(timeout=1).text)
