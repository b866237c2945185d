"""A project's own code travels in a tool set: whole, without secrets, shown before it may run, and into tools/ only."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from autoact.cli import main
from autoact.job.inputs import open_library
from autoact.project.project import Project, create
from autoact.security import grants

ALL = ("--allow", "all", "--allow", "secret:WEATHER_KEY@api.example.org")
CANARY = "canary-4b1d-77ee"
SERVER = Path(__file__).parents[1] / "tools" / "bridges" / "server.py"
WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = f"""
[[tool]]
name = "Double"
kind = "python"
[tool.settings]
function = "tools/own.py:double"
timeout_s = 60
[[tool]]
name = "Words"
kind = "mcp"
[tool.settings]
command = ["{sys.executable}", "tools/server.py", "well"]
environment = {{ PLACE = "here" }}
headers = {{ }}
timeout_s = 60
connect_s = 60
[[tool]]
name = "Weather"
kind = "http"
definition = "Tells the weather in a city."
usage = "Weather[Oslo]"
[tool.settings]
url = "https://api.example.org/now?q={{argument}}"
headers = {{ Authorization = "Bearer {{secret:WEATHER_KEY}}" }}
body = "text"
[[tool]]
name = "Sleep"
kind = "langchain"
definition = "Waits."
[tool.settings]
class = "langchain_community.tools.SleepTool"
arguments = {{ deep = {{ class = "langchain_community.utilities.Wrapper", k = 3 }} }}
"""
FILES = {
    "tools/own.py": 'import json\nfrom arithmetic import twice\n\ndef double(number: int) -> int:\n    """Doubles."""\n'
    "    return twice(number)  # '''quoted''' \\n and a tab\t.\n",
    "tools/arithmetic/__init__.py": "from .inner import twice\n",
    "tools/arithmetic/inner.py": "from . import deeper\n\ndef twice(number):\n    return deeper.TWO * number\n",
    "tools/arithmetic/deeper.py": "TWO = 2\n",
    "tools/server.py": SERVER.read_text(),
    "tools/Words.mcp.json": json.dumps([{"name": "say", "description": "Says a word again.", "schema": WORD}]),
}


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def held(root: Path) -> dict[str, str]:
    """The files below tools/."""
    found = [path for path in (root / "tools").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(root).as_posix(): path.read_text() for path in found}


@pytest.fixture
def own(project: Project) -> Project:
    write(project.root, {"tools.toml": TOOLS, **FILES, "tools/notes.txt": "of no tool"})
    return project


@pytest.fixture
def other(tmp_path: Path) -> Project:
    made = create(tmp_path / "other", "blank")
    (made.root / "tools.toml").write_text("")
    return made


@pytest.fixture
def shared_set(own: Project, tmp_path: Path) -> Path:
    assert main(["tools", "export", str(own.root), str(tmp_path / "set.toml")]) == 0
    return tmp_path / "set.toml"


def test_own_code_arrives_and_runs(shared_set: Path, other: Project, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mcp")
    assert main(["tools", "import", str(other.root), str(shared_set), "--allow", "all"]) == 0
    assert held(other.root) == FILES
    assert "    tools/own.py, 6 lines\n" in capsys.readouterr().out
    library, corpus = open_library(Project.open(other.root))
    session = library.session()
    assert session.call("Double", "21").text == "42"
    assert session.call("Words.say", "hello").text == "hello"
    library.close()
    corpus.close()


def test_a_set_goes_round_unchanged(shared_set: Path, other: Project) -> None:
    assert main(["tools", "import", str(other.root), str(shared_set), *ALL]) == 0
    again = shared_set.with_name("again.toml")
    assert main(["tools", "export", str(other.root), str(again)]) == 0
    assert again.read_text() == shared_set.read_text()


# -- secrets -----------------------------------------------------------------------------------------------------------

PLANTED = {
    "a URL": ("q={argument}", f"q={{argument}}&appid={CANARY}", "replaced by its name: Weather.url now says SOME_KEY"),
    "a header": ("Bearer {secret:WEATHER_KEY}", f"Bearer {CANARY}", "replaced by its name: Weather.headers.Author"),
    "a body": ('body = "text"', f'body = "{CANARY}"', "replaced by its name: Weather.body now says SOME_KEY"),
    "a server's environment": (
        'PLACE = "here"', f'A_TOKEN = "{CANARY}"', "replaced by its name: Words.environment.A_TOKEN is now asked for"
    ),
    "a place of any name": ('PLACE = "here"', f'place = "{CANARY}"', "left out, as it holds a secret or could: Words."),
    "a server's header": (
        "headers = { }", f'headers = {{ key = "Bearer {CANARY}" }}', "replaced by its name: Words.headers.key now says"
    ),
    "a name": ('PLACE = "here"', f'"{CANARY}" = "here"', "Words.environment.(a key)"),
    "a command": ('"well"]', f'"well", "{CANARY}"]', "Words.command"),
    "an argument": ("k = 3", f'k = "{CANARY}"', "Sleep.arguments.deep.k"),
    "a list of names": ("timeout_s = 60\n[[tool]]", f'secrets = ["{CANARY}"]\n[[tool]]', "Double.secrets"),
}  # fmt: skip
UNKNOWN = {
    "an option of a command": ('"well"]', '"well", "--api-key", "8fa3c1"]', "Words.command"),
    "an option with its value": ('"well"]', '"well", "--token=8fa3c1"]', "Words.command"),
    "a URL's query": ("q={argument}", "q={argument}&key=8fa3c1", "Weather.url"),
    "a header": ("Bearer {secret:WEATHER_KEY}", "Bearer 8fa3c1", "Weather.headers.Authorization"),
    "an environment": ('PLACE = "here"', 'GITHUB_TOKEN = "8fa3c1"', "replaced by its name: Words.environment.GITHUB_T"),
}
REFUSED = {
    "code": ("tools/own.py", "import json", f"import json  # {CANARY}", "own.py:1: holds a secret"),
    "code in base64": ("tools/own.py", "import json", "import json  # Y2FuYXJ5LTRiMWQtNzdlZQ", "own.py:1: holds"),
    "a module beside it": ("tools/arithmetic/deeper.py", "TWO = 2\n", f"TWO = 2\nX = '{CANARY}'\n", "deeper.py:2: "),
    "a server's code": ("tools/server.py", "import json", f"import json  # {CANARY}", "server.py:"),
    "a description": ("tools/Words.mcp.json", "Says a word", f"Says {CANARY}", "Words.mcp.json:1: holds a secret"),
    "a definition": ("tools.toml", "Tells the weather", f"Tells {CANARY}", "key `Weather.definition`"),
    "a usage": ("tools.toml", "Weather[Oslo]", f"Weather[{CANARY}]", "key `Weather.usage`"),
    "an unknown key": ("tools/own.py", "import json", "API_KEY = '8fa3c1d2e4'", "own.py:1: `API_KEY` looks like a sec"),
    "an unknown password": ("tools/own.py", "import json", "x = dict(password='letmeinplease')", "`password` looks"),
    "a key of a known form": ("tools/own.py", "import json", "# ghp_abcdefghijklmnopqrstuvwxyz0123", "own.py:1: holds"),
}


def export(project: Project, set_file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["tools", "export", str(project.root), str(set_file)])
    told = capsys.readouterr()
    return code, told.out + told.err


@pytest.mark.parametrize("where", PLANTED)
def test_a_secret_in_settings_stays_at_home(
    own: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    before, after, notice = PLANTED[where]
    assert before in TOOLS
    (own.root / "tools.toml").write_text(TOOLS.replace(before, after, 1))
    code, told = export(own, tmp_path / "set.toml", capsys)
    assert (code, CANARY in told, CANARY in (tmp_path / "set.toml").read_text()) == (0, False, False)
    assert notice in told


@pytest.mark.parametrize("where", UNKNOWN)
def test_what_could_be_a_secret_stays_at_home_too(
    own: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    before, after, notice = UNKNOWN[where]
    (own.root / "tools.toml").write_text(TOOLS.replace(before, after, 1))
    code, told = export(own, tmp_path / "set.toml", capsys)
    assert (code, "8fa3c1" in (tmp_path / "set.toml").read_text()) == (0, False)
    assert notice in told


@pytest.mark.parametrize("where", REFUSED)
def test_a_secret_in_code_or_words_is_refused(
    own: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    path, before, after, place = REFUSED[where]
    text = (own.root / path).read_text()
    assert before in text
    (own.root / path).write_text(text.replace(before, after, 1))
    code, told = export(own, tmp_path / "set.toml", capsys)
    assert (code, place in told, CANARY in told) == (2, True, False)
    assert not (tmp_path / "set.toml").exists()


def test_who_takes_it_in_is_asked_for_the_secret(
    own: Project, other: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    text = TOOLS.replace('PLACE = "here"', f'A_TOKEN = "{CANARY}"').replace("Bearer {secret:WEATHER_KEY}", CANARY)
    (own.root / "tools.toml").write_text(text)
    assert export(own, tmp_path / "set.toml", capsys)[0] == 0
    monkeypatch.delenv("SOME_KEY")
    assert (
        main(
            [
                "tools",
                "import",
                str(other.root),
                str(tmp_path / "set.toml"),
                "--allow",
                "all",
                "--allow",
                "secret:SOME_KEY@api.example.org",
                "--allow",
                "secret:A_TOKEN",
            ]
        )
        == 0
    )
    capsys.readouterr()
    assert main(["tools", "list", str(other.root)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "autoact secrets set SOME_KEY" in lines["Weather"]
    if "Words" in lines:  # without the SDK it says that first
        assert "autoact secrets set A_TOKEN" in lines["Words"] or "pip install" in lines["Words"]


# -- consent -----------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("allowed", [[], ["--allow", "network", *ALL[2:]]])
def test_nothing_is_written_without_consent(
    shared_set: Path, other: Project, capsys: pytest.CaptureFixture[str], allowed: list[str]
) -> None:
    assert main(["tools", "import", str(other.root), str(shared_set), *allowed]) == 0
    assert held(other.root) == {}
    told = capsys.readouterr().out
    assert "Double would run the following code; it may use network, code, files.\n" in told
    assert '  function = "tools/own.py:double"' in told
    assert "  --- tools/own.py\n  | import json\n" in told
    assert "tools/arithmetic/deeper.py, 1 line, not written" in told
    assert (other.root / "tools.toml").read_text().count("enabled = false") == (3 if allowed else 4)


def test_a_person_in_a_terminal_is_asked(
    shared_set: Path, other: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\nn\nN\n\n"))
    assert main(["tools", "import", str(other.root), str(shared_set)]) == 0
    assert capsys.readouterr().out.count("Allow it? [y/N]") == 4
    assert set(held(other.root)) == {path for path in FILES if "arithmetic" in path} | {"tools/own.py"}
    assert main(["tools", "list", str(other.root)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["NAME", "Double"]


@pytest.mark.parametrize(("answers", "given"), [("y\ny\n", True), ("y\nn\n", False), ("n\n", False)])
def test_a_person_is_asked_about_each_secret(
    own: Project, other: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answers: str, given: bool,
) -> None:  # fmt: skip
    assert main(["tools", "export", str(own.root), str(tmp_path / "set.toml"), "--only", "Weather"]) == 0
    monkeypatch.setattr("sys.stdin", Terminal(answers))
    assert main(["tools", "import", str(other.root), str(tmp_path / "set.toml")]) == 0
    assert ("asks for your secret WEATHER_KEY" in capsys.readouterr().out) == answers.startswith("y")
    assert grants.hosts("WEATHER_KEY") == (["api.example.org"] if given else [])
    assert ("enabled = false" in (other.root / "tools.toml").read_text()) != given


def test_a_path_that_leads_out_wants_consent(other: Project, tmp_path: Path) -> None:
    (tmp_path / "set.toml").write_text('[[tool]]\nname = "KnowledgeGraph"\nsettings = { file = "../private.ttl" }\n')
    assert main(["tools", "import", str(other.root), str(tmp_path / "set.toml"), "--allow", "network"]) == 0
    assert "enabled = false" in (other.root / "tools.toml").read_text()


def test_files_that_are_here_are_kept(shared_set: Path, other: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write(other.root, {"tools/own.py": "mine = True\n"})
    arguments = ["tools", "import", str(other.root), str(shared_set), "--allow", "all"]
    assert main(arguments) == 2
    assert "own.py: exists and differs; --replace uses the set's" in capsys.readouterr().err
    assert (held(other.root), (other.root / "tools.toml").read_text()) == ({"tools/own.py": "mine = True\n"}, "")
    assert main([*arguments, "--replace"]) == 0
    assert held(other.root) == FILES


# -- paths -------------------------------------------------------------------------------------------------------------

ENTRY = (
    '[[tool]]\nname = "{0}"\nkind = "python"\n[tool.settings]\nfunction = "{1}:f"\n[[file]]\npath = "{1}"\ntext = "x"\n'
)
BAD_PATHS = [
    "../own.py", "tools/../../own.py", "/etc/own.py", "tools/../project.py", "own.py", "tools/.git/own.py",
    "tools//own.py", "./tools/own.py", "tools\\\\own.py", "C:/own.py",
    "tools/a/b/c/d/own.py", "tools/.own.py", "~/own.py",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_no_path_leaves_the_project(
    other: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    (tmp_path / "set.toml").write_text(ENTRY.format("Own", path))
    assert main(["tools", "import", str(other.root), str(tmp_path / "set.toml"), "--allow", "all"]) == 2
    assert "set.toml, key `file[1].path`: expected a path in tools/" in capsys.readouterr().err
    (tmp_path / "set.toml").unlink()
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ENTRY.format("../../own", "tools/own.py"), "key `tool[1].name`: expected letters, digits"),
        (ENTRY.format("Own", "tools/own.py").replace('"x"', '"x\\u202e"'), "control or hidden characters"),
        (ENTRY.format("Own", "tools/own.py") + '[[file]]\npath = "tools/json.py"\ntext = ""\n', "no tool of the set"),
        (ENTRY.format("Own", "tools/own.py") + '[[file]]\npath = "tools/OWN.py"\ntext = ""\n', "comes twice"),
        (ENTRY.format("Own", "tools/own.py").replace("text =", "mode = 493\ntext ="), "expected path and text"),
        ("file = 3\n", "expected [[file]] tables"),
    ],
)
def test_a_bad_set_changes_nothing(
    other: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    (tmp_path / "set.toml").write_text(text)
    assert main(["tools", "import", str(other.root), str(tmp_path / "set.toml"), "--allow", "all"]) == 2
    assert told in capsys.readouterr().err
    assert (held(other.root), (other.root / "tools.toml").read_text()) == ({}, "")


@pytest.mark.parametrize("linked", ["tools", "tools/own.py", "tools/arithmetic"])
def test_a_link_leads_nothing_out(shared_set: Path, other: Project, tmp_path: Path, linked: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (other.root / "tools").mkdir(exist_ok=True)
    if linked == "tools":
        (other.root / "tools").rmdir()
    (other.root / linked).symlink_to(outside if not linked.endswith(".py") else outside / "own.py")
    assert main(["tools", "import", str(other.root), str(shared_set), "--allow", "all", "--replace"]) == 2
    assert list(outside.iterdir()) == []
    assert (other.root / "tools.toml").read_text() == ""


def test_a_link_out_of_the_project_is_not_given_away(own: Project, tmp_path: Path) -> None:
    (tmp_path / "private.py").write_text("def double(n: int): ...\n")
    (own.root / "tools" / "own.py").unlink()
    (own.root / "tools" / "own.py").symlink_to(tmp_path / "private.py")
    assert main(["tools", "export", str(own.root), str(tmp_path / "set.toml"), "--only", "Double"]) == 0
    assert "def double" not in (tmp_path / "set.toml").read_text()


def test_code_elsewhere_is_told_of(own: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own.root / "tools.toml").write_text(TOOLS.replace("tools/own.py:", "code/own.py:"))
    assert (
        "left out, as it is not a file in tools/: code/own.py of Double" in export(own, tmp_path / "s.toml", capsys)[1]
    )
