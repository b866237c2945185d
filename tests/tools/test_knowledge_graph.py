"""KnowledgeGraph tells facts from WordNet's files, an RDF file or an endpoint, and says what it lacks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from autoact.errors import BadProject
from autoact.script import Observation
from autoact.tools.knowledge.rdf_file import RdfFile
from autoact.tools.knowledge.sparql import is_query, quote_literal
from autoact.tools.knowledge.wordnet import PARTS, WordNet, folder_of
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.library.tool import ToolRecord
from autoact.tools.pages.corpus import Corpus

# part, words, gloss, pointers as (mark, name of the sense they lead to)
SENSES = [
    ("n", ["animal"], "a living organism; it moves", [("~", "dog")]),
    ("n", ["dog", "domestic_dog"], 'a loyal animal; "the dog barked"', [("@", "animal"), ("%p", "flag")]),
    ("n", ["cad", "dog"], "someone who is morally bad", []),
    ("n", ["flag"], "a conspicuously marked tail", [("#p", "dog")]),
    ("v", ["chase", "dog"], "go after", []),
    ("a", ["loyal(a)"], "steadfast", [("!", "false")]),
    ("a", ["false"], "not loyal", [("!", "loyal(a)")]),
]  # fmt: skip
TURTLE = """
@prefix : <http://example.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:curie rdfs:label "Marie Curie"@en, "Maria Skłodowska"@pl ; :placeOfBirth :warsaw ; :born 1867 ; :field [ :is "x" ] .
:warsaw rdfs:label "Warsaw" ; :capital_of :Poland . :pierre rdfs:label "Pierre Curie" ; :spouse :curie .
"""


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """WordNet's files for a handful of senses."""
    folder = tmp_path / "words"
    folder.mkdir()
    for part, mark in zip(PARTS, "nvar", strict=True):
        (folder / f"data.{part}").write_text(data(mark, offsets()))
        lemmas: dict[str, list[int]] = {}
        for kind, names, _, _ in SENSES:
            for name in names if kind == mark else ():
                lemmas.setdefault(name.partition("(")[0], []).append(offsets()[names[0]])
        lines = [
            f"{lemma} {mark} {len(places)} 1 @ {len(places)} 0 {' '.join(f'{place:08d}' for place in places)}  \n"
            for lemma, places in sorted(lemmas.items())
        ]
        (folder / f"index.{part}").write_text("  1 This is a licence.\n" + "".join(lines))
    return folder


def data(mark: str, places: dict[str, int]) -> str:
    text = "  1 This is a licence.\n"
    kinds = {names[0]: kind for kind, names, _, _ in SENSES}
    for kind, names, gloss, pointers in SENSES:
        if kind == mark:
            assert places.get(names[0], len(text)) == len(text)
            spelt = " ".join(f"{name} 0" for name in names)
            led = " ".join(f"{sign} {places.get(to, 0):08d} {kinds[to]} 0000" for sign, to in pointers)
            spaced = f" {led}" if led else ""
            text += f"{len(text):08d} 05 {kind} {len(names):02x} {spelt} {len(pointers):03d}{spaced} | {gloss}  \n"
    return text


def offsets() -> dict[str, int]:
    found = {}
    for kind, names, _, _ in SENSES:
        lines = data(kind, {}).splitlines(keepends=True)
        at = next(number for number, line in enumerate(lines) if line.split()[4:5] == [names[0]])
        found[names[0]] = len("".join(lines[:at]))
    return found


def library(corpus: Corpus, root: Path, **settings: object) -> Library:
    return Library.load(None, ToolContext(corpus, {"KnowledgeGraph": settings}, root=root))


def record(library: Library) -> ToolRecord:
    found = library.resolve("KnowledgeGraph")
    assert found is not None
    return found


def ask(library: Library, argument: str) -> Observation:
    return library.session().call("KnowledgeGraph", argument)


def test_words(corpus: Corpus, words: Path) -> None:
    opened = library(corpus, words, wordnet=str(words))
    assert record(opened).state == "offline"
    assert ask(opened, "Dogs").text == (
        "Dogs: means: a loyal animal (noun), someone who is morally bad (noun), go after (verb); "
        "is also called: dog, domestic dog; is a kind of: animal; has parts: flag."
    )
    assert ask(opened, "loyal, is the opposite of").text == "loyal: is the opposite of: false."
    assert ask(opened, "dog, animal").text == "dog is a kind of animal."
    assert ask(opened, "animal, dog").text == "dog is a kind of animal."
    assert ask(opened, "dog, has parts").text == "dog: has parts: flag."
    missed = ask(opened, "dog, moon")
    assert (missed.failed, missed.text.startswith("Nothing is known of [dog] and [moon]. Known of dog: means,")) == (
        True,
        True,
    )
    assert ask(opened, "zebra").text == "Nothing is known of [zebra]."
    opened.close()


def test_every_word_is_found(words: Path) -> None:
    opened = WordNet(words)
    for _, names, _, _ in SENSES:
        for name in names:
            assert opened.senses(name.partition("(")[0].replace("_", " ")), name
    for absent in ("a", "zz", "do", "dogg", "", "licence", "1"):
        assert opened.senses(absent) == []
    opened.close()


def test_the_real_words() -> None:
    folder = folder_of("")
    if folder is None:
        pytest.skip("WordNet's files are not installed")
    opened = WordNet(folder)
    assert opened.chain("dog", "animal")[-1] == "animal"
    assert ("is an instance of", "national capital") in opened.facts("Paris")
    opened.close()


@pytest.fixture
def graph(corpus: Corpus, tmp_path: Path) -> Library:
    pytest.importorskip("rdflib")
    (tmp_path / "facts.ttl").write_text(TURTLE)
    return library(corpus, tmp_path, file="facts.ttl")


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("Marie Curie, place of birth", "Marie Curie: place of birth: Warsaw."),
        ("marie curie", "Marie Curie: born: 1867; place of birth: Warsaw; spouse of: Pierre Curie."),
        ("Warsaw, capital of", "Warsaw: capital of: Poland."),
        ("Pierre Curie, Marie Curie", "Pierre Curie: spouse: Marie Curie."),
        ("Mary Curie, born", "Marie Curie: born: 1867."),
    ],
)
def test_a_file(graph: Library, argument: str, told: str) -> None:
    assert ask(graph, argument).text == told


def test_what_a_file_does_not_know(graph: Library) -> None:
    assert ask(graph, "Albert Einstein").text.startswith("Nothing is known of [Albert Einstein]. Similar: [")
    assert ask(graph, "SELECT ?x WHERE { ?x ?y ?z }").text.startswith("SPARQL takes an endpoint")
    assert all(ask(graph, wrong).failed for wrong in (",", "Warsaw, mayor", "SELECT *"))


def test_a_file_that_is_none(corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("rdflib")
    for name, text in (("a.ttl", "no <turtle"), ("b.rdf", "<a><b></a>"), ("c.nt", "x y z")):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadProject, match="cannot be read as RDF"):
            RdfFile(tmp_path / name)
    (tmp_path / "entity.rdf").write_text(
        '<!DOCTYPE r [<!ENTITY e SYSTEM "a.ttl">]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:x="http://x/"><rdf:Description rdf:about="http://x/y"><x:z>&e;</x:z></rdf:Description></rdf:RDF>'
    )
    assert RdfFile(tmp_path / "entity.rdf").facts("y") in (None, ("y", [("z", "")]))


def test_states(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text(TURTLE)
    states = [
        record(library(corpus, tmp_path, **settings)).state
        for settings in ({"wordnet": "absent"}, {"file": "b.ttl"}, {"file": "a.json"}, {"endpoint": "http://x/"})
    ]
    assert states == ["needs-setting", "needs-setting", "needs-setting", "ready"]


class Answering(BaseHTTPRequestHandler):
    """Answers every query with what the server was given, and notes the query."""

    def do_GET(self) -> None:  # noqa: N802
        server = self.server
        assert isinstance(server, Server)
        server.asked.append(parse_qs(urlsplit(self.path).query)["query"][0])
        body = server.answer if isinstance(server.answer, bytes) else json.dumps(server.answer).encode()
        self.send_response(server.status)
        self.send_header("Content-Type", "application/sparql-results+json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    status = 200
    answer: object = {"boolean": True}

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def online(server: Server, corpus: Corpus, tmp_path: Path) -> Library:
    return library(corpus, tmp_path, endpoint=f"http://127.0.0.1:{server.server_port}/sparql")


def bound(item: str, relation: str, value: str) -> dict[str, dict[str, str]]:
    return {
        "item": {"type": "uri", "value": item}, "relation": {"type": "literal", "value": relation},
        "value": {"type": "literal", "value": value},
    }  # fmt: skip


def test_an_endpoint(server: Server, online: Library) -> None:
    rows = [
        bound("http://x/Q2", "label", "film"),
        bound("http://x/Q1", "born", "1867"),
        bound("http://x/Q1", "at", "W"),
    ]
    server.answer = {"head": {"vars": ["item", "relation", "value"]}, "results": {"bindings": rows}}
    assert ask(online, 'Marie "C\\"').text == 'Marie "C\\": born: 1867; at: W.'
    assert '"Marie \\"C\\\\\\""' in server.asked[0]
    assert ask(online, "SELECT ?item WHERE {}").text.startswith("item: Q2, relation: label, value: film; item: Q1")
    server.answer = {"boolean": False}
    assert ask(online, "ASK { ?x ?y ?z }").text == "no"


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (500, b"broken", "the endpoint answered 500: broken"),
        (200, b"<html>", "not JSON"),
        (200, {"head": {}}, "no answer to a query"),
        (200, [1], "no answer to a query"),
        (200, b"x" * 3_000_000, "bytes"),
    ],
)
def test_an_endpoint_in_trouble(server: Server, online: Library, status: int, answer: object, told: str) -> None:
    server.status, server.answer = status, answer
    seen = ask(online, "Marie Curie")
    assert seen.failed
    assert told in seen.text


def test_queries_only_read() -> None:
    assert is_query("SELECT ?x WHERE {}")
    assert is_query("PREFIX a: <http://x/> BASE <http://y/>\nask {}")
    for other in ("INSERT DATA {}", "DELETE WHERE {}", "LOAD <x>", "PREFIX a: <http://x/> DROP ALL", "selected works"):
        assert not is_query(other)
    assert quote_literal('a"\\\nb') == '"a\\"\\\\\\nb"'
