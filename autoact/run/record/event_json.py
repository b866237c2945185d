"""Conversion between events and JSON. NaN and infinite numbers, which JSON lacks, are written as strings.

The strings are `NaN`, `Infinity` and `-Infinity`, as in the JSON of protocol buffers.
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
"""JSON string by Python's name of the number."""
_encode = msgspec.json.Encoder().encode
_decode: msgspec.json.Decoder[Event] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """Returns the event as a JSON object. Raises UnicodeEncodeError, a ValueError, for text with lone surrogates."""
    fields = _encode(event)
    if b"null" in fields:  # msgspec writes null for a number that is not finite
        return _encode(_spell_numbers(msgspec.to_builtins(event)))
    return fields


def decode(line: bytes) -> Event | None:
    """Returns the event in a line, or None for an unknown type. Raises msgspec.DecodeError and UnicodeDecodeError."""
    try:
        return _decode.decode(line)
    except msgspec.ValidationError:  # a number that is not finite, or an unknown type
        return convert(msgspec.json.decode(line))


def convert(fields: Fields) -> Event | None:
    """Returns decoded fields as an event, or None for an unknown type. Raises msgspec.ValidationError.

    The conversion is not strict, so that the string `NaN` is accepted where a number is expected.
    """
    if fields["type"] not in KNOWN:
        return None
    return msgspec.convert(_without_null(fields), AnyEvent, strict=False)  # type: ignore[no-any-return]


def _spell_numbers(value: Any) -> Any:
    """Returns decoded JSON with a string in the place of each number that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return NOT_FINITE[str(value)]
    return _map_parts(value, _spell_numbers)


def _without_null(value: Any) -> Any:
    """Returns decoded JSON with NaN in the place of null, which earlier versions wrote for a loss of NaN."""
    return math.nan if value is None else _map_parts(value, _without_null)


def _map_parts(value: Any, change: Callable[[Any], Any]) -> Any:
    """Returns a list or an object with `change` applied to each part, and any other value unchanged."""
    match value:
        case dict():
            return {key: change(part) for key, part in value.items()}
        case list() | tuple():
            return [change(part) for part in value]
    return value
