"""What a run of tool selection chose, and why not the others."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest

from autoact.cli.tools.selection import print_selection
from autoact.events import ToolPassedOver, ToolSelected
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter


@pytest.fixture
def selected(project: Project) -> RunFolder:
    (project.root / "tools.toml").write_text("".join(f"[[tool]]\nname = '{name}'\n" for name in ("Lookup", "Retrieve")))
    folder = new_run(project.root, "tools", {}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(folder) as log:
        log.append(ToolPassedOver("Image2Text", "no image model here"))
        log.append(ToolSelected("Retrieve", "It opens pages."))
        log.append(ToolPassedOver("Lookup", "not chosen by the meta-agent"))
    return folder


def test_a_choice_comes_with_its_reason(
    project: Project, selected: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    print_selection(project, selected, explain=False, as_json=False)
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["CHOICE", "TOOL", "WHY"]
    assert row.split(maxsplit=2) == ["1", "Retrieve", "It opens pages."]


def test_everything_is_explained(project: Project, selected: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    print_selection(project, selected, explain=True, as_json=False)
    told = capsys.readouterr().out.split("\n\n")[1]
    lines = {line.split()[2]: line for line in told.splitlines()[1:]}
    assert set(lines) == {"Retrieve", "Lookup", "Image2Text"}
    assert lines["Lookup"].endswith("not chosen by the meta-agent")
    assert "cannot run here" in lines["Image2Text"]


def test_a_program_reads_it_too(project: Project, selected: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    print_selection(project, selected, explain=True, as_json=True)
    told = orjson.loads(capsys.readouterr().out)
    assert told["selected"] == [{"tool": "Retrieve", "why": "It opens pages."}]
    assert {row["tool"] for row in told["passed_over"]} == {"Image2Text", "Lookup"}
    assert {row["tool"] for row in told["fits"]} == {"Retrieve", "Lookup"}
