"""Parses a model's argument text into the named arguments of a tool, by the tool's JSON schema."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_NAMED = re.compile(r"\s*([A-Za-z_][\w-]*)\s*[=:]\s*(.*)", re.DOTALL)
_EXAMPLE = re.compile(r"""e\.g\.?,?:? (["'`])([^"'`]{1,40})\1""")
"""Examples as people write them into descriptions of parameters."""
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class BadArgument(ValueError):
    """An argument that does not fit the schema; the message says what was expected."""


def _read_parameters(schema: Schema) -> dict[str, Schema]:
    """Returns the schemas of an object's properties; an empty one for `true`, which allows any value."""
    found = schema.get("properties")
    found = found if isinstance(found, Mapping) else {}
    return {name: one if isinstance(one, Mapping) else {} for name, one in found.items()}


def parse_arguments(argument: str, schema: Schema) -> dict[str, Any]:
    """Returns named arguments from a JSON object, from `name=value` pairs, or from values in order, separated by
    commas.

    The whole text is the value when the tool has one parameter, or one required parameter that is text. Raises
    BadArgument.
    """
    parameters = _read_parameters(schema)
    if not parameters:
        return {}
    given = _parse_object(argument)
    if given is None or _is_whole_text(given, parameters):
        given = _parse_pairs(argument, parameters) or _assign_in_order(argument, parameters, schema)
    for name in given:
        if name not in parameters:
            raise BadArgument(f"there is no `{name}`; expected {_join_names(parameters)}")
    missing = [name for name in schema.get("required", []) if name not in given]
    if missing:
        raise BadArgument(f"{_join_names(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    return {name: _convert(name, value, parameters[name]) for name, value in given.items()}


def example_call(tool: str, schema: Schema) -> str:
    """Returns an example call in the action syntax, with examples, options and defaults of the schema as values."""
    parameters = _read_parameters(schema)
    shown = {name: parameters[name] for name in schema.get("required", []) if name in parameters} or dict(
        [*parameters.items()][:1]
    )
    values = {name: _example_value(name, kind, number) for number, (name, kind) in enumerate(shown.items(), 1)}
    if not values:
        return f"{tool}[-]"
    nested = any(isinstance(value, list | dict) for value in values.values())
    if nested:
        return f"{tool}[{json.dumps(values, ensure_ascii=False)}]"
    return f"{tool}[{', '.join(map(_value_text, values.values()))}]"


# -- the three notations ---------------------------------------------------------------------------------------------


def _is_whole_text(given: Mapping[str, Any], parameters: Mapping[str, Schema]) -> bool:
    """Returns whether a JSON object is itself the text that the tool's only parameter takes.

    An object with a single unknown name is not: that name is more likely misspelt.
    """
    return (
        len(parameters) == 1 < len(given)
        and not given.keys() & parameters.keys()
        and _json_type(*parameters.values()) == "string"
    )


def _parse_object(argument: str) -> dict[str, Any] | None:
    if not argument.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(argument)
    except (json.JSONDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parse_pairs(argument: str, parameters: Mapping[str, Schema]) -> dict[str, Any] | None:
    """Parses `city=Lima, days=3`. Returns None unless every part begins with the name of a parameter."""
    found = [_NAMED.fullmatch(piece) for piece in _split_values(argument)]
    if not found or any(piece is None or piece[1] not in parameters for piece in found):
        return None
    return {piece[1]: _unquote(piece[2]) for piece in found if piece}


def _assign_in_order(argument: str, parameters: Mapping[str, Schema], schema: Schema) -> dict[str, Any]:
    needed = [name for name in schema.get("required", []) if name in parameters]
    alone = list(parameters)[0] if len(parameters) == 1 else needed[0] if len(needed) == 1 else ""
    if alone and (len(parameters) == 1 or _may_hold_commas(parameters[alone])):
        return {alone: _unquote(argument)}
    names = needed + [name for name in parameters if name not in needed]
    values = _split_values(argument)
    if len(values) > len(names):
        raise BadArgument(f"expected {_join_names(names)} with commas between them, found {len(values)} values")
    return {name: _unquote(value) for name, value in zip(names, values, strict=False)}


def _may_hold_commas(schema: Schema) -> bool:
    return _json_type(schema) in ("", "string", "array") and "enum" not in schema


def _split_values(argument: str) -> list[str]:
    """Splits a text at the commas that stand outside quotes and brackets."""
    pieces, depth, quote = [""], 0, ""
    for character in argument:
        if quote:
            quote = "" if character == quote else quote
        elif character == '"':
            quote = character
        depth += (character in "[{(") - (character in "]})") if not quote else 0
        if character == "," and depth <= 0 and not quote:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece.strip() for piece in pieces]


def _unquote(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]
    return text[1:-1] if quoted else text


# -- values ----------------------------------------------------------------------------------------------------------


def _json_type(schema: Schema) -> str:
    """Returns the JSON type that a value must have; empty for any type."""
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if isinstance(option, Mapping) and option.get("type") != "null":
            return _json_type(option)
    kind = schema.get("type", "object" if "$ref" in schema else "")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "")
    return str(kind)


def _convert(name: str, value: Any, schema: Schema) -> Any:
    kind = _json_type(schema)
    try:
        fitted = _parse_value(value, kind, schema) if isinstance(value, str) else value
    except (ValueError, KeyError, RecursionError) as error:
        raise BadArgument(f"expected {_EXPECTED.get(kind, kind)} as `{name}`, not {value!r:.60}") from error
    if not _has_type(fitted, kind):
        raise BadArgument(f"expected {_EXPECTED.get(kind, kind)} as `{name}`, not {fitted!r:.60}")
    return _match_option(name, fitted, schema["enum"]) if "enum" in schema else fitted


def _parse_value(value: str, kind: str, schema: Schema) -> Any:
    if kind == "integer":
        return int(value) if value.strip().lstrip("+-").isdigit() else _as_integer(float(value))
    if kind == "number":
        return float(value)
    if kind == "boolean":
        return _TRUTHS[value.strip().casefold()]
    if kind == "object":
        return json.loads(value)
    if kind == "array":
        if value.lstrip().startswith("["):
            return json.loads(value)
        parts = next(csv.reader([value], skipinitialspace=True), [])
        items = schema.get("items", {})
        return [_parse_value(part, _json_type(items), items) for part in parts]
    return value if kind else _guess_type(value)


def _as_integer(value: float) -> int:
    if not value.is_integer():
        raise ValueError
    return int(value)


def _guess_type(value: str) -> Any:
    """Reads the value of a parameter of any type: JSON where it is JSON, else text."""
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


_EXPECTED = {
    "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
    "object": "a JSON object", "string": "text", "null": "nothing",
}  # fmt: skip
_TYPES: dict[str, type | tuple[type, ...]] = {
    "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict, "string": str,
}  # fmt: skip


def _has_type(value: Any, kind: str) -> bool:
    if value is None or kind not in _TYPES:
        return True
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _match_option(name: str, value: Any, options: list[Any]) -> Any:
    for option in options:
        if value == option or str(value).casefold() == str(option).casefold():
            return option
    raise BadArgument(f"expected one of {_join_names(options)} as `{name}`, not {value!r:.60}")


def _example_value(name: str, schema: Schema, number: int) -> Any:
    for example in (*schema.get("examples", ())[:1], *schema.get("enum", ())[:1]):
        return example
    if schema.get("default") is not None:
        return schema["default"]
    if found := _EXAMPLE.search(str(schema.get("description", ""))):
        return found[2]
    kind = _json_type(schema)
    return {"integer": number, "number": number, "boolean": True, "array": [], "object": {}}.get(kind, name)


def _value_text(value: Any) -> str:
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _join_names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
