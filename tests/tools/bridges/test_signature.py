"""What a function wants is read from its source."""

from __future__ import annotations

import pytest

from autoact.tools.bridges.signature import NoSuchFunction, read_signature

SOURCE = '''
import nowhere_to_be_found
raise SystemExit("this must not run")

def weather(city: str, days: int = 3, *, unit: Literal["C", "F"] = "C", near: list[float] | None = None,
            note: Annotated[Optional[str], "kept as it is"] = None, other=SOMETHING, quoted: "int" = 1, **rest):
    """Tells the weather
    of a city.

    Args:
        city: where it is asked for
        days (int): how far ahead
    """

async def plain(x): ...

def told(x):
    """Doubles it.

    :param x: a number
    """
'''


def test_hints_defaults_and_docstring() -> None:
    signature = read_signature(SOURCE, "weather")
    assert signature.definition == "Tells the weather of a city."
    assert signature.schema["required"] == ["city"]
    assert signature.schema["properties"] == {
        "city": {"type": "string", "description": "where it is asked for"},
        "days": {"type": "integer", "description": "how far ahead", "default": 3},
        "unit": {"enum": ["C", "F"], "default": "C"},
        "near": {"type": "array", "items": {"type": "number"}},
        "note": {"type": "string", "description": "kept as it is"},
        "other": {},
        "quoted": {"type": "integer", "default": 1},
    }


def test_no_hints_no_docstring() -> None:
    signature = read_signature(SOURCE, "plain")
    assert (signature.definition, signature.schema["properties"]) == ("", {"x": {}})
    assert read_signature(SOURCE, "told").schema["properties"] == {"x": {"description": "a number"}}


@pytest.mark.parametrize(
    ("source", "message"),
    [("def f(x:", "not valid Python"), ("\0", "not valid Python"), (SOURCE, "it has weather, plain, told")],
)
def test_what_cannot_be_read(source: str, message: str) -> None:
    with pytest.raises(NoSuchFunction) as mistake:
        read_signature(source, "missing")
    assert message in str(mistake.value)
