"""Reads a Python function's description and parameters from its source, without running any of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from typing import Any

from msgspec import Struct

_PLAIN = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object",
          "List": "array", "Dict": "object", "tuple": "array", "Sequence": "array"}  # fmt: skip
_PARAMETER = re.compile(r"^\s*(?::param(?:\s+\w+)?\s+)?(\w+)\s*(?:\([^)]*\))?\s*:\s*(\S.*)$")


class NoSuchFunction(ValueError):
    """The source has no such function, or is not Python; the message says which."""


class Signature(Struct, frozen=True):
    """The description and the parameters of a function."""

    definition: str
    """The docstring's first paragraph on one line; empty without a docstring."""
    schema: dict[str, Any]
    """JSON schema of its parameters. One without a type hint takes any value."""


def read_signature(source: str, function: str) -> Signature:
    """Reads the signature of a function from a module's source. Raises NoSuchFunction."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NoSuchFunction(f"not valid Python: {error}") from error
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in defined:
        if node.name == function:
            return signature_of(node)
    names = ", ".join(node.name for node in defined if not node.name.startswith("_")) or "none"
    raise NoSuchFunction(f"it has no function `{function}`; it has {names}")


def signature_of(node: ast.FunctionDef | ast.AsyncFunctionDef, without: Container[str] = ()) -> Signature:
    """Makes a signature from a function's syntax tree, leaving out the parameters `without`."""
    text = ast.get_docstring(node) or ""
    explained = dict(_explanations(text))
    properties, required = {}, []
    for parameter, default in _parameters(node.args):
        if parameter.arg in without:
            continue
        kind = parameter_kind(parameter.annotation)
        if parameter.arg in explained:
            kind.setdefault("description", explained[parameter.arg])
        if default is None:
            required.append(parameter.arg)
        else:
            kind = {**kind, **literal_default(default)}
        properties[parameter.arg] = kind
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Signature(" ".join(text.split("\n\n")[0].split()), schema)


def _parameters(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yields each parameter with its default; not *args and **kwargs, whose content a model cannot name."""
    positional = [*arguments.posonlyargs, *arguments.args]
    without = len(positional) - len(arguments.defaults)
    yield from zip(positional, [None] * without + list(arguments.defaults), strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def parameter_kind(hint: ast.expr | None) -> dict[str, Any]:
    """Returns the JSON schema of a type hint; empty where it allows any value."""
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        return _quoted_schema(hint.value)
    if isinstance(hint, ast.Name | ast.Attribute):
        name = hint.id if isinstance(hint, ast.Name) else hint.attr
        return {"type": _PLAIN[name]} if name in _PLAIN else {}
    if isinstance(hint, ast.BinOp):  # X | None
        sides = [side for side in (hint.left, hint.right) if not _is_none(side)]
        return parameter_kind(sides[0]) if len(sides) == 1 else {}
    if isinstance(hint, ast.Subscript):
        return _subscript_schema(hint)
    return {}


def _subscript_schema(hint: ast.Subscript) -> dict[str, Any]:
    """Reads list[int], Optional[str], Literal["a", "b"], Annotated[str, "a description"]."""
    name = ast.unparse(hint.value).rpartition(".")[2]
    inside = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
    if name == "Optional":
        return parameter_kind(inside[0])
    if name == "Literal":
        return {"enum": [one.value for one in inside if isinstance(one, ast.Constant)]}
    if name == "Annotated":
        explained = [one.value for one in inside[1:] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        return {**parameter_kind(inside[0]), **({"description": explained[0]} if explained else {})}
    kind = {"type": _PLAIN[name]} if name in _PLAIN else {}
    items = parameter_kind(inside[0]) if kind.get("type") == "array" else {}
    return {**kind, "items": items} if items else kind


def _quoted_schema(hint: str) -> dict[str, Any]:
    try:
        return parameter_kind(ast.parse(hint, mode="eval").body)
    except (SyntaxError, ValueError):
        return {}


def _is_none(hint: ast.expr) -> bool:
    return isinstance(hint, ast.Constant) and hint.value is None


def literal_default(default: ast.expr) -> dict[str, Any]:
    """Returns the JSON schema of a default that is a plain value; empty for any other."""
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return {}
    return {"default": value} if isinstance(value, str | int | float | bool | list | dict) else {}


def _explanations(docstring: str) -> Iterator[tuple[str, str]]:
    """Yields the parameters that a docstring explains in the style of Google or reST, with their explanations."""
    for line in docstring.splitlines()[1:]:
        if found := _PARAMETER.match(line):
            yield found[1], found[2].strip()
