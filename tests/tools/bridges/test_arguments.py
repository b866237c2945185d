"""One text becomes the arguments a schema asks for, or the message says what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from autoact.tools.bridges.arguments import BadArgument, example_call, parse_arguments


def schema(*required: str, **kinds: Any) -> dict[str, Any]:
    properties = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in kinds.items()}
    return {"type": "object", "properties": properties, "required": list(required)}


ONE = schema("query", query="string")
SEARCH = schema("query", query="string", limit="integer")
SUM = schema("a", "b", a="integer", b="number", exact="boolean")
MIXED = schema("names", names={"type": "array", "items": {"type": "integer"}}, how={"enum": ["Fast", "slow"]})
MAYBE = schema("a", "b", a={"anyOf": [{"type": "null"}, {"type": "integer"}]}, b={})


@pytest.mark.parametrize(
    ("kinds", "argument", "expected"),
    [
        (ONE, "Fidelio, by Beethoven", {"query": "Fidelio, by Beethoven"}),
        (ONE, '"Fidelio"', {"query": "Fidelio"}),
        (ONE, "query: Fidelio", {"query": "Fidelio"}),
        (ONE, "title: Fidelio", {"query": "title: Fidelio"}),
        (ONE, '{"query": "Fidelio"}', {"query": "Fidelio"}),
        (ONE, "{not json}", {"query": "{not json}"}),
        (ONE, '{"url": "a", "data": {}}', {"query": '{"url": "a", "data": {}}'}),
        (SEARCH, "rivers, lakes", {"query": "rivers, lakes"}),
        (SEARCH, "query=rivers, limit=3", {"query": "rivers", "limit": 3}),
        (SEARCH, '{"query": "rivers", "limit": "3"}', {"query": "rivers", "limit": 3}),
        (SUM, "2, 2.5", {"a": 2, "b": 2.5}),
        (SUM, "2, 2.5, yes", {"a": 2, "b": 2.5, "exact": True}),
        (SUM, "a = 2.0, b = 3", {"a": 2, "b": 3}),
        (MIXED, "1, 2, 3", {"names": [1, 2, 3]}),
        (MIXED, "names=[1, 2], how=FAST", {"names": [1, 2], "how": "Fast"}),
        (MAYBE, "7, [1]", {"a": 7, "b": [1]}),
        (MAYBE, 'a=7, b="x, y"', {"a": 7, "b": "x, y"}),
        (schema(), "-", {}),
    ],
)
def test_arguments_are_understood(kinds: dict[str, Any], argument: str, expected: dict[str, Any]) -> None:
    assert parse_arguments(argument, kinds) == expected


@pytest.mark.parametrize(
    ("kinds", "argument", "message"),
    [
        (SUM, "2", "`b` is missing"),
        (SUM, "two, 3", "expected a whole number as `a`, not 'two'"),
        (SUM, "2.5, 3", "expected a whole number as `a`"),
        (SUM, "inf, 3", "expected a whole number as `a`"),
        (SUM, "1, 2, yes, 4", "expected `a`, `b`, `exact` with commas between them, found 4 values"),
        (SUM, '{"a": 1, "b": 2, "c": 3}', "there is no `c`; expected `a`, `b`, `exact`"),
        (MIXED, '{"c": 3}', "there is no `c`; expected `names`, `how`"),
        (SUM, '{"a": true, "b": 2}', "expected a whole number as `a`, not True"),
        (SUM, "1, 2, perhaps", "expected true or false as `exact`"),
        (MIXED, "names=[1], how=later", "expected one of `Fast`, `slow` as `how`"),
        (MIXED, "[1, 2", "expected a list as `names`"),
    ],
)
def test_what_does_not_fit_is_told(kinds: dict[str, Any], argument: str, message: str) -> None:
    with pytest.raises(BadArgument) as mistake:
        parse_arguments(argument, kinds)
    assert message in str(mistake.value)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (ONE, "T[query]"),
        (SUM, "T[1, 2]"),
        (MIXED, 'T[{"names": []}]'),
        (schema(), "T[-]"),
        (schema("zone", zone={"type": "string", "description": "A zone (e.g., 'Europe/Paris')"}), "T[Europe/Paris]"),
        (schema("n", n={"type": "integer", "examples": [40]}), "T[40]"),
    ],
)
def test_a_usage_is_an_example_call(kinds: dict[str, Any], expected: str) -> None:
    assert example_call("T", kinds) == expected


@pytest.mark.parametrize("kinds", [ONE, SUM, SEARCH])
def test_a_usage_can_be_called(kinds: dict[str, Any]) -> None:
    assert parse_arguments(example_call("T", kinds).removeprefix("T[").removesuffix("]"), kinds)
