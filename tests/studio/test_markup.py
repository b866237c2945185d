"""No text that others wrote can be markup: where Textual would read markup, there is only our own text or Content."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

STUDIO = Path(__file__).resolve().parents[2] / "studio"
SHOWS = {"Static", "Label", "Button", "Option", "Selection", "Checkbox", "RadioButton", "Collapsible", "TabPane", "Tab",
         "update", "notify", "replace_option_prompt", "DiscoveryHit"}  # fmt: skip
"""What shows its first string as markup unless it is told otherwise. (An option's second, a hit's too.)"""
TITLES = {"border_title", "border_subtitle", "tooltip", "title", "sub_title", "label", "prompt", "placeholder"}
NEVER = {"from_markup", "from_ansi", "render_markup"}


def faults(tree: ast.Module, safe: set[str]) -> Iterator[str]:
    """Places where something that is neither a literal nor Content would be read as markup."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function) if called(function) in NEVER:
                yield f"{node.lineno}: {called(function)}"
            case ast.Call(keywords=keywords) if any(
                word.arg == "markup" and not is_false(word.value) for word in keywords
            ):
                yield f"{node.lineno}: markup"
            case ast.Call() if called(node.func) in SHOWS and not plain(node):
                yield from (f"{node.lineno}: {ast.unparse(shown)}" for shown in shows(node) if not allowed(shown, safe))
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=value) if name in TITLES and not allowed(
                value, safe
            ):
                yield f"{node.lineno}: {name}"


def shows(node: ast.Call) -> list[ast.expr]:
    """The arguments that are shown."""
    place = 1 if called(node.func) == "replace_option_prompt" else 0
    named = [word.value for word in node.keywords if word.arg in (*TITLES, "content", "renderable")]
    return [*node.args[place : place + 1], *named]


def allowed(shown: ast.expr, safe: set[str]) -> bool:
    match shown:
        case ast.Constant():
            return True
        case ast.Call(func=function):
            return called(function) in safe or rooted(function) in ("Content", "untrusted_text")
        case ast.Name(id=name):
            return name in safe
        case ast.IfExp(body=body, orelse=other):
            return allowed(body, safe) and allowed(other, safe)
        case ast.BoolOp(values=values):
            return all(allowed(value, safe) for value in values)
        case ast.Attribute(attr=name):
            return name.isupper()  # a constant of ours
    return False


def plain(node: ast.Call) -> bool:
    """Told that there is no markup, or no widget at all: a dictionary's update takes words or a mapping."""
    told = any(word.arg == "markup" and is_false(word.value) for word in node.keywords)
    return told or (called(node.func) == "update" and (not node.args or isinstance(node.args[0], ast.Dict)))


def called(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def rooted(function: ast.expr) -> str:
    """`Content` in Content.styled(x) and in Content("a").join(x)."""
    while isinstance(function, ast.Attribute | ast.Call):
        function = function.value if isinstance(function, ast.Attribute) else function.func
    return function.id if isinstance(function, ast.Name) else ""


def is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def contents(tree: ast.Module) -> set[str]:
    """Functions that give Content, and names that are said to be Content."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name, returns=ast.Name(id="Content")):
                found.add(name)
            case ast.arg(arg=name, annotation=ast.Name(id="Content")):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)) if rooted(function) in (
                "Content",
                "untrusted_text",
            ):
                found.add(name)
            case ast.For(target=ast.Tuple(elts=[_, ast.Name(id="content")])):
                found.add("content")  # pairs of a name and its Content: Menu.put says so
    return found


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {str(file.relative_to(STUDIO)): ast.parse(file.read_text("utf-8")) for file in sorted(STUDIO.rglob("*.py"))}


def test_nothing_that_others_wrote_is_read_as_markup(trees: dict[str, ast.Module]) -> None:
    safe = set().union(*map(contents, trees.values()))
    assert {name: found for name, tree in trees.items() if (found := list(faults(tree, safe)))} == {}


@pytest.mark.parametrize(
    "code",
    [
        "Static(name)",
        'Static(f"{name}")',
        'label.update("a" + name)',
        "self.notify(str(error))",
        "self.border_title = name",
        'Option(row["text"], id="a")',
        "Content.from_markup(text)",
        "Static(text, markup=True)",
    ],
)
def test_the_rule_finds_what_it_is_about(code: str) -> None:
    assert list(faults(ast.parse(code), set()))


@pytest.mark.parametrize(
    "code",
    [
        'Static("Runs")',
        "Static(Content(name))",
        'Static(Content.styled(name, "bold"))',
        "self.update(untrusted_text.content(name))",
        "self.notify(untrusted_text.line(name), markup=False)",
        "known.update({1: 2})",
    ],
)
def test_the_rule_lets_the_rest_be(code: str) -> None:
    assert not list(faults(ast.parse(code), set()))
