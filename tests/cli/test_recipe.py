"""`autoact recipe`: texts that other programs read. What they need is checked here; the programs are not installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from autoact.cli import main
from autoact.cli.start.recipe import RECIPES, read_recipe
from autoact.project.presets import PRESETS

ROOT = Path(__file__).resolve().parents[2]
VERBS = re.compile(r"autoact (trust|run|doctor|cancel|recipe)\b")


def test_every_recipe_is_listed_and_packaged(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in RECIPES)
    there = {entry.name for entry in resources.files("autoact.project.recipes").iterdir() if entry.is_file()}
    assert there - {"__init__.py"} == {file for file, _ in RECIPES.values()}


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_ends_with_the_studio(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", name]) == 0
    text = capsys.readouterr().out
    assert text == read_recipe(name)
    end = "\n".join(text.splitlines()[-6:])
    assert "ssh" in end
    assert re.search(r"type .*studio", end)
    assert VERBS.search(text)


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_installs_as_the_makefile_does(name: str) -> None:
    text = read_recipe(name)
    makefile = (ROOT / "Makefile").read_text()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "make model" in text
    assert re.search(r"^model:", makefile, re.MULTILINE)
    named = re.search(r'EXTRAS="?(?:\$\{EXTRAS:-)?([\w,]+)', text)
    assert named
    assert "local" in named[1].split(","), "without it there is neither a model nor a training"
    assert set(named[1].split(",")) <= set(extras)
    assert re.search(r"--preset|trust", text)
    assert all(preset in PRESETS for preset in re.findall(r"PRESET(?:[:=]|:-) ?(\w+)", text))


def test_all_are_written_to_a_folder_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "--to", str(tmp_path / "new")]) == 0
    assert {file.name for file in (tmp_path / "new").iterdir()} == {file for file, _ in RECIPES.values()}
    (tmp_path / "new" / "Dockerfile").write_text("mine")
    (tmp_path / "new" / "autoact.sbatch").unlink()
    assert main(["recipe", "--to", str(tmp_path / "new")]) == 2
    assert "already exists" in capsys.readouterr().err
    assert (tmp_path / "new" / "Dockerfile").read_text() == "mine"
    assert not (tmp_path / "new" / "autoact.sbatch").exists()


def test_slurm_job(tmp_path: Path) -> None:
    text = read_recipe("slurm")
    script = tmp_path / "autoact.sbatch"
    script.write_text(text)
    subprocess.run(["bash", "-n", str(script)], check=True)
    head = text[: text.index("set -euo")]
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?$", head, re.MULTILINE))
    assert {"job-name", "gpus", "cpus-per-task", "mem", "time", "requeue", "signal", "output"} <= set(options)
    assert "#SBATCH" not in text[text.index("set -euo") :]  # sbatch reads none after the first command
    assert text.startswith("#!/bin/bash\n")


@pytest.mark.parametrize("ends", ["by itself", "when its time is up"])
def test_slurm_job_plays_a_run(ends: str, tmp_path: Path) -> None:
    """With stand-ins for Slurm and for the program: it runs to its end, or stops cleanly and is queued again."""
    bash = shutil.which("bash")
    assert bash
    programs, checkout = tmp_path / "bin", tmp_path / "checkout"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    programs.mkdir()
    (checkout / ".venv" / "bin" / "activate").write_text("")
    wait = 'trap "exit 130" USR1; echo $$ > "$OUT.pid"; kill -TERM $PPID; while :; do sleep 0.05; done'
    play = ":" if ends == "by itself" else wait
    program = f'case $1 in run) {play} ;; cancel) kill -USR1 $(cat "$OUT.pid");; esac'
    for name, body in {"make": "", "scontrol": "", "autoact": program}.items():
        (programs / name).write_text(f'#!{bash}\necho "{name} $*" >> "$OUT"\n{body}\n')
        (programs / name).chmod(0o755)
    out = tmp_path / "calls"
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "SLURM_SUBMIT_DIR": str(checkout), "SLURM_JOB_ID": "5",
                   "PROJECT": "/a/project", "OUT": str(out)}  # fmt: skip
    ended = subprocess.run([bash], input=read_recipe("slurm"), env=environment, text=True, check=False,
                           capture_output=True, timeout=60)  # fmt: skip
    calls = out.read_text().splitlines()
    assert calls[:2] == ["make model EXTRAS=local,cluster PYTHON=python3", "autoact doctor"]
    assert "autoact run /a/project --preset full" in calls
    if ends == "by itself":
        assert (ended.returncode, len(calls)) == (0, 3)
    else:
        assert calls[-2:] == ["autoact cancel /a/project", "scontrol requeue 5"]
    assert "studio /a/project" in ended.stdout


def read_yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read_recipe(name))
    return found


def test_skypilot_task() -> None:
    task = read_yaml("skypilot")
    known = {"name", "resources", "workdir", "file_mounts", "envs", "setup", "run", "num_nodes", "secrets"}
    assert {"name", "resources", "workdir", "setup", "run"} <= set(task) <= known
    assert task["resources"]["accelerators"]
    for script in ("setup", "run"):
        subprocess.run(["bash", "-n"], input=task[script], text=True, check=True)
    (remote,) = task["file_mounts"]
    assert f"autoact run {remote} " in task["run"]


def test_dstack_task() -> None:
    task = read_yaml("dstack")
    known = {"type", "name", "python", "repos", "files", "working_dir", "env", "commands", "resources", "max_duration"}
    assert {"type", "name", "commands", "resources"} <= set(task) <= known
    assert task["type"] == "task"
    assert set(task["resources"]) <= {"cpu", "memory", "gpu", "disk", "shm_size"}
    assert all(isinstance(command, str) for command in task["commands"])
    subprocess.run(["bash", "-n"], input="\n".join(task["commands"]), text=True, check=True)
    (_, remote), (_, checkout) = (one.split(":") for one in (*task["files"], *task["repos"]))
    assert any(f"autoact run {remote} " in command for command in task["commands"])
    assert task["working_dir"] == checkout


INSTRUCTIONS = {"FROM", "RUN", "ENV", "WORKDIR", "COPY", "VOLUME", "ENTRYPOINT", "CMD"}


def test_dockerfile() -> None:
    text = re.sub(r"^#.*\n", "", read_recipe("docker"), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line]
    words = [line.split(maxsplit=1) for line in lines]
    assert [name for name, _ in words if name not in INSTRUCTIONS] == []
    assert words[0][0] == "FROM"
    assert re.fullmatch(r"nvidia/cuda:[\d.]+-\w+-ubuntu[\d.]+", words[0][1])
    for name, rest in words:
        if name == "RUN":
            subprocess.run(["bash", "-n"], input=rest, text=True, check=True)
        if name == "ENV":
            assert re.fullmatch(r"(\w+=\S+ ?)+", rest)
    assert [rest for name, rest in words if name == "ENTRYPOINT"] == ['["autoact"]']


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_names_only_the_tools_own_hosts(name: str) -> None:
    hosts = set(re.findall(r"https?://([\w.-]+)", read_recipe(name)))
    assert hosts <= {"docs.skypilot.co", "dstack.ai", "astral.sh"}
