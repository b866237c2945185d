"""Whatever a project, a log, a name or a setting holds, no command hands it to the terminal as it is."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "studio"))  # where hostile projects are made

from hostile import PIECES, Supply  # noqa: E402 - found by the line above
from ways import broken, project  # noqa: E402

from autoact.cli import main, output  # noqa: E402
from autoact.run.record.folder import list_runs  # noqa: E402
from autoact.security import trust, untrusted_text  # noqa: E402
from autoact.security.untrusted_text import cleaned_output  # noqa: E402

Bytes = pytest.CaptureFixture[bytes]
ACTS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
SHELL = ("\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\u202ecod", "line\nautoact: all is well", "\rautoact: fine")
TOOLS = """
[[tool]]
name = "Own {0}"
kind = "python"
definition = "{1}"
usage = "{1}"
settings = {{ function = "{1}" }}
[[tool]]
name = "Ähm"
kind = "http"
definition = "d"
settings = {{ url = "{1}", headers = {{ "{1}" = "{1}" }} }}
[[tool]]
name = "Calculator"
definition = "{1}"
"""


@pytest.fixture(params=range(3))
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project whose every text wants to act, with runs in every state."""
    supply = Supply(7_000 + request.param)
    root = project(tmp_path, supply)
    told = json.dumps("".join(PIECES[:17]).encode("utf-8", "replace").decode())[1:-1]
    (root / "tools.toml").write_text(TOOLS.format("x", told), encoding="utf-8")
    for run in list_runs(root):
        run.console.write_bytes(supply.raw("consoles") + b"\n\x1b]52;c;aGk=\x07\xff\n")
    broken(tmp_path, supply)
    trust.trust_project(root)
    return root


def commands(root: Path) -> Iterator[list[str]]:
    """Every command that looks at a project or a run, also with --json; and wrong ones that quote their words."""
    yield from (
        ["runs", str(root)],
        ["runs", str(root), "--json"],
        ["check", str(root)],
        ["check", str(root), "--json"],
    )
    yield from (["tools", "list", str(root), *more] for more in ([], ["--all"], ["--stats"], ["--json"]))
    yield from (["tools", "show", str(root), name] for name in ("Own x", "Calculator", "\x1b[2Jnone"))
    yield from (["tools", "try", str(root), name, "\x1b]0;x\x07"] for name in ("Own x", "Calculator"))
    yield ["tools", "test", str(root), "Own x", "Calculator"]
    yield ["tools", "disable", str(root), "Own x"]
    for run in list_runs(root):
        yield from (["stats", str(run.path)], ["stats", str(run.path), "--json"], ["attach", str(run.path)])
        yield from (["log", str(run.path), *more] for more in ([], ["--json"], ["--console"]))
        yield from (["resume", str(run.path), "--detach"], ["cancel", str(run.path), "--wait", "0"])
        yield from (["step", str(run.path), "\x1b[2J"], ["delete", str(run.path)], ["trust", str(run.path), "--yes"])
    for other in root.parent.iterdir():
        yield from (["check", str(other)], ["runs", str(other)], ["run", str(other)], ["trust", str(other)])
    for text in SHELL:
        yield from ([text], ["run", text], ["runs", str(root), f"--{text}"], ["run", str(root), "--set", text])
        yield from (
            ["new", str(root / text)],
            ["new", str(root / "x"), "--template", text],
            ["import", text, str(root)],
        )
        yield from (["secrets", "remove", text], ["models", "pull", f"/{text}"], ["export", str(root), text])


def test_no_command_lets_it_act(hostile: Path, capfdbinary: Bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(hostile.parent)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    monkeypatch.setattr("autoact.run.process.launch.launch", lambda folder: None)
    monkeypatch.setattr("autoact.model.store.prepare", lambda config: None)  # `new` made a project of that name
    seen = 0
    for words in commands(hostile):
        words = [word.replace("\0", "") for word in words]
        with contextlib.suppress(SystemExit):  # of wrong usage
            main(words)
        out, err = (text.decode() for text in capfdbinary.readouterr())
        for text in (out, err):
            assert not (found := ACTS.search(text)), (words, text[max(0, found.start() - 40) :][:80])
        if "--json" in words and out and words[0] != "log":
            json.loads(out)
        for line in out.splitlines() if "--json" in words and words[0] == "log" else ():
            json.loads(line)
        seen += bool(out + err)
    assert seen > 60  # of them had something to say
    assert "autoact: all is well" not in (out + err).splitlines()


def test_they_would_without_the_boundary(hostile: Path, capfdbinary: Bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the same commands over the same project, printed as it is."""
    monkeypatch.setattr("autoact.cli.cleaned_output", contextlib.nullcontext)
    monkeypatch.setattr(untrusted_text, "whole", lambda text: text.encode("utf-8", "replace").decode())
    acted = 0
    for run in list_runs(hostile):
        for words in (["log", str(run.path)], ["log", str(run.path), "--console"], ["stats", str(run.path)]):
            main(words)
            acted += bool(ACTS.search(capfdbinary.readouterr().out.decode()))
    assert acted > 4


@pytest.mark.parametrize("piece", PIECES)
def test_json_says_exactly_what_it_was_given(piece: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"a{piece}b".encode("utf-8", "replace").decode()
    with cleaned_output():
        output.print_json({text: [text]})
        output.print_json_text(orjson.dumps(text).decode())
    printed = capsys.readouterr().out
    assert not ACTS.search(printed)
    assert json.loads(printed[: printed.rindex('"a')]) == {text: [text]}
    assert json.loads(printed[printed.rindex('"a') :]) == text


def test_bars_may_move_the_cursor_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    with cleaned_output(), output.progress_bars():
        print("\rmodel\x1b[31m 50%\x1b[A\x1b[K\x1b]0;x\x07", file=sys.stderr)
    assert capsys.readouterr().err == "\rmodel␛[31m 50%\x1b[A\x1b[K␛]0;x␇\n"


def test_streams_are_as_before_when_a_command_has_ended() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(SystemExit):
        main(["--help"])
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("words", [("--plain", "R"), ("\x1b]0;x\x07",), ("--plain", "\x1b[2J"), ("--\x1b[2J",)])
def test_neither_does_the_studio(hostile: Path, words: tuple[str, ...]) -> None:
    run = next(run for run in list_runs(hostile) if run.events.stat().st_size > 1000 and not run.lock.exists())
    line = [str(run.path) if word == "R" else word for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "studio", *line], capture_output=True, check=False, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.stdout + done.stderr
    assert not ACTS.search((done.stdout + done.stderr).decode())
