"""An event as the fields of a line, and back. Numbers that JSON does not have are written as texts.

`NaN`, `Infinity` and `-Infinity` stand for them, as in the JSON of protocol buffers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import msgspec

from autoact.events import AnyEvent, Event
from autoact.run.record.log_versions import Fields

KNOWN = frozenset(kind.__struct_config__.tag for kind in get_args(AnyEvent))
"""Types of events that this version knows."""
NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""Texts by Python's name of the number."""
_encode = msgspec.json.Encoder().encode
_decode: msgspec.json.Decoder[Event] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """The event as a JSON object. Raises UnicodeEncodeError, a ValueError, for text with lone surrogates."""
    fields = _encode(event)
    if b"null" in fields:  # what msgspec makes of a number that is not finite
        return _encode(_spelled(msgspec.to_builtins(event)))
    return fields


def decode(line: bytes) -> Event | None:
    """The event in a line; None for one of an unknown type. Raises msgspec.DecodeError and UnicodeDecodeError."""
    try:
        return _decode.decode(line)
    except msgspec.ValidationError:  # a number that is not finite, or no event of a known type
        return convert(msgspec.json.decode(line))


def convert(fields: Fields) -> Event | None:
    """The event that decoded fields are; None for one of an unknown type. Raises msgspec.ValidationError.

    Not strict, so that the text `NaN` is a number where a number is expected.
    """
    if fields["type"] not in KNOWN:
        return None
    return msgspec.convert(_without_null(fields), AnyEvent, strict=False)  # type: ignore[no-any-return]


def _spelled(value: Any) -> Any:
    """Decoded JSON with a text in the place of each number that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return NOT_FINITE[str(value)]
    return _mapped(value, _spelled)


def _without_null(value: Any) -> Any:
    """Decoded JSON with NaN in the place of null: that is how earlier programs wrote a loss that was no number."""
    return math.nan if value is None else _mapped(value, _without_null)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Decoded JSON with each part of a list or an object changed; other values as they are."""
    match value:
        case dict():
            return {key: change(part) for key, part in value.items()}
        case list() | tuple():
            return [change(part) for part in value]
    return value
