"""The library holds the paper's ten tools, takes a project's choices, and lets no failure out of a session."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path

import pytest

from autoact.errors import BadProject
from autoact.script import Observation
from autoact.tools.library.catalogue import GROUPS
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.library.tool import Group, ToolLimits, ToolRecord
from autoact.tools.pages.corpus import Corpus, Page
from autoact.trajectory import Question

PAPER = {"WebSearch", "Retrieve", "Lookup", "Image2Text", "Text2Image", "KnowledgeGraph", "Database", "Calculator",
         "TableVerbalizer", "CodeInterpreter"}  # fmt: skip


def test_the_ten_tools_of_the_paper_and_one_more(library: Library) -> None:
    assert {record.name for record in library.records()} == PAPER | {"Compare"}
    assert {tool.name for tool in library.ready()} >= {"WebSearch", "Retrieve", "Lookup", "Calculator"}
    for record in library.records():
        assert record.usage.startswith(f"{record.name}[")
        assert record.definition.endswith(".")
        assert (record.state == "ready") == (record.reason == "")


@pytest.mark.parametrize("name", ["BingSearch", "bing_search", "Web Search", "WEBSEARCH", "web-search"])
def test_names_are_forgiving(library: Library, name: str) -> None:
    record = library.resolve(name)
    assert record is not None
    assert record.name == "WebSearch"


def test_usages_of_ready_tools_are_calls(library: Library) -> None:
    for tool in (record.tool() for record in library.records() if record.runs and not record.powers):
        argument = tool.usage.removeprefix(f"{tool.name}[").removesuffix("]")
        assert "failed" not in library.session().call(tool.name, argument).text


def test_wrong_calls_are_observations(library: Library) -> None:
    session = library.session()
    assert session.call("Fly\nhigh", "x").text == 'Invalid action: no tool is named "Fly high".', (
        "nor tools not selected"
    )
    assert session.call("Retrieve", " \n").text == "Retrieve needs an argument, as in Retrieve[Marie Curie]"
    assert session.call("Calculator", "1/0").text == "Calculator failed: division by zero"
    for record in library.records():
        if not record.runs:
            assert session.call(record.name, "x").text.startswith(f"{record.name} is not ready: ")
    assert all(session.call(name, "").failed for name in ("Fly", "Retrieve", "Database", ""))


def test_which_calls_are_repeatable(tmp_path: Path, corpus: Corpus) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.csv").write_text("n\n1\n")
    (tmp_path / "facts.ttl").write_text("@prefix : <http://example.org/> . :a :b :c .")

    def repeatable(corpus: Corpus, **settings: dict[str, object]) -> set[str]:
        library = Library.load(None, ToolContext(corpus, settings, tmp_path))
        session = library.session(Question("q-1", "Which?"))
        return {record.name for record in library.records() if session.repeatable(record.name)}

    fixed = {"Calculator", "Compare", "TableVerbalizer"}
    assert repeatable(corpus, KnowledgeGraph={"endpoint": "https://example.org"}) == fixed | {"WebSearch", "Retrieve"}
    assert repeatable(corpus, WebSearch={"source": "wikipedia"}, Retrieve={"source": "wikipedia"}) >= fixed
    assert "Retrieve" not in repeatable(corpus, Retrieve={"source": "wikipedia"})
    assert "WebSearch" not in repeatable(Corpus.of_pages(()))  # it cannot run
    if find_spec("rdflib"):
        assert "KnowledgeGraph" in repeatable(corpus, KnowledgeGraph={"file": "facts.ttl"})
    session = Library.load(None, ToolContext(corpus)).session()
    assert session.repeatable("web search")
    assert not session.repeatable("Fly")


def library_of(corpus: Corpus, call: object, timeout_s: float = 10.0) -> Library:
    limits = ToolLimits(timeout_s, max_chars=28)
    record = ToolRecord(name="Odd", definition="Is odd.", usage="Odd[1]", limits=limits)
    return Library.load(None, ToolContext(corpus), [Group((record,), lambda context, records: {"Odd": call})])  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "error", [ValueError("no\nluck"), KeyError(), RecursionError(), MemoryError(), OSError(5, "io")]
)
def test_a_tool_that_raises_gives_a_failed_observation(corpus: Corpus, error: Exception) -> None:
    def broken(argument: str) -> Observation:
        raise error

    observation = library_of(corpus, broken).session().call("odd", "1")
    assert observation.failed
    assert observation.text.startswith("Odd failed: ")
    assert "\n" not in observation.text


def test_a_tool_that_hangs_is_left_behind(corpus: Corpus) -> None:
    never = threading.Event()

    def hangs(argument: str) -> Observation:
        never.wait()
        return Observation("too late")

    session = library_of(corpus, hangs, timeout_s=0.01).session()
    observation = session.call("odd", "1")
    never.set()
    assert observation.failed
    assert observation.text == "Odd failed: it took longer…"
    assert observation.ms >= 10


def test_observations_are_one_short_line(corpus: Corpus) -> None:
    library = library_of(corpus, lambda argument: Observation("one\n\ntwo\tthree \ud800 four five six"))
    observation = library.session().call("Odd", "1")
    assert observation.text == "one two three ? four five…"
    assert observation.ms > 0


def load(tmp_path: Path, corpus: Corpus, text: str) -> Library:
    file = tmp_path / "tools.toml"
    file.write_text(text)
    return Library.load(file, ToolContext(corpus))


def test_a_project_curates_its_tools(tmp_path: Path, corpus: Corpus) -> None:
    text = """
        [[tool]]
        name = "lookup"
        definition = "Finds a word."
        [[tool]]
        name = "BingSearch"
        settings = {results = 1, max_chars = 80}
        [[tool]]
        name = "Calculator"
        enabled = false
    """
    library = load(tmp_path, corpus, text)
    assert [tool.name for tool in library.ready()] == ["Lookup", "WebSearch"]
    assert library.ready()[0].definition == "Finds a word."
    assert library.resolve("Calculator") is None
    session = library.session()
    observation = session.call("WebSearch", "Curie Nobel Prize")
    assert "2." not in observation.text
    assert len(observation.text) <= 80
    assert not session.call("Lookup", "Curie").failed


def test_settings_of_the_context_yield_to_the_file(tmp_path: Path, corpus: Corpus) -> None:
    file = tmp_path / "tools.toml"
    file.write_text('[[tool]]\nname = "WebSearch"\nsettings = {results = 2}\n')
    settings = {"WebSearch": {"results": 5, "timeout_s": 3}}
    (record,) = Library.load(file, ToolContext(corpus, settings)).records()
    assert (record.settings["results"], record.limits.timeout_s) == (2, 3.0)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[[tool]]\nname = "Retreive"', ["tools.toml", "key `tool[1].name`", "did you mean `Retrieve`?"]),
        ('[[tool]]\nname = "bingserch"', ["did you mean `WebSearch`?"]),
        ('[[tool]]\nname = "Zzz"', ["unknown tool `Zzz`; known: Calculator"]),
        ('[[tool]]\nname = "Lookup"\nenabeld = true', ["key `tool[1].enabeld`", "did you mean `enabled`?"]),
        ('[[tool]]\nname = "Lookup"\nenabled = "no"', ["key `tool[1].enabled`", "expected true or false, not 'no'"]),
        ('[[tool]]\nname = "Lookup"\nusage = ""', ["key `tool[1].usage`", "expected some text"]),
        ('[[tool]]\nname = "WebSearch"\nsettings = {result = 1}', ["key `tool[1].settings.result`", "`results`?"]),
        ('[[tool]]\nname = "WebSearch"\nsettings = {results = "3"}', ["expected a whole number, not '3'"]),
        ('[[tool]]\nname = "WebSearch"\nsettings = {results = 0}', ["expected a number above 0"]),
        ('[[tool]]\nname = "WebSearch"\n[[tool]]\nname = "BingSearch"', ["key `tool[2].name`", "listed twice"]),
        ("[[tool]]\nenabled = true", ["expected the name of a tool"]),
        ("[[tools]]", ["key `tools`", "did you mean `tool`?"]),
        ("tool = 3", ["expected [[tool]] tables"]),
        ("a = 1\nb = \n", ["tools.toml:2"]),
    ],
)
def test_mistakes_in_tools_toml(tmp_path: Path, corpus: Corpus, text: str, parts: list[str]) -> None:
    with pytest.raises(BadProject) as mistake:
        load(tmp_path, corpus, text)
    for part in parts:
        assert part in str(mistake.value)


def test_a_missing_or_foreign_tools_toml(tmp_path: Path, corpus: Corpus) -> None:
    with pytest.raises(BadProject, match="cannot be read"):
        Library.load(tmp_path / "tools.toml", ToolContext(corpus))
    (tmp_path / "tools.toml").write_bytes(b"\xff")
    with pytest.raises(BadProject, match="UTF-8"):
        Library.load(tmp_path / "tools.toml", ToolContext(corpus))


def test_unknown_settings_of_the_context(corpus: Corpus) -> None:
    with pytest.raises(BadProject, match="Retrive"):
        Library.load(None, ToolContext(corpus, {"Retrive": {}}))


def test_groups_do_not_share_names() -> None:
    names = [record.name for group in GROUPS for record in group.records]
    assert len(set(names)) == len(names)


def test_only_tools_that_remember_do_a_recalled_call_again() -> None:
    pages = Corpus.of_pages([Page("Peru", "Peru is a country. Its capital is Lima.")])
    sent: list[str] = []

    def send(argument: str) -> Observation:
        sent.append(argument)
        return Observation("sent")

    mail = Group((ToolRecord("Mail", "Sends a letter.", "Mail[Ann]"),), lambda context, records: {"Mail": send})
    session = Library.load(None, ToolContext(pages), [*GROUPS, mail]).session()
    for name, argument in (("Retrieve", "Peru"), ("Mail", "Ann"), ("Nothing", "at all")):
        session.recall(name, argument)
    assert session.call("Lookup", "capital").text == "(Result 1 / 1) Its capital is Lima."
    assert sent == []
    session.call("Mail", "Bob")
    assert sent == ["Bob"]
