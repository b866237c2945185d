"""What is made from the table of commands: the manual page, the page for agents, completion; and the MCP server."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from autoact.cli import main, make_parser
from autoact.cli.reference.command_table import list_commands
from autoact.events import BY_A_PERSON, RunPaused
from autoact.project.project import Project
from autoact.run.process.launch import kill, launch
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
from autoact.run.record.state import RunState

ROOT = Path(__file__).resolve().parents[2]
CAPITALS = str(ROOT / "tests" / "faults" / "capital_job.py")
READING = ["list_projects", "list_runs", "read_events", "read_run"]
WRITING = ["cancel_run", "fork", "pause", "resume_run", "start_run", "step"]


# -- the table, and what is made from it ------------------------------------------------------------------------------


def test_the_table_has_every_verb_with_help() -> None:
    commands = {command.name: command for command in list_commands(make_parser())}
    assert {"new", "list", "tools list", "lab run", "secrets allow", "mcp"} <= commands.keys()
    assert [name for name, command in commands.items() if not command.help] == []
    assert commands["new"].aliases == ("init",)
    assert ("--preset {quick,full,paper,modern}", commands["run"].arguments[1][1]) == commands["run"].arguments[1]
    assert commands["step"].usage == "autoact step [-h] [--run NAME] RUN_OR_PROJECT [unit]"


def test_the_manual_page_has_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(".TH AUTOACT 1 ")
    for command in list_commands(make_parser()):
        assert f'.SS "{command.name.replace("-", chr(92) + "-")}' in page


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_reads_it_without_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["man"])
    (tmp_path / "autoact.1").write_text(capsys.readouterr().out)
    shown = subprocess.run(
        ["man", "--warnings", "-l", str(tmp_path / "autoact.1")],
        capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"},
    )  # fmt: skip
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "autoact - trains question-answering agents" in shown.stdout
    assert "autoact run [-h] [--preset" in shown.stdout


def test_the_page_for_agents_has_rules_and_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent-docs"]) == 0
    page = capsys.readouterr().out
    assert "Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped." in page
    for command in list_commands(make_parser()):
        assert f"\n### {command.name}" in page
        assert f"`{command.usage}`" in page


# -- completion --------------------------------------------------------------------------------------------------------


def completions(line: str, tmp_path: Path, program: str = "autoact", **environment: str) -> list[str]:
    """Returns what a shell is told when the line ends with a tab."""
    output = tmp_path / "completions"
    asked = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_SUPPRESS_SPACE": "1", "COMP_LINE": line,
        "COMP_POINT": str(len(line)), "_ARGCOMPLETE_STDOUT_FILENAME": str(output), "PYTHONPATH": str(ROOT),
        "_ARGCOMPLETE_IFS": "\n",
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-P", "-m", program], env={**os.environ, **asked, **environment}, cwd=tmp_path, check=False,
        capture_output=True,
    )  # fmt: skip
    return [word.strip() for word in output.read_text().splitlines()]


def test_verbs_projects_runs_stages_and_settings_are_completed(
    project: Project, tmp_path: Path, folder: RunFolder
) -> None:
    assert {"stats", "step", "stop"} <= set(completions("autoact st", tmp_path))
    assert completions("autoact runs proj", tmp_path) == ["project"]
    assert completions("studio proj", tmp_path, "studio") == ["project"]
    other = RunFolder(project.root / "runs" / folder.name)
    other.path.mkdir(parents=True)
    shutil.copy(folder.config, other.config)
    assert completions("autoact stats project --run ", tmp_path) == [other.name]
    assert completions("autoact run project --from synth", tmp_path) == ["synthesis"]
    assert "synthesis.samples=" in completions("autoact run project --set synthesis.s", tmp_path)
    assert completions("autoact run project --preset q", tmp_path) == ["quick"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_takes_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "autoact" in script
    assert "studio" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_bash_completes_a_line(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    program = tmp_path / "autoact"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m autoact "$@"\n')
    program.chmod(0o755)
    lines = """
    source script
    COMP_LINE="autoact runs proj" COMP_POINT=17 COMP_TYPE=9 COMP_WORDS=(autoact runs proj) COMP_CWORD=2
    _python_argcomplete autoact
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{tmp_path}:{os.environ['PATH']}"
    asked = subprocess.run(
        ["bash", "-c", lines], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PATH": path}
    )
    assert asked.stdout.split() == ["project"], asked.stderr


# -- the list of projects ----------------------------------------------------------------------------------------------


def test_the_list_has_projects_of_the_folder_and_recent_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AUTOACT_PROJECTS", str(tmp_path / "mine"))
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 0
    assert "no projects yet" in capsys.readouterr().out
    main(["init", str(tmp_path / "mine" / "lakes")])
    main(["new", str(tmp_path / "far" / "rivers")])
    capsys.readouterr()
    assert main(["ls", "--json"]) == 0
    assert [line["name"] for line in json.loads(capsys.readouterr().out)] == ["lakes", "rivers"]


# -- MCP ---------------------------------------------------------------------------------------------------------------


class Agent:
    """A client of the official SDK, connected to `autoact mcp` over stdio."""

    def __init__(self, *options: str):
        self.options = options

    async def ask(self, *calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[tuple[bool, str]]]:
        """Returns the names of the tools, and for each call whether it failed, and its text."""
        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client

        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        server = StdioServerParameters(
            command=sys.executable, args=["-P", "-m", "autoact", "mcp", *self.options], env=environment
        )
        errors = sys.__stderr__ or sys.stderr  # its default is the one of its import, which may have been a test's
        async with stdio_client(server, errors) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            names = sorted(tool.name for tool in (await session.list_tools()).tools)
            return names, [_answer(await session.call_tool(name, words)) for name, words in calls]


def _answer(result: Any) -> tuple[bool, str]:
    return result.is_error, "".join(part.text for part in result.content)


@pytest.fixture
def countries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterable[RunFolder]:
    """A run about capitals, in progress, of a project in the person's folder."""
    pytest.importorskip("mcp")
    monkeypatch.setenv("AUTOACT_PROJECTS", str(tmp_path))
    made = subprocess.run([sys.executable, CAPITALS, "--new", str(tmp_path / "countries")], capture_output=True)
    folder = RunFolder(Path(made.stdout.decode().strip()))
    yield folder
    kill(folder)


async def test_an_agent_reads_runs_and_cannot_write(countries: RunFolder) -> None:
    launch(countries, (CAPITALS,))
    names, answers = await Agent().ask(
        ("list_projects", {}),
        ("list_runs", {"project": "countries"}),
        ("read_run", {"project": "countries", "run": countries.name[:12]}),
        ("read_events", {"project": "countries", "kind": "run.opened"}),
        ("read_run", {"project": "nowhere"}),
        ("step", {"project": "countries", "unit": "q"}),
    )
    assert names == READING
    assert [failed for failed, _ in answers] == [False, False, False, False, True, True]
    texts = [text for _, text in answers]
    assert json.loads(texts[0])[0]["name"] == "countries"
    assert json.loads(texts[1])[0]["name"] == json.loads(texts[2])["run"] == countries.name
    assert {json.loads(line)["type"] for line in texts[3].splitlines()} == {"run.opened"}
    assert "expected a project's name" in texts[4]
    assert "step" in texts[5]


async def test_an_agent_that_may_write_forks_and_pauses(countries: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPITAL_SECONDS", "0.2")
    launch(countries, (CAPITALS,))
    while not RunState.of(countries.events).trajectories:
        await asyncio.sleep(0.1)
    unit = next(iter(RunState.of(countries.events).trajectories))
    names, (forked, paused, refused) = await Agent("--allow-writes").ask(
        ("fork", {"project": "countries", "unit": unit, "at": 0, "text": "I know it."}),
        ("pause", {"project": "countries"}),
        ("start_run", {"project": "countries", "preset": "nothing"}),
    )
    assert names == sorted([*READING, *WRITING])
    assert (forked[0], paused[0], refused[0]) == (False, False, True), (forked, paused, refused)
    assert json.loads(forked[1])["trajectory"]["steps"][0]["thought"] == "I know it."
    assert RunState.of(countries.events).status == "paused"
    assert "invalid choice: 'nothing'" in refused[1]


async def test_what_is_not_trusted_can_be_read_and_does_not_run(countries: RunFolder) -> None:
    from autoact.security import trust

    with LogWriter(countries) as log:
        log.append(RunPaused(BY_A_PERSON))
    trust.revoke(countries.path.parent.parent)
    _, ((read, _), (started, why)) = await Agent("--allow-writes").ask(
        ("list_runs", {"project": "countries"}), ("start_run", {"project": "countries"})
    )
    assert (read, started) == (False, True)
    assert "autoact trust" in why
