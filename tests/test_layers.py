"""The house rules that a machine can check: what an import loads, how long things are, where they lie."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(file for package in ("autoact", "studio") for file in (ROOT / package).rglob("*.py"))
FOLDERS = {".ci", "autoact", "studio", "tests", "themes"}
FILES = {
    ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "constraints.txt",
    "pyproject.toml",
}  # fmt: skip
MACHINE_PATH = re.compile(rb"(?<![\w./])/(home|root|tmp|work)/")

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
USUAL_FUNCTION = 30


@pytest.mark.parametrize(
    "module", ["studio.app", "autoact.cli", "autoact.job.open_world", "autoact.model.server.opening"]
)
def test_import_loads_no_model_library(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{'torch', 'transformers', 'peft', 'accelerate'}} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (loaded.returncode, loaded.stdout.split()) == (0, []), loaded.stderr


def test_engine_runs_without_a_screen() -> None:
    code = "import sys, autoact.cli; print(*sorted({'textual', 'rich', 'studio'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (loaded.returncode, loaded.stdout.split()) == (0, []), loaded.stderr


def test_no_file_is_long() -> None:
    lengths = {name(file): len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES}
    assert {file: length for file, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = dict(functions())
    assert {place: length for place, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    unusual = {place: length for place, length in lengths.items() if length > USUAL_FUNCTION}
    assert len(unusual) <= len(lengths) / 10, unusual


def test_every_module_says_what_it_is() -> None:
    texts = {file: file.read_text(encoding="utf-8") for file in SOURCES}
    asked = [file for file, text in texts.items() if text.strip() or file.name != "__init__.py"]
    assert [name(file) for file in asked if not ast.get_docstring(ast.parse(texts[file]))] == []


def test_top_level_is_as_designed() -> None:
    files = carried()
    assert {file.parts[0] for file in files if len(file.parts) > 1} <= FOLDERS
    assert {file.name for file in files if len(file.parts) == 1} <= FILES


def test_no_path_of_a_machine() -> None:
    texts = ((file, (ROOT / file).read_bytes()) for file in carried() if (ROOT / file).is_file())
    assert [str(file) for file, text in texts if MACHINE_PATH.search(text)] == []


def test_every_package_is_in_the_wheel() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {name(file.parent).replace("/", ".") for file in SOURCES}
    assert set(settings["packages"]) - set(settings["package-dir"]) == folders


@pytest.mark.parametrize(
    ("reason", "more", "code"),
    [("pandas is not installed", ["-p", "xdist.plugin", "--numprocesses", "1"], 1), ("hardware: no GPU", [], 0)],
)
def test_skips_fail_where_every_test_has_to_run(reason: str, more: list[str], code: int, tmp_path: Path) -> None:
    test = tmp_path / "test_one.py"
    test.write_text(f"import pytest\ndef test_one():\n    pytest.skip({reason!r})\ndef test_two():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", str(test), *more]
    environment = {
        **os.environ,
        "AUTOACT_EVERY_TEST": "1",
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    asked = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert asked.returncode == code, asked.stdout
    assert ("has to run here: " in asked.stdout) == bool(code)


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def functions() -> Iterator[tuple[str, int]]:
    """Each function as file:line and its length in lines, decorators not counted."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name(file)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def carried() -> list[Path]:
    """The files that git tracks or would, relative to the root. Skips outside a checkout."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("other system: not a git checkout")
    listing = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(file) for file in found.split("\0") if file]


WALK = re.compile(r"^\| (\d+) \| `([\w.]+)` \| (\S+) \|", re.MULTILINE)
"""A step of a walk through the code: its number, the function and its file."""


def test_the_walks_name_functions_that_exist() -> None:
    text = (ROOT / "autoact" / "README.md").read_text(encoding="utf-8")
    _, question, key = text.split("\n## ")[:3]
    for walk, functions_at_most, files_at_most in ((question, 12, 8), (key, 6, 6)):
        steps = WALK.findall(walk)
        assert [int(number) for number, _, _ in steps] == list(range(1, len(steps) + 1))
        assert 0 < len(steps) <= functions_at_most
        assert len({file for _, _, file in steps}) <= files_at_most
        assert [step for step in steps if not defines(step[2], step[1])] == []


def defines(file: str, name: str) -> bool:
    """Whether a file of the engine, or of the studio where its path begins so, has this function or method."""
    path = ROOT / (file if file.startswith("studio/") else f"autoact/{file}")
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    for part in name.split("."):
        found = next((node for node in body if getattr(node, "name", "") == part), None)
        if found is None:
            return False
        body = getattr(found, "body", [])
    return True


def test_every_package_has_its_layer() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = [contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"]
    named = {name for layer in layers for name in re.split(r"[ |:]+", layer)}
    parents = {"autoact", "autoact.run"}
    modules = {name(file.parent if file.name == "__init__.py" else file.with_suffix("")) for file in SOURCES}
    dotted = {module.replace("/", ".") for module in modules} - parents - {"autoact.__main__"}
    assert sorted(module for module in dotted if not any(f"{module}.".startswith(f"{one}.") for one in named)) == []
