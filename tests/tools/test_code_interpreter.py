"""CodeInterpreter in the library: what an agent reads of a program's end, and its refusal where nothing holds one."""

from __future__ import annotations

import re

import pytest

from autoact.tools.library.library import Library, ToolContext, ToolSession
from autoact.tools.pages.corpus import Corpus
from autoact.tools.sandbox import layers
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.program_result import ProgramFile, ProgramResult
from autoact.tools.simple import code_interpreter
from autoact.tools.simple.code_interpreter import describe_result, extract_program


@pytest.fixture
def session(corpus: Corpus) -> ToolSession:
    if layers.find_layers().refusal():
        pytest.skip("other system: nothing here holds a program")
    return Library.load(None, ToolContext(corpus), (code_interpreter.GROUP,)).session()


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("sum(range(10))", "45"),
        ("print(1); print(2)", "1 2"),
        ("for i in range(2):\n    print(i * 2)", "0 2"),
        (r"for i in range(2):\n    print(i * 3)", "0 3"),
        ("```python\n1 + 1\n```", "2"),
        ("x = 1", "The program ended and printed nothing."),
    ],
)
def test_what_it_shows(argument: str, text: str, session: ToolSession) -> None:
    observation = session.call("CodeInterpreter", argument)
    assert (observation.text, observation.failed) == (text, False)


def test_an_error_is_an_observation(session: ToolSession) -> None:
    observation = session.call("code_interpreter", "print('so far')\n1 / 0")
    assert observation.failed
    assert observation.text.startswith("ZeroDivisionError: division by zero")
    assert observation.text.endswith("Printed before: so far")


def test_settings_bound_it(corpus: Corpus) -> None:
    if layers.find_layers().refusal():
        pytest.skip("other system: nothing here holds a program")
    context = ToolContext(corpus, {"CodeInterpreter": {"timeout_s": 1.0, "memory_mb": 300, "max_chars": 100}})
    session = Library.load(None, context, (code_interpreter.GROUP,)).session()
    assert (
        session.call("CodeInterpreter", "while True: pass").text == "The program was stopped: it ran longer than 1 s."
    )
    assert "MemoryError" in session.call("CodeInterpreter", "bytearray(10**9)").text
    assert len(session.call("CodeInterpreter", "print('word ' * 999)").text) <= 100


def test_it_is_refused_where_nothing_holds(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoact.tools.sandbox.layers.find_layers", Layers)
    library = Library.load(None, ToolContext(corpus), (code_interpreter.GROUP,))
    (record,) = library.records()
    assert (record.state, record.runs) == ("refused", False)
    assert "no seccomp filter" in record.reason
    observation = library.session().call("CodeInterpreter", "1")
    assert observation.failed
    assert "pydantic-monty" in observation.text


def test_its_checks_pass(corpus: Corpus, session: ToolSession) -> None:
    for check in code_interpreter.GROUP.checks(ToolContext(corpus), {}):
        assert re.search(check.expects, session.call(check.tool, check.argument).text)


@pytest.mark.parametrize("room", [60, 200, 1000])
def test_an_error_is_not_cut_off_by_what_came_before(room: int) -> None:
    outcome = ProgramResult("failed", "word " * 500, "ValueError: this matters")
    observation = describe_result(outcome, room)
    assert observation.text.startswith("ValueError: this matters")
    assert len(observation.text) <= room


def test_files_are_told() -> None:
    outcome = ProgramResult("finished", "done\n", files=(ProgramFile("plot.png", 12345),))
    assert describe_result(outcome, 400).text == "done Wrote plot.png (12,345 bytes)."
    assert describe_result(ProgramResult("time", "", "it ran longer than 1 s"), 400).text.startswith(
        "The program was stopped: it ran"
    )
    assert describe_result(ProgramResult("refused", "", "no seccomp filter here"), 400).failed


@pytest.mark.parametrize(
    ("argument", "program"),
    [("1", "1"), ("```py\n1\n```", "1"), ("```1```", "1"), ("print('```')", "print('```')")],
)
def test_fences_are_taken_off(argument: str, program: str) -> None:
    assert extract_program(argument) == program
