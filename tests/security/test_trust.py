"""What came from elsewhere is known as such, however it came, and does nothing before a person trusts it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import platformdirs
import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.cli.start.run_start import find_interrupted
from autoact.errors import BadInput
from autoact.job import base_run
from autoact.job.inputs import open_library
from autoact.project import folders
from autoact.project.config import Plan
from autoact.project.project import Project, create
from autoact.project.trained_runs import find_trained_run
from autoact.registry.roles import SUB_AGENTS
from autoact.registry.stages import pipeline
from autoact.run.archive.pack import export_run, import_run
from autoact.run.process.launch import launch
from autoact.run.record.folder import RunFolder, latest_run, new_run
from autoact.run.record.log import LogWriter
from autoact.security import trust

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 22, 12, 0)
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "secrets.json"))
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that was made here, with a run."""
    made = create(tmp_path / "mine", "blank").root
    new_run(made, "quick", {}, now=NOON)
    return made


# -- how a program knows ---------------------------------------------------------------------------------------------


def test_what_is_made_here_is_trusted_under_any_name(root: Path) -> None:
    assert trust.is_trusted(root)
    named = folders.rename(root, "other").root
    shelved = folders.archive(named)
    copied = folders.duplicate(shelved, "copy").root
    for project in (shelved, copied):
        assert trust.is_trusted(project)
    assert list(trust.foreign_runs(shelved)) == []


def _tarred(root: Path, target: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(root, ".")
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall(target, filter="tar")


def _unpacked_in_its_place(root: Path, target: Path) -> None:
    """A copy comes back from a friend, after the original was removed, perhaps with the same numbers of files."""
    _tarred(root, target.with_name("parcel"))
    shutil.rmtree(root)
    _tarred(target.with_name("parcel"), target)


def _cloned(root: Path, target: Path) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "--all", "--force"), (*identity, "commit", "-qm", "x")):
        subprocess.run(["git", *words], cwd=root, check=True)
    subprocess.run(["git", "clone", "-q", str(root), str(target)], check=True)


def _with_a_link(root: Path, target: Path) -> None:
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(".autoact"))
    (target / ".autoact").symlink_to(root / ".autoact")


def _with_a_linked_mark(root: Path, target: Path) -> None:
    shutil.copytree(root, target)
    (target / ".autoact" / "origin").unlink()
    (target / ".autoact" / "origin").symlink_to(root / ".autoact" / "origin")


def _with_a_hard_link(root: Path, target: Path) -> None:
    shutil.copytree(root, target, copy_function=os.link)


def _with_another_mark(text: bytes) -> Callable[[Path, Path], None]:
    def write(root: Path, target: Path) -> None:
        shutil.copytree(root, target)
        (target / ".autoact" / "origin").write_bytes(text)

    return write


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "copied": lambda root, target: shutil.copytree(root, target),
    "copied with times and owners": lambda root, target: subprocess.run(["cp", "-a", root, target], check=True),
    "unpacked": _tarred,
    "unpacked in its place": _unpacked_in_its_place,
    "cloned": _cloned,
    "with a linked folder of marks": _with_a_link,
    "with a linked mark": _with_a_linked_mark,
    "made of hard links": _with_a_hard_link,
    "with a mark that leads elsewhere": _with_another_mark(b"../../../../etc/passwd"),
    "with an empty mark": _with_another_mark(b""),
    "with a long mark": _with_another_mark(b"0" * 100_000),
    "duplicated when it was foreign": lambda root, target: [
        trust.revoke(root), folders.duplicate(root, target.name),
    ],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_what_arrives_is_foreign(root: Path, tmp_path: Path, way: str) -> None:
    if way == "cloned" and shutil.which("git") is None:
        pytest.skip("there is no git here")
    assert trust.is_trusted(root)
    WAYS[way](root, tmp_path / "arrived")
    assert (tmp_path / "arrived" / "project.toml").exists()
    assert not trust.is_trusted(tmp_path / "arrived")
    trust.trust_project(tmp_path / "arrived")
    assert trust.is_trusted(tmp_path / "arrived")


def test_a_mark_that_is_no_file_is_none(root: Path) -> None:
    mark = root / ".autoact" / "origin"
    mark.unlink()
    os.mkfifo(mark)
    assert not trust.is_trusted(root)
    trust.mark_trusted(root)
    assert trust.is_trusted(root)


def test_trusting_writes_nowhere_else(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / ".autoact")
    (tmp_path / "victim").mkdir()
    (root / ".autoact").symlink_to(tmp_path / "victim")
    trust.mark_trusted(root)
    assert list((tmp_path / "victim").iterdir()) == []
    shutil.rmtree(root / ".autoact")
    (root / ".autoact").mkdir()
    for name in ("origin", ".gitignore"):
        (root / ".autoact" / name).symlink_to(tmp_path / "victim" / name)
    trust.mark_trusted(root)
    assert trust.is_trusted(root)
    assert list((tmp_path / "victim").iterdir()) == []


def test_two_people_may_trust_one_project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of another"))
    assert not trust.is_trusted(root)
    trust.trust_project(root)
    assert trust.is_trusted(root)
    monkeypatch.undo()
    assert trust.is_trusted(root)


# -- foreign projects ------------------------------------------------------------------------------------------------

TOOLS = """
[[tool]]
name = "Calculator"
[[tool]]
name = "Mine"
kind = "python"
settings = {{ function = "tools/mine.py:mine", timeout_s = 60 }}
[[tool]]
name = "Server"
kind = "mcp"
settings = {{ command = ["{python}", "{root}/tools/server.py"], connect_s = 60 }}
[[tool]]
name = "Web"
kind = "http"
settings = {{ url = "http://127.0.0.1:9/x?q={{argument}}", allow = ["127.0.0.1"] }}
[[tool]]
name = "Database"
settings = {{ tables = "tables" }}
[[tool]]
name = "CodeInterpreter"
"""
RAN = "from pathlib import Path\nPath({mark!r}).touch()\n"
RUNNING: dict[str, tuple[str, ...]] = {
    "run": ("run", "P"),
    "ask": ("ask", "P", "Why?", "--cast", "meta"),
    "a session": ("ask", "P", "Why?", "--cast", "meta", "--session"),
    "eval": ("eval", "P"),
    "tool selection": ("tools", "select", "P"),
    "a server": ("tools", "connect", "P"),
    "resume": ("resume", "P", "--run", "2026-11-22"),
    "fork": ("fork", "P", "q-1", "--at", "1", "--run", "2026-11-22"),
    "keep": ("keep", "P", "q-1", "--run", "2026-11-22"),
}
CALLS = {
    "Mine": "x", "Server.say": "x", "Web": "x", "Database": "SELECT 1", "CodeInterpreter": "print(1)",
}  # fmt: skip
READING: tuple[tuple[str, ...], ...] = (
    ("check", "P"), ("runs", "P"), ("stats", "P", "--run", "2026"), ("log", "P", "--run", "2026"),
    ("tools", "list", "P", "--all"), ("tools", "show", "P", "Mine"), ("tools", "try", "P", "Calculator", "6*7"),
    ("duplicate", "P", "copy"), ("export", "P", "--run", "2026", "OUT"),
)  # fmt: skip


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What the project's code makes when it runs."""
    return tmp_path / "ran"


@pytest.fixture
def foreign(root: Path, mark: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project from elsewhere that brings every kind of tool."""
    (root / "tools").mkdir()
    (root / "tools" / "mine.py").write_text(
        f"{RAN.format(mark=str(mark))}def mine(x: str) -> str:\n    return 'mine'\n"
    )
    (root / "tools" / "server.py").write_text(RAN.format(mark=str(mark)))
    (root / "tools" / "Server.mcp.json").write_text('[{"name": "say", "description": "d", "schema": {}}]')
    (root / "tables").mkdir()
    (root / "tables" / "a.csv").write_text("a,b\n1,2\n")
    (root / "tools.toml").write_text(TOOLS.format(python=sys.executable, root=root))
    (run,) = (root / "runs").iterdir()
    with LogWriter(RunFolder(run)) as log:
        log.append(happened.RunOpened(1, 1, "there"))
        log.append(happened.RunCancelled())
    for folder in (root, run):
        trust.revoke(folder)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    return root


@pytest.mark.parametrize("name", RUNNING)
def test_nothing_of_a_foreign_project_runs(foreign: Path, mark: Path, capsys: Captured, name: str) -> None:
    assert main([str(foreign) if word == "P" else word for word in RUNNING[name]]) == 2
    assert "came from elsewhere" in (told := capsys.readouterr().err)
    assert "autoact trust" in told
    assert not mark.exists()
    assert [path.name for path in (foreign / "runs").iterdir() if "quick" not in path.name] == []
    assert not list(foreign.glob("runs/*/control"))


@pytest.mark.parametrize("tool", CALLS)
def test_no_tool_with_powers_runs(foreign: Path, mark: Path, capsys: Captured, tool: str) -> None:
    assert main(["tools", "try", str(foreign), tool, CALLS[tool]]) == 1
    assert "came from elsewhere" in capsys.readouterr().out
    main(["tools", "test", str(foreign), "--all"])
    assert not mark.exists()


def test_the_engine_asks_too(foreign: Path) -> None:
    """Whoever comes by another way than a command."""
    (run,) = (foreign / "runs").iterdir()
    with pytest.raises(trust.NotTrusted):
        launch(RunFolder(run))
    library, corpus = open_library(Project(foreign))
    assert [tool.name for tool in library.ready()] == ["Calculator"]
    assert library.session().call("Mine", "x").failed
    library.close()
    corpus.close()


def test_looking_is_always_allowed(foreign: Path, tmp_path: Path, mark: Path, capsys: Captured) -> None:
    places = {"P": str(foreign), "OUT": str(tmp_path / "out.tar.gz")}
    for words in READING:
        assert main([places.get(word, word) for word in words]) == 0, words
    assert not mark.exists()
    assert not trust.is_trusted(tmp_path / "copy")


def test_trust_lets_it_run(foreign: Path, mark: Path, capsys: Captured) -> None:
    assert main(["trust", str(foreign)]) == 2
    assert "`--yes` trusts it without asking" in capsys.readouterr().err
    assert main(["trust", str(foreign), "--yes"]) == 0
    told = capsys.readouterr().out
    assert "Mine (python, may use network, code, files): function = tools/mine.py:mine" in told
    assert "1 are trusted with the project" in told
    assert main(["tools", "try", str(foreign), "Mine", "x"]) == 0
    assert mark.exists()
    assert latest_run(foreign).name.startswith("2026-11-22")
    assert main(["trust", str(foreign), "--revoke"]) == 0
    assert main(["tools", "try", str(foreign), "Mine", "x"]) == 1


def test_a_person_is_asked_in_a_terminal(foreign: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    for answer, code in (("n\n", 1), ("\n", 1), ("y\n", 0)):
        monkeypatch.setattr(sys, "stdin", terminal := io.StringIO(answer))
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        assert main(["trust", str(foreign)]) == code
        assert trust.is_trusted(foreign) == (code == 0)


def test_a_script_says_so_in_the_command(foreign: Path, mark: Path, capsys: Captured) -> None:
    assert main(["tools", "connect", str(foreign), "--trust"]) == 2  # the server is started, and is none
    assert "came from elsewhere" not in capsys.readouterr().err
    assert mark.exists()


# -- foreign runs ----------------------------------------------------------------------------------------------------


def run_of(root: Path, name: str, *, over: bool = True) -> RunFolder:
    """A run that trained a group, or that is to go on."""
    settings = msgspec.to_builtins(msgspec.structs.replace(Project(root).config(), run=Plan(stages=pipeline())))
    folder = new_run(root, name, settings, now=NOON)
    for role in SUB_AGENTS if over else ():
        (folder.adapters / role).mkdir(parents=True)
        (folder.adapters / role / "README.md").write_text("an adapter")
    with LogWriter(folder) as log:
        log.append(happened.RunOpened(1, 1, "there"))
        log.append(happened.RunFinished() if over else happened.RunCancelled())
    return folder


def arrived(root: Path, tmp_path: Path, *, over: bool) -> RunFolder:
    """A run of a stranger, newer than any by its name."""
    stranger = create(tmp_path / "stranger", "blank").root
    made = run_of(stranger, "gift", over=over)
    forged = RunFolder(made.path.rename(made.path.with_name("2999-01-01T0000-gift-ffff")))
    export_run(forged, tmp_path / "gift.tar.gz")
    return import_run(tmp_path / "gift.tar.gz", root).folder


@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize("trusting", [False, True])
def test_a_foreign_run_is_chosen_only_when_it_is_trusted(
    root: Path, tmp_path: Path, over: bool, trusting: bool
) -> None:
    own = run_of(root, "own", over=over)
    gift = arrived(root, tmp_path, over=over)
    trust.trust_project(root)  # which does not trust what came in an archive
    if trusting:
        trust.mark_trusted(gift.path)
    wanted = gift if trusting else own
    config = msgspec.structs.replace(Project(root).config(), run=Plan(stages=pipeline()))
    assert latest_run(root).name == wanted.name
    if over:
        found = find_trained_run(root)
        assert found is not None
        assert found.name == wanted.name
    else:
        assert find_interrupted(Project(root), config).name == wanted.name


def test_a_foreign_run_is_named_to_be_a_base_and_trusted_to_go_on(root: Path, tmp_path: Path, capsys: Captured) -> None:
    gift = arrived(root, tmp_path, over=False)
    assert main(["stats", str(root), "--run", gift.name, "--json"]) == 0
    assert main(["resume", str(gift.path), "--detach"]) == 2
    assert "this run came from elsewhere" in capsys.readouterr().err
    assert main(["trust", str(gift.path), "--yes"]) == 0
    assert "stages  self_instruct" in capsys.readouterr().out
    trust.require_start(gift.path)


def test_only_foreign_runs_are_told_of_by_name(tmp_path: Path) -> None:
    empty = create(tmp_path / "empty", "blank").root
    arrived(empty, tmp_path, over=True)
    with pytest.raises(BadInput, match=r"came from elsewhere; name one with --run, or.*2999"):
        latest_run(empty)


def test_a_run_folder_copied_by_hand_is_foreign(root: Path, tmp_path: Path) -> None:
    own = run_of(root, "own")
    shutil.copytree(own.path, own.path.with_name("2999-01-01T0000-copy-ffff"))
    assert latest_run(root).name == own.name


@pytest.mark.parametrize("bad", ["a link", "settings that load code"])
def test_the_adapters_of_a_base_are_checked_again(root: Path, tmp_path: Path, bad: str) -> None:
    base = run_of(root, "own")
    config = base.adapters / "plan" / "adapter_config.json"
    base_run._check_adapters(base)
    if bad == "a link":
        (base.adapters / "plan" / "adapter_model.safetensors").symlink_to("/etc/hostname")
    else:
        config.write_text('{"peft_type": "LORA", "target_modules": ["q"], "r": 1, "auto_mapping": {"a": "os"}}')
    with pytest.raises(BadInput, match="a link, or no plain file|not the settings of a LoRA"):
        base_run._check_adapters(base)


# -- the table -------------------------------------------------------------------------------------------------------


def test_the_readme_shows_the_rules() -> None:
    assert trust.rules_table() in (ROOT / "README.md").read_text("utf-8")


def test_the_rules_are_what_is_asked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust.revoke(root)
    with pytest.raises(trust.NotTrusted):
        trust.require("project", "run", root)
    trust.require("project", "read", root)
    monkeypatch.setitem(trust.RULES["project"], "run", trust.Rule(True, "anything"))  # type: ignore[arg-type]
    trust.require("project", "run", root)


def test_every_kind_has_every_rule() -> None:
    assert {tuple(rules) for rules in trust.RULES.values()} == {("read", "shown", "chosen", "run", "sent")}
