"""The command as a whole: help, exit codes, and what importing it costs."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from autoact import cli
from autoact.errors import LOCAL, BadProject, RunBusy
from autoact.project.project import create

VERBS = (
    "new", "list", "check", "run", "ask", "eval", "runs", "stats", "compare", "report", "inspect", "attach", "log",
    "cancel", "resume", "delete", "tools", "models", "doctor", "notify", "completion", "man", "agent-docs", "mcp",
)  # fmt: skip


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    assert [name for name in listed if name in VERBS] == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    assert f"usage: autoact {verb}" in capsys.readouterr().out


def test_help_imports_neither_data_nor_model_libraries() -> None:
    heavy = "{'msgspec', 'orjson', 'sqlite3', 'rapidfuzz', 'torch', 'transformers', 'peft'}"
    code = (
        f"import sys, autoact.cli as cli; cli.make_parser().format_help(); print(*sorted({heavy} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["runn"], "run"), (["statz"], "stats"), (["tools", "ist"], "list"), (["secrets", "sett"], "set")],
)
def test_a_verb_that_was_mistyped(words: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"no verb `{words[-1]}`; did you mean `{meant}`" in last
    assert len(last) < 120


@pytest.mark.parametrize("word", ["frobnicate", "help"])
def test_a_verb_like_no_other_is_not_answered_with_all_of_them(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([word])
    assert capsys.readouterr().err.endswith(f"no verb `{word}`; `autoact --help` lists the verbs\n")


@pytest.mark.parametrize(
    ("alias", "verb"), [("init", "new"), ("archive", "shelve"), ("watch", "attach"), ("ls", "list")]
)
def test_names_that_people_expect(alias: str, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for name in (alias, verb):
        with pytest.raises(SystemExit) as ended:
            cli.main([name, "--help"])
        assert ended.value.code == 0
        texts.append(capsys.readouterr().out.replace(f"autoact {alias}", f"autoact {verb}"))
    assert texts[0].split() == texts[1].split()


WITHOUT_LOCAL = """\
import sys
sys.modules.update(dict.fromkeys({packages}))
from autoact.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["new", "PROJECT"], 0), (["check", "PROJECT"], 0), (["runs", "PROJECT"], 0), (["tools", "list", "PROJECT"], 0),
        (["tools", "select", "PROJECT"], 2), (["models", "pull", "of/nobody"], 2),
    ],
)  # fmt: skip
def test_without_models_there_are_all_commands_that_need_none(words: list[str], code: int, tmp_path: Path) -> None:
    """Imports as on a machine without the extra `local`."""
    project = tmp_path / "p" if words[0] == "new" else create(tmp_path / "p", "starter").root
    script = WITHOUT_LOCAL.format(packages=sorted(LOCAL))
    command = [sys.executable, "-c", script, *(str(project) if word == "PROJECT" else word for word in words)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stderr
    assert ("pip install 'autoact-studio[local]'" in ran.stderr) == (code == 2)


def test_an_engine_of_the_extra_local_says_what_it_needs() -> None:
    script = "import sys; sys.modules['torch'] = None; from autoact.registry.registry import load_object; "
    script += "load_object('autoact.model.local:open_engine')"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "NotInstalled: this needs the package torch" in ran.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"autoact {version('autoact-studio')}\n")


def test_python_m_autoact() -> None:
    asked = subprocess.run([sys.executable, "-m", "autoact"], capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "VERB" in asked.stderr


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (BadProject("not so", file="a.jsonl", line=3, key="answer"), 2, "a.jsonl:3, key `answer`: not so"),
        (RunBusy("r-1 belongs to process 7"), 1, "r-1 belongs to process 7"),
        (KeyboardInterrupt(), 130, ""),
    ],
)  # fmt: skip
def test_failures_become_exit_codes(
    error: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "VERBS", (Verb(error),))
    assert cli.main(["fail"]) == code
    assert capsys.readouterr().err == (f"autoact: {told}\n" if told else "")


def test_a_reader_that_leaves_is_no_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("project") / "p"
    assert cli.main(["new", str(folder), "--template", "starter"]) == 0
    code = "import sys; from autoact.cli import main; sys.exit(main(['check', sys.argv[1]]))"
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    reader.stdout.close()
    assert reader.stderr is not None
    assert (reader.stderr.read(), reader.wait()) == ("", 141)
    reader.stderr.close()


class Verb:
    """A verb that raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def add(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        subparsers.add_parser("fail").set_defaults(run=self._raiser())

    def _raiser(self) -> Callable[[argparse.Namespace], int]:
        def run(arguments: argparse.Namespace) -> int:
            raise self.error

        return run


FULL_DISK = """
import resource, sys
from autoact.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
sys.exit(main(sys.argv[1:]))
"""
"""A program for which no file may grow. Python turns the signal of it into an OSError."""


@pytest.mark.parametrize(
    "words",
    [
        ("new", "{}/other"), ("duplicate", "{}/one", "two"), ("tools", "disable", "{}/one", "Retrieve"),
        ("secrets", "set", "RIVER_KEY"), ("secrets", "allow", "RIVER_KEY", "rivers.example"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_full_disk_is_told_in_a_line(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create(tmp_path / "one", "blank")
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "secrets.json"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    before = sorted(tmp_path.rglob("*"))
    command = [sys.executable, "-c", FULL_DISK, *(word.format(tmp_path) for word in words)]
    done = subprocess.run(command, input="rk-11223344\n", capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("autoact: ")
    assert "File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_output_that_finds_no_room_is_told_in_a_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "autoact", "models", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "autoact: No space left on device\n")
