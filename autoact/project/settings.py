"""Every setting with its type, default, unit and help, read from the definitions in config.py."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from autoact.project import config
from autoact.project.config import Config

WRITTEN_BY_COMMANDS = "run"
"""The section that no person writes."""


class Setting(Struct, frozen=True):
    """One setting."""

    section: str
    """Its section, with a dot before that of a table within it: `self_instruct.types`."""
    name: str
    kind: str
    """Its type in words, such as `whole number from 1`."""
    default: str
    """As text, in the form in which a person types it."""
    unit: str
    """Empty where it has none."""
    help: str
    words: tuple[str, ...] = ()
    """The only values that it takes; empty for any value of its type."""

    @property
    def key(self) -> str:
        """Its name in commands, such as `synthesis.samples`."""
        return f"{self.section}.{self.name}"


@cache
def all_settings() -> tuple[Setting, ...]:
    """Returns all settings that a person can change, in the order of the stages."""
    docs = _docstrings()
    root = types.type_info(Config)
    assert isinstance(root, types.StructType)
    return tuple(
        setting
        for field in root.fields
        if field.name != WRITTEN_BY_COMMANDS and isinstance(field.type, types.StructType)
        for setting in _section(field.name, field.type, docs)
    )


def value_text(value: object) -> str:
    """Returns a value as a person types it: a text without quotation marks, all else as TOML."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_quoted(inner)}" for key, inner in value.items()) + "}"
    return _quoted(value)


def find_value(values: Mapping[str, Any], key: str) -> Any:
    """Returns the value of a dotted key in nested settings; None where it is missing."""
    found: Any = values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def find_origins(layers: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """Returns, by key, the name of the last layer that has a value for it; keys of no layer are left out."""
    return {
        setting.key: name
        for name, values in layers
        for setting in all_settings()
        if find_value(values, setting.key) is not None
    }


def _quoted(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)


def _section(name: str, struct: types.StructType, docs: Mapping[str, Mapping[str, str]]) -> Iterator[Setting]:
    for field in struct.fields:
        if isinstance(field.type, types.StructType):
            yield from _section(f"{name}.{field.name}", field.type, docs)
            continue
        kind, words, unit = _describe(field.type)
        default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        text = docs.get(struct.cls.__name__, {}).get(field.name, "")
        yield Setting(name, field.name, kind, value_text(default), unit, text, words)


def _describe(kind: types.Type) -> tuple[str, tuple[str, ...], str]:
    """Returns a type in words, its only values, and its unit."""
    unit = ""
    if isinstance(kind, types.Metadata):
        unit, kind = str((kind.extra or {}).get("unit", "")), kind.type
    match kind:
        case types.BoolType():
            return "yes or no", ("true", "false"), unit
        case types.LiteralType():
            return "one of its words", tuple(map(str, kind.values)), unit
        case types.IntType() | types.FloatType():
            return _number(kind), (), unit
        case types.StrType():
            return "text", (), unit
        case types.VarTupleType():
            return 'list, as ["a", "b"]', (), unit
    return 'table, as {a = ["b"]}', (), unit


def _number(kind: types.IntType | types.FloatType) -> str:
    name = "whole number" if isinstance(kind, types.IntType) else "number"
    least, most = (kind.gt if kind.ge is None else kind.ge), kind.le
    if least is None:
        return name
    if most is not None:
        return f"{name} from {least:,} to {most:,}"
    return f"{name} above {least:g}" if kind.ge is None else f"{name} from {least:g}"


def _docstrings() -> dict[str, dict[str, str]]:
    """Returns the text below each field in config.py, by class and field; classes do not keep it at run time."""
    return {
        node.name: {
            field.target.id: " ".join(doc.value.value.split())
            for field, doc in zip(node.body, node.body[1:], strict=False)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str)
        }
        for node in ast.parse(inspect.getsource(config)).body
        if isinstance(node, ast.ClassDef)
    }
