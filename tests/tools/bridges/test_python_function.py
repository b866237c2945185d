"""A person's own functions are told without being run, run in a child, and killed when they must be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.tools.library.library import Library

Load = Callable[..., Library]
Gone = Callable[[int], bool]

ENTRY = '[[tool]]\nname = "{0}"\nkind = "python"\nsettings = {{function = "tools/own.py:{0}", timeout_s = {1}}}\n'
OWN = '''
"""A person's tools."""
import os, subprocess, sys, time
from pathlib import Path

def add(a: int, b: int = 2) -> int:
    """Adds two numbers."""
    print("noise on stdout")
    return a + b

def names(prefix: str) -> list[str]:
    return sorted(name for name in os.environ if name.startswith(prefix))

def process(x: str) -> int:
    return os.getpid()

def fails(x: str) -> None:
    raise ValueError("no luck")

def leaves(x: str) -> None:
    sys.exit(3)

def vanishes(x: str) -> None:
    os._exit(1)

def floods(x: str) -> str:
    return "x" * 50_000_000

def forges(x: str) -> str:
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, b"x" * 3_000_000)
        except OSError:
            pass

def hangs(folder: str) -> None:
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    Path(folder, "pid").write_text(str(child.pid))
    while True:
        pass

async def waits(x: str) -> dict:
    return {"said": x}
'''


def entries(*names: str, timeout_s: float = 60) -> str:
    return "".join(ENTRY.format(name, timeout_s) for name in names)


def test_it_is_told_without_being_run(load: Load, tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\ndef add(a: int, b: int = 2):\n    'Adds two numbers.'\n"
    (record,) = load(entries("add"), own=trap).records()
    assert (record.state, record.definition, record.usage) == ("ready", "Adds two numbers.", "add[1]")
    assert record.schema["properties"]["b"] == {"type": "integer", "default": 2}
    assert not (tmp_path / "ran").exists()


def test_it_runs_in_one_process_of_its_own(load: Load, gone: Gone) -> None:
    library = load(entries("add", "process", "waits"), own=OWN)
    session = library.session()
    assert session.call("add", "1").text == "3"
    assert session.call("add", "1, 5").text == "6"
    assert session.call("waits", "hello").text == '{"said": "hello"}'
    first = session.call("process", "x").text
    assert first == library.session().call("process", "x").text != str(os.getpid())
    library.close()
    assert gone(int(first))


def test_what_it_does_wrong_is_an_observation(load: Load) -> None:
    session = load(entries("add", "fails", "leaves", "vanishes", "floods", "forges"), own=OWN).session()
    assert session.call("fails", "x").text == "fails failed: ValueError: no luck"
    assert session.call("leaves", "x").text == "leaves failed: SystemExit: 3"
    assert session.call("vanishes", "x").text == "vanishes failed: its process ended without an answer"
    assert len(session.call("floods", "x").text) == 400
    assert session.call("forges", "x").text == "forges failed: it answered with more than 1,000,000 bytes"
    assert session.call("add", "two").text == "add failed: expected a whole number as `a`, not 'two'"


def test_it_is_killed_at_its_deadline_with_what_it_started(load: Load, tmp_path: Path, gone: Gone) -> None:
    session = load(entries("hangs", timeout_s=5), own=OWN).session()
    assert session.call("hangs", str(tmp_path)).text == "hangs failed: no answer within 5 s"
    assert gone(int((tmp_path / "pid").read_text()))


def test_it_is_left_alone_after_failures_in_a_row(load: Load) -> None:
    session = load(entries("vanishes"), own=OWN).session()
    said = [session.call("vanishes", "x").text for _ in range(4)]
    assert len(set(said[:3])) == 1
    assert "not started for" in said[3]


def test_it_sees_no_secret_that_is_not_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_ONE", "1")
    text = entries("names").replace("timeout_s", 'secrets = ["SECRET_TWO"], timeout_s')
    session = load(text, {"SECRET_TWO": "2", "SECRET_THREE": "3"}, own=OWN).session()
    assert session.call("names", "SECRET").text == '["SECRET_TWO"]'


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("tools/own.py", "it needs settings"),
        ("tools/own.py:gone", "tools/own.py cannot be used: it has no function `gone`"),
        ("tools/other.py:add", "file not found: tools/other.py, relative to the project"),
        ("../outside.py:add", "outside the project"),
        ("no_such_package.inner:add", "no Python package `no_such_package`"),
        ("os.no_such_module:add", "cannot be used"),
    ],
)
def test_what_cannot_be_found_is_told(load: Load, function: str, reason: str) -> None:
    text = f'[[tool]]\nname = "own"\nkind = "python"\nsettings = {{function = "{function}"}}\n'
    (record,) = load(text, own=OWN).records()
    assert record.state == "needs-setting"
    assert reason in record.reason


def test_an_installed_module_does_too(load: Load) -> None:
    text = '[[tool]]\nname = "Mean"\nkind = "python"\nsettings = {function = "statistics:fmean"}\n'
    library = load(text)
    assert library.records()[0].definition.startswith("Convert data to floats")
    assert library.session().call("Mean", "[1, 2, 6]").text == "3.0"
