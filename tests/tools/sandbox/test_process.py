"""A program's process: how its end is told, that nothing of it is left, and that it never runs half shut in."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from autoact.tools.sandbox import bubblewrap, inside, interpreter, layers, process
from autoact.tools.sandbox.bounds import MEGABYTE, Bounds
from autoact.tools.sandbox.inside import program as inner
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[3]
BOUNDS = Bounds(seconds=20)


@pytest.mark.parametrize(
    ("program", "end", "said"),
    [
        ("1 / 0", "failed", "ZeroDivisionError: division by zero\nin line 1: 1 / 0"),
        ("x = (", "failed", "SyntaxError: '(' was never closed (<program>, line 1)"),
        ("import nothing_like_it", "failed", "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("import sys; sys.exit('no')", "failed", "no"),
        ("import sys; sys.exit(3)", "failed", "it ended with exit code 3"),
        ("exit()", "finished", ""),
        ("raise KeyboardInterrupt", "failed", "KeyboardInterrupt"),
        ("import os; os.kill(os.getpid(), 11)", "killed", "it ended by SIGSEGV"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", "failed", "E\nin line 3: raise E"),
        ("import sys; sys.stdout.close(); 1", "failed", "ValueError: I/O operation on closed file."),
        ("", "finished", ""),
    ],
)
def test_ends(program: str, end: str, said: str, found: Layers) -> None:
    outcome = Sandbox(msgspec.structs.replace(found, bubblewrap="")).run(program, BOUNDS)
    assert (outcome.end, outcome.error[: len(said)]) == (end, said)


def test_an_error_is_told_with_the_innermost_line_of_the_program(found: Layers) -> None:
    outcome = Sandbox(found).run("import json\ndef f():\n    return json.loads('{')\nf()", BOUNDS)
    assert outcome.error.startswith("JSONDecodeError: ")
    assert outcome.error.endswith("in line 3: return json.loads('{')")


@pytest.mark.parametrize(
    ("program", "bounds", "end", "said"),
    [
        ("print('a', flush=True)\nwhile True: pass", {"seconds": 1.0}, "time", "it ran longer than 1 s"),
        ("while True: pass", {"cpu_seconds": 1}, "time", "it took more than 1 s of processor time"),
        ("while True: print('a')", {"output": 1000}, "output", "it printed more than 1,000 bytes"),
        ("import sys\nwhile True: sys.stderr.write('a')", {"output": 1000}, "output", "it printed more than"),
        ("bytearray(10**9)", {"memory": 300 * MEGABYTE}, "failed", "MemoryError"),
        ("open('a', 'wb').write(bytes(2_000_000))", {"file": MEGABYTE}, "failed", "OSError: [Errno 27] File too large"),
        ("[open(str(n), 'w') for n in range(99)]", {"open_files": 20}, "failed", "OSError: [Errno 24] Too many open"),
        ("import time\nfor n in range(50): open(str(n), 'w')\ntime.sleep(9)", {"entries": 20}, "resources", "it made"),
    ],
)
def test_bounds(program: str, bounds: dict[str, float], end: str, said: str, sandbox: Sandbox) -> None:
    outcome = sandbox.run(program, msgspec.structs.replace(BOUNDS, **bounds))
    assert (outcome.end, outcome.error[: len(said)]) == (end, said)


def test_what_was_printed_before_the_end_is_kept(found: Layers) -> None:
    outcome = Sandbox(found).run("print('before')\nwhile True: pass", Bounds(seconds=2))
    assert (outcome.end, outcome.stdout) == ("time", "before\n")


def test_an_outcome_tells_what_it_took(found: Layers) -> None:
    outcome = Sandbox(found).run("open('made.txt', 'w').write('abc')", BOUNDS)
    assert [(made.name, made.size) for made in outcome.files] == [("made.txt", 3)]
    assert 0 < outcome.cpu_seconds <= outcome.seconds + 1


def test_nothing_is_left(sandbox: Sandbox) -> None:
    before = {found.name for found in Path("/proc/self/fd").iterdir()}
    outcome = sandbox.run("import os\nos.makedirs('a/b')\nos.getcwd()", BOUNDS)
    folder = Path(outcome.stdout.strip().strip("'"))
    assert folder.name.startswith("autoact-program-")
    assert folder.parent == Path(tempfile.gettempdir()).resolve()
    assert not folder.exists()
    assert {found.name for found in Path("/proc/self/fd").iterdir()} == before


def test_each_program_starts_afresh(sandbox: Sandbox) -> None:
    sandbox.run("x = 1; open('kept', 'w')", BOUNDS)
    assert sandbox.run("import os\n'x' in globals(), os.listdir()", BOUNDS).stdout == "(False, [])\n"


def test_no_process_is_started_without_layers() -> None:
    outcome = process.run("print(1)", Layers(landlock=7), BOUNDS)
    assert (outcome.end, outcome.stdout) == ("refused", "")
    assert "seccomp" in outcome.error


def test_a_program_that_cannot_be_shut_in_does_not_run(found: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder among the devices is a rule that the kernel refuses."""
    monkeypatch.setattr(interpreter, "DEVICES", ("/proc/self/mem/none",))
    outcome = Sandbox(msgspec.structs.replace(found, landlock=7, bubblewrap="")).run("print(1)", BOUNDS)
    assert (outcome.end, outcome.stdout) == ("refused", "")
    assert outcome.error.startswith("it could not be confined: ")


def test_long_and_odd_programs_are_refused_or_told(found: Layers) -> None:
    assert Sandbox(found).run("#" * 200_000).end == "refused"
    assert Sandbox(found).run("print(1)\0").end == "refused"
    assert Sandbox(found).run("print('\ud800')", BOUNDS).stdout == "?\n"


def test_layers_in_words() -> None:
    assert Layers(7, True, "bwrap").summary() == "Landlock (version 7), seccomp, bubblewrap and limits"
    assert Layers(0, True, "bwrap").summary() == "seccomp, bubblewrap and limits"
    assert Layers(7, False, "bwrap", monty=True).summary().startswith("Monty")
    assert not Layers(7, True).refusal()
    assert "neither Landlock nor a bubblewrap" in Layers(0, True).refusal()
    assert "pip install pydantic-monty" in Layers(7, False).refusal()
    assert Sandbox(Layers()).run("1").end == "refused"
    assert Sandbox(Layers()).summary() == Layers().refusal()


def test_bubblewrap_that_does_not_work_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bubblewrap.find_bubblewrap() == ""
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    assert bubblewrap.find_bubblewrap() == ""


def test_the_child_imports_nothing_of_autoact() -> None:
    """Started alone, it loads its own package and four modules of the standard library beyond what Python has."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from inside import child; print(*sys.modules)"
    folder = str(Path(inside.__file__).parent.parent)
    loaded = subprocess.run(
        [interpreter.executable(), "-I", "-S", "-c", code, folder], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not [name for name in loaded if name.startswith("autoact") or name in ("typing", "re", "enum", "json")]


def test_the_environment_is_its_own(tmp_path: Path) -> None:
    assert set(interpreter.environment(tmp_path)).isdisjoint({"PYTHONPATH", "HTTP_PROXY", "USER"})
    assert interpreter.environment(tmp_path)["HOME"] == str(tmp_path)


def test_packages_are_those_of_this_python() -> None:
    assert all(folder in sys.path for folder in interpreter.packages())
    assert str(ROOT) not in interpreter.packages()


def test_written_line_breaks_are_breaks_only_where_nothing_else_parses(capsys: pytest.CaptureFixture[str]) -> None:
    assert inner.run(r"print('a\nb')") == 0
    assert capsys.readouterr().out == "a\nb\n"
    assert inner.run(r"for i in range(2):\n\tprint(i)") == 0
    assert capsys.readouterr().out == "0\n1\n"


def test_found_is_what_the_parts_say(found: Layers) -> None:
    assert layers.find_layers() == found
