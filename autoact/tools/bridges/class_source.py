"""Reads a langchain tool's description and parameters from the source of its class, without running any of it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from autoact.tools.bridges.signature import (
    Signature,
    literal_default,
    parameter_kind,
    signature_of,
)

_MOST_STEPS = 8
"""Modules through which an exported name is followed to its definition."""
_FILLED_BY_LANGCHAIN = {"self", "cls", "run_manager", "callbacks", "config"}
"""Parameters of `_run` that langchain fills, not the model."""


def read_tool(path: str) -> Signature | None:
    """Reads the description and parameters of `package.module.Name`: a tool class, or a function made into a tool.

    Returns None where they cannot be read.
    """
    module, _, name = path.rpartition(".")
    try:
        defined = _find_definition(module, name)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    if isinstance(defined, _Class):
        return Signature(defined.description(), defined.schema())
    return signature_of(defined) if defined is not None else None


class _Class:
    """A class definition in source, with the module it is in."""

    def __init__(self, node: ast.ClassDef, module: str, tree: ast.Module) -> None:
        self.node, self._module, self._tree = node, module, tree

    def description(self) -> str:
        """Returns the value of the field `description` on one line; empty where the source does not write it out."""
        return " ".join(self._text(self._field("description")).split())

    def schema(self) -> dict[str, Any]:
        """Returns the JSON schema of the parameters: those of `args_schema`, else those of the method `_run`."""
        named = self._field("args_schema")
        model = self._find(named.id) if isinstance(named, ast.Name) else None
        if isinstance(model, _Class):
            return model.fields()
        functions = (node for one in self.lineage for node in one.node.body if isinstance(node, ast.FunctionDef))
        run = next((node for node in functions if node.name == "_run"), None)
        return signature_of(run, _FILLED_BY_LANGCHAIN).schema if run else {}

    def fields(self) -> dict[str, Any]:
        """Returns the JSON schema of a pydantic model: the fields of its base classes first, then its own."""
        properties: dict[str, Any] = {}
        for one in reversed(self.lineage):
            for node in one.node.body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    properties[node.target.id] = one._field_schema(node)
        required = [name for name, kind in properties.items() if kind.pop("required")]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    @cached_property
    def lineage(self) -> list[_Class]:
        """The class and those of its base classes whose source can be read, the nearest first."""
        found = [self]
        for base in self.node.bases:
            parent = self._find(base.id) if isinstance(base, ast.Name) else None
            if isinstance(parent, _Class) and parent.node.name not in ("BaseTool", "BaseModel"):
                found += parent.lineage
        return found

    def _find(self, name: str) -> _Class | ast.FunctionDef | ast.AsyncFunctionDef | None:
        return _find_in_tree(self._tree, self._module, name, _MOST_STEPS)

    def _field(self, name: str) -> ast.expr | None:
        return next(
            (value for one in self.lineage for known, value in _assignments(one.node.body) if known == name), None
        )

    def _text(self, value: ast.expr | None) -> str:
        """Returns a string that the source writes out: in one or several parts, as a constant of the module, or as a
        field's default."""
        if isinstance(value, ast.Call):
            value = _options(value).get("default")
        if isinstance(value, ast.Name):
            value = dict(_assignments(self._tree.body)).get(value.id)
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            return self._text(value.left) + self._text(value.right)
        return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""

    def _field_schema(self, node: ast.AnnAssign) -> dict[str, Any]:
        options = _options(node.value) if isinstance(node.value, ast.Call) else {"default": node.value}
        default = options.get("default")
        required = "default_factory" not in options and (default is None or _is_ellipsis(default))
        kind = parameter_kind(node.annotation)
        if description := " ".join(self._text(options.get("description")).split()):
            kind = {**kind, "description": description}
        return {**kind, **({} if default is None else literal_default(default)), "required": required}


def _find_definition(
    module: str, name: str, steps: int = _MOST_STEPS
) -> _Class | ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Finds the definition of a name that a module exports. Raises OSError, SyntaxError, ValueError."""
    file = module_file(module)
    if file is None or steps == 0:
        return None
    return _find_in_tree(ast.parse(file.read_text(encoding="utf-8")), module, name, steps)


def _find_in_tree(
    tree: ast.Module, module: str, name: str, steps: int
) -> _Class | ast.FunctionDef | ast.AsyncFunctionDef | None:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _Class(node, module, tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node
    # Packages load some names late and import them for type checkers only, so all imports count, nested ones too.
    for imported in ast.walk(tree):
        if isinstance(imported, ast.ImportFrom):
            for alias in imported.names:
                if name == (alias.asname or alias.name):
                    return _find_definition(_absolute_module(imported, module), alias.name, steps - 1)
    return None


def module_file(module: str) -> Path | None:
    """Finds the source file of an installed module without importing its package; None where there is none."""
    top, *inner = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:
        spec = None
    if spec is None or spec.origin is None:
        return None
    if not inner:
        return Path(spec.origin)
    place = Path(spec.origin).parent.joinpath(*inner)
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _absolute_module(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    file = module_file(module)
    inside = file is not None and file.name == "__init__.py"
    package = module.split(".")[: -node.level + inside or None]
    return ".".join([*package, *([node.module] if node.module else [])])


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _options(call: ast.Call) -> dict[str, ast.expr]:
    """Returns the arguments of a call of pydantic's `Field` by name."""
    named = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    return {"default": call.args[0], **named} if call.args else named


def _is_ellipsis(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is ...
