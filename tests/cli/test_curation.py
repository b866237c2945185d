"""Curating a project's tools from the command line: what was not touched stays as it was written."""

from __future__ import annotations

import threading
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path

import orjson
import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.project.project import Project
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter
from autoact.tools.library.tools_toml_edit import ToolsFile
from autoact.trajectory import Question, Step, Trajectory

TOOLS = """# Our tools.

[[tool]]
name = "Retrieve"   # the encyclopedia

# Sums, for the older pupils.
# They like it.
[[tool]]
name = "Calculator"
enabled = false  # not yet
[tool.settings]
max_chars = 100  # short

[[tool]]
name = "BingSearch"
settings = { results = 2 }
"""


@pytest.fixture
def file(project: Project) -> Path:
    file = project.root / "tools.toml"
    file.write_text(TOOLS)
    return file


def tools(file: Path, *arguments: str) -> int:
    return main(["tools", arguments[0], str(file.parent), *arguments[1:]])


def test_switching_changes_one_word(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tools(file, "enable", "calculator") == 0
    assert file.read_text() == TOOLS.replace("enabled = false", "enabled = true")
    assert tools(file, "disable", "WebSearch", "Calculator") == 0
    text = TOOLS.replace("results = 2 }\n", "results = 2 }\nenabled = false\n")
    assert file.read_text() == text
    assert capsys.readouterr().out.splitlines()[-1] == "Retrieve (Calculator) (WebSearch)"
    assert tools(file, "enable", "bingsearch", "Retrieve") == 0
    assert file.read_text() == text.replace("2 }\nenabled = false", "2 }\nenabled = true")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("disable", "Retrieve"), ("enable", "Calculator")),
        (("add", "Lookup"), ("remove", "BingSearch")),
        (("order", "WebSearch"), ("disable", "Retrieve")),
    ],
)
def test_two_commands_at_once_lose_no_change(
    file: Path, monkeypatch: pytest.MonkeyPatch, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    both_have_read, save = threading.Barrier(2), ToolsFile.save

    def wait_and_save(self: ToolsFile) -> None:
        with suppress(threading.BrokenBarrierError):
            both_have_read.wait(0.3)  # in vain, as the other waits for its turn to read
        save(self)

    monkeypatch.setattr(ToolsFile, "save", wait_and_save)
    monkeypatch.setattr("autoact.cli.cleaned_output", nullcontext)  # the streams are those of the whole process
    workers = [threading.Thread(target=tools, args=(file, *words)) for words in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    together = file.read_text()
    monkeypatch.undo()
    file.write_text(TOOLS)
    assert [tools(file, *first), tools(file, *second)] == [0, 0]
    one_by_one = file.read_text()
    file.write_text(TOOLS)
    assert [tools(file, *second), tools(file, *first)] == [0, 0]
    assert together in (one_by_one, file.read_text())


def test_order_moves_a_tool_with_its_comments(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tools(file, "order", "WebSearch", "calculator") == 0
    assert capsys.readouterr().out == "WebSearch (Calculator) Retrieve\n"
    text = file.read_text()
    assert text.startswith('# Our tools.\n\n[[tool]]\nname = "BingSearch"\nsettings = { results = 2 }\n\n# Sums')
    assert text.endswith('max_chars = 100  # short\n\n[[tool]]\nname = "Retrieve"   # the encyclopedia\n')
    assert sorted(text) == sorted(TOOLS)
    assert tools(file, "order", "Retrieve", "Calculator", "WebSearch") == 0
    assert file.read_text() == TOOLS


def test_use_switches_exactly_these_on_in_their_order(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tools(file, "use", "Calculator", "Lookup") == 0
    assert capsys.readouterr().out.startswith("Calculator Lookup (")
    assert "# Sums" in file.read_text()
    before = file.read_text()
    assert tools(file, "use", "Nothing") == 2
    assert file.read_text() == before


def test_edit_changes_what_is_named_and_keeps_comments(file: Path) -> None:
    assert tools(file, "edit", "Retrieve", "--definition", "Opens a page.", "--set", "max_chars=90") == 0
    text = file.read_text()
    assert 'definition = "Opens a page."' in text
    assert "max_chars = 90" in text
    assert "# the encyclopedia" in text
    assert tools(file, "edit", "Retrieve", "--definition", "") == 0
    assert "Opens a page." not in file.read_text()
    assert "max_chars = 90" in file.read_text()
    before = file.read_text()
    assert tools(file, "edit", "Retrieve", "--set", "max_chars=many") == 2
    assert file.read_text() == before


def test_adding_and_removing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        tools(file, "add", "database", "--set", "url=absent.db", "--set", "rows=5", "--usage", "Database[schema]") == 0
    )
    assert "Database cannot run yet: `url` names no file" in capsys.readouterr().out
    added = '\n[[tool]]\nname = "Database"\nusage = "Database[schema]"\n[tool.settings]\nurl = "absent.db"\nrows = 5\n'
    assert file.read_text().replace("\n\n[tool.settings]", "\n[tool.settings]") == TOOLS + added
    assert tools(file, "remove", "Database") == 0
    assert tools(file, "remove", "Calculator") == 0
    assert "Sums" not in file.read_text()
    assert "# the encyclopedia" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("enable", "Lookup"), "`Lookup` is not listed here; `autoact tools add` adds it; there are Retrieve"),
        (("disable", "Oracle"), "`Oracle` is no tool of this project"),
        (("add", "Retreive"), "unknown tool `Retreive`; did you mean `Retrieve`?; other kinds take --kind"),
        (("add", "Retrieve"), "`Retrieve` is listed already"),
        (("add", "Mine", "--kind", "pyhton"), "unknown kind `pyhton`; known: builtin, python"),
        (("add", "Lookup", "--set", "max_chars"), "expected KEY=VALUE, not `max_chars`"),
        (("add", "Lookup", "--set", "max_char=3"), "tool[4].settings.max_char`: unknown; did you mean `max_chars`?"),
        (("add", "Lookup", "--set", "max_chars=many"), "expected a whole number, not 'many'"),
        (("order", "Oracle"), "`Oracle` is no tool of this project"),
        (("show", "Retreive"), "did you mean `Retrieve`?"),
    ],
)
def test_mistakes_leave_the_file(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert tools(file, *arguments) == 2
    assert told in capsys.readouterr().err
    assert file.read_text() == TOOLS


@pytest.mark.parametrize(
    ("wrong", "right", "place"),
    [
        ("max_chars = 100", "max_chars = '100'", "tools.toml:12, key `tool[2].settings.max_chars`"),
        ("enabled = false", "enabled = 'no'", "tools.toml:10, key `tool[2].enabled`"),
        ("results = 2", "result = 2", "tools.toml:16, key `tool[3].settings.result`"),
        ('"BingSearch"', '"Bingo"', "tools.toml:15, key `tool[3].name`"),
        ('[[tool]]\nname = "Ret', '[[tols]]\nname = "Ret', "tools.toml:3, key `tols`"),
    ],
)
def test_errors_name_file_line_and_key(
    file: Path, capsys: pytest.CaptureFixture[str], wrong: str, right: str, place: str
) -> None:
    file.write_text(TOOLS.replace(wrong, right))
    assert tools(file, "list") == 2
    assert place in capsys.readouterr().err


def test_without_a_file_every_tool_is_listed(project: Project) -> None:
    file = project.root / "tools.toml"
    file.unlink()
    assert tools(file, "disable", "Text2Image") == 0
    assert 'name = "Text2Image"\nenabled = false' in file.read_text()
    assert file.read_text().count("[[tool]]") >= 10


@pytest.mark.parametrize("text", ["", "# None yet.\n"])
def test_a_file_without_tools_takes_the_first(file: Path, text: str) -> None:
    file.write_text(text)
    assert tools(file, "add", "Calculator") == 0
    assert file.read_text().startswith(text)
    assert file.read_text().count("[[tool]]") == 1


def test_texts_that_look_like_tools_are_not_edited(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TOOLS + '\n[[tool]]\nname = "Lookup"\ndefinition = """\n[[tool]]\n"""\n'
    file.write_text(text)
    assert tools(file, "disable", "Lookup") == 2
    assert file.read_text() == text


def test_test_tells_what_works_here(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "tables").mkdir()
    (file.parent / "tables" / "rivers.csv").write_text("name,km\nNile,6650\n")
    file.write_text('[[tool]]\nname = "Database"\n[[tool]]\nname = "TableVerbalizer"\n[[tool]]\nname = "Text2Image"\n')
    assert tools(file, "test", "--json") == 0
    trials = orjson.loads(capsys.readouterr().out)
    assert [(trial["tool"], trial["outcome"]) for trial in trials if trial["tool"] != "Database"] == [
        ("Text2Image", "cannot run"), ("TableVerbalizer", "passed"),
    ]  # fmt: skip
    assert [trial["outcome"] for trial in trials if trial["tool"] == "Database"] == ["passed"] * 3
    (file.parent / "tables" / "bad.csv").write_bytes(b"\xff")
    assert tools(file, "test", "database") == 1
    assert "3 failed" in capsys.readouterr().out


def test_test_of_an_unknown_tool(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('[[tool]]\nname = "Calculator"\n')
    assert tools(file, "test", "Nope") == 2
    assert "no tool `Nope` in this project; expected one of Calculator" in capsys.readouterr().err


def test_test_all_reaches_every_tool(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('[[tool]]\nname = "Calculator"\n')
    tools(file, "test", "--all", "--json")
    trials = orjson.loads(capsys.readouterr().out)
    assert {trial["tool"] for trial in trials} >= {
        "Calculator", "Retrieve", "Lookup", "WebSearch", "Image2Text", "Text2Image", "KnowledgeGraph", "Database",
        "TableVerbalizer", "CodeInterpreter",
    }  # fmt: skip
    sampled = [trial for trial in trials if trial["tool"] == "Database"]
    assert [trial["outcome"] for trial in sampled] == ["passed"] * 3
    assert sampled[0]["told"].startswith("on a sample: [schema] Tables: rivers(name, country, km)")


def test_test_all_says_what_needs_a_network_or_a_key(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TAVILY_API_KEY", raising=False)
    monkeypatch.setenv("BRAVE_API_KEY", "a-key-of-our-own")
    assert tools(file, "test", "--all", "--json") in (0, 1)
    trials = orjson.loads(capsys.readouterr().out)
    told = {trial["told"].partition(": ")[0]: trial for trial in trials if trial["told"].startswith("with ")}
    assert told["with source = tavily"]["outcome"] == "cannot run"
    assert "needs a key: autoact secrets set TAVILY_API_KEY" in told["with source = tavily"]["told"]
    assert told["with source = brave"]["outcome"] == told["with source = wikipedia"]["outcome"] == "left out"
    assert told["with source = wikipedia"]["told"].endswith("needs a network: tried by `autoact tools test --online`")
    assert any("wikidata.org" in name for name in told)


def test_statistics_of_past_runs(project: Project, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = (Step("t", "retrieve", "a"), Step("t", "Finish", "b"))
    right = Trajectory("u1", Question("q", "?", "b"), steps, "b", reward=1.0)
    wrong = Trajectory("u2", Question("q", "?", "b"), (*steps, Step("t", "Retrieve", "c")), "c", reward=0.4)
    for hour in (14, 15):
        with LogWriter(new_run(project.root, "synthesis", {}, now=datetime(2026, 11, 22, hour))) as log:
            for unit, ms in (("u1", 1.0), ("u1", 2.0), ("u2", 40.0)):
                text = "Retrieve failed: no network" if hour == 14 else "Could not find [a]."
                log.append(happened.ToolObserved(unit, 0, "d", "Retrieve", "a", text, ms > 30, ms))
            log.append(happened.ToolObserved("u1", 1, "d", "BingSearch", "a", "seen", False, 5.0))
            log.append(happened.TrajectoryCommitted(right))
            log.append(happened.TrajectoryCommitted(wrong))
            log.append(happened.QuestionSolved("group", right, em=1.0, scored=True))
    with LogWriter(new_run(project.root, "training", {}, now=datetime(2026, 11, 22, 16))) as log:
        for trajectory in (right, wrong):  # taken over from the run before; a fork of one calls a tool
            log.append(happened.TrajectoryCommitted(trajectory))
        log.append(happened.ToolObserved("u2~1", 2, "d", "WebSearch", "a", "seen", False, 5.0))
        log.append(happened.ToolObserved("group-1", 0, "d", "Retrieve", "a", "seen", False, 1.0))
    assert tools(file, "list", "--stats") == 0
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == "NAME CALLS FAILED FOUND NOTHING P50 MS P95 MS USED BY RIGHT"
    assert lines[1].split() == ["Retrieve", "7", "1", "1", "2.0", "40.0", "4", "50%"]
    assert lines[2].split() == ["WebSearch", "3", "0", "0", "5.0", "5.0", "0"]
    assert tools(file, "show", "Retrieve", "--json") == 0
    told = orjson.loads(capsys.readouterr().out)
    assert told["stats"] == {
        "tool": "Retrieve", "calls": 7, "failed": 1, "empty": 1, "p50_ms": 2.0, "p95_ms": 40.0, "trajectories": 4,
        "right": 2,
    }  # fmt: skip
    assert tools(file, "show", "BingSearch") == 0
    assert "results" in capsys.readouterr().out


def test_list_all(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tools(file, "list", "--all") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "switched off" in lines["Calculator"]
    assert "not listed" in lines["Lookup"]
    assert lines["Retrieve"].split()[2] == "ready"
