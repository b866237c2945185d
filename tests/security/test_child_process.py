"""Whoever stands in a folder that others wrote runs nothing of it: each program that is started, beside a control."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autoact.project.project import create
from autoact.security import child_process

ROOT = Path(__file__).resolve().parents[2]
SHADOWS = (
    "autoact",
    "studio",
    "platformdirs",
    "msgspec",
    "torch",
    "transformers",
    "signal",
    "json",
    "orjson",
    "typing",
)
"""Modules that our programs import, each put into the folder as a file or a package."""
MARK = "import os; open(os.environ['MARK'], 'a').write(__name__ + ' ')\n"


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose modules leave a mark when they are imported; this process stands in it."""
    root = create(tmp_path / "hostile", "blank").root
    for name in SHADOWS:
        (root / f"{name}.py").write_text(MARK)
    for package in ("autoact", "studio"):
        (root / package).mkdir()
        for file in ("__init__.py", "__main__.py"):
            (root / package / file).write_text(MARK)
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    monkeypatch.chdir(root)
    return root


def started(tmp_path: Path, *command: str) -> str:
    """Runs a program from the working folder; what it and its children imported of it."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    print(done.stdout, done.stderr)  # which pytest shows with a failure
    mark = tmp_path / "mark"
    return mark.read_text() if mark.exists() else ""


def calling(code: str) -> tuple[str, ...]:
    """The command line of a program of ours that does `code`, safe in itself, so that only its children may not be."""
    return (sys.executable, "-P", "-c", code)


CONTROLS = {
    "a module of the command": (sys.executable, "-m", "autoact", "--help"),
    "a module of the studio": (sys.executable, "-m", "studio", "--help"),
    "a text": (sys.executable, "-c", "import platformdirs"),
}
LAUNCH = """
from datetime import datetime
from pathlib import Path
from autoact.run.record.folder import new_run
from autoact.run.process.launch import launch
from autoact.run.process.health import is_active
settings = {"run": {"stages": ["synthesis"]}, "model": {"id": "/nowhere"}}
folder = new_run(Path.cwd(), "test", settings, now=datetime.now())
launch(folder)
while is_active(folder):
    pass
assert "/nowhere" in folder.console.read_text(), folder.console.read_text()
open("done", "w")
"""
ERRAND = """
import asyncio
from studio.actions import cli_command
outcome = asyncio.run(cli_command.autoact("check", str(__import__("pathlib").Path.cwd())))
assert not outcome.code, outcome
open("done", "w")
"""
WEB = """
import os
from studio import web
class Shell(web.LoopbackServer):
    def serve(self):
        assert not os.system(self.command + " --help")
web.LoopbackServer = Shell
here = os.getcwd()
web.serve(".", 0)
open(here + "/done", "w")
"""
BRIDGE = """
from autoact.tools.bridges.child import Child, child_environment
from autoact.tools.pages.corpus import Corpus
from autoact.tools.library.tool import ToolContext
from pathlib import Path
opening = {"kind": "python", "module": "os.path", "function": "basename"}
child = Child(opening, {"MARK": __import__("os").environ["MARK"]}, Path.cwd(), 60.0)
assert child.ask({"arguments": {"p": "a/b"}}, 30.0).text == "b"
child.close()
open("done", "w")
"""
SQL = """
import sqlite3
from pathlib import Path
from autoact.tools.database.sqlite import SqliteReader
sqlite3.connect("x.db").execute("CREATE TABLE a (b)")
reader = SqliteReader(Path("x.db"), 30.0)
assert list(reader.tables()) == ["a"]
reader.close()
open("done", "w")
"""
SANDBOX = """
from autoact.tools.sandbox.sandbox import Sandbox
print(Sandbox().run("import json, typing, signal; print(6 * 7)"))
open("done", "w")
"""
PROGRAMS = {
    "keeper and job": LAUNCH,
    "a command of the studio": ERRAND,
    "the web face": WEB,
    "a bridge": BRIDGE,
    "the reader of a database": SQL,
    "a program of a model": SANDBOX,
}


@pytest.mark.parametrize("control", CONTROLS)
def test_the_folder_would_run_code(hostile: Path, tmp_path: Path, control: str) -> None:
    assert started(tmp_path, *CONTROLS[control])


@pytest.mark.parametrize("modules", ["", ":", "."])
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_child_runs_code_of_the_working_folder(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, modules: str
) -> None:
    """Not even with a PYTHONPATH that names the working folder, from where the parent is started elsewhere."""
    code = f"import os; os.chdir({str(hostile)!r})\n{PROGRAMS[program]}"
    monkeypatch.setenv("PYTHONPATH", modules)
    monkeypatch.chdir("/")
    assert started(tmp_path, *calling(code)) == ""
    assert (hostile / "done").exists()


@pytest.mark.parametrize("name", ["autoact", "studio"])
def test_the_commands_themselves_run_nothing_of_it(hostile: Path, tmp_path: Path, name: str) -> None:
    program = Path(sys.executable).with_name(name)
    if not program.exists():
        pytest.skip("the package is not installed")
    assert started(tmp_path, str(program), "--help") == ""
    assert started(tmp_path, str(program), *(("check", ".") if name == "autoact" else ("--plain", "."))) == ""


def test_no_other_code_builds_the_command_line_of_a_python() -> None:
    places = {
        path.relative_to(ROOT).as_posix()
        for package in ("autoact", "studio")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"\bsys\.executable\b", path.read_text(encoding="utf-8"))
    }
    assert places == {"autoact/security/child_process.py", "autoact/tools/sandbox/interpreter.py"}


def test_paths_of_the_environment_stay_what_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (("AUTOACT_MODELS", "models"), ("AUTOACT_SECRETS", "~/x"), ("AUTOACT_PROJECTS", "")):
        monkeypatch.setenv(name, value)
    told = child_process.environment()
    assert (told["AUTOACT_MODELS"], told["AUTOACT_SECRETS"]) == (str(tmp_path / "models"), "~/x")
    assert told["AUTOACT_PROJECTS"] == os.environ["AUTOACT_PROJECTS"]
