"""Textual's parser of terminal input, changed to take esc and a character that arrive together for two keys."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

_ESC_AND_KEY = re.compile(r"\x1b(?=[^\x00-\x20\x7f\x1bNOPX\[\\\]^_])")
"""Escape before a character that begins no sequence of a terminal."""
_ESC = "\x1b[27u"
"""The escape key in the keyboard protocol of kitty, which no character after it changes."""


class KeyParser(XTermParser):
    """A slow line delivers esc and the next key at once. Textual reads them as alt and the key, or loses one.

    Terminals send the same bytes for alt and a letter; the studio has no such keys.
    """

    _esc_last = False
    """Whether the input so far ends with escape."""
    _in_paste = False
    """Whether the input so far ends within a pasted text."""

    def feed(self, data: str) -> Iterable[Message]:
        """Yields the events of more input."""
        begins, ends = data.rfind("\x1b[200~"), data.rfind("\x1b[201~")
        if not self._in_paste and begins < 0:
            if self._esc_last and _ESC_AND_KEY.match("\x1b" + data):
                data = _ESC[1:] + data  # its first character was fed before
            self._esc_last = data.endswith("\x1b")
            data = _ESC_AND_KEY.sub(_ESC, data)
        self._in_paste = begins > ends or (self._in_paste and ends < 0)
        return super().feed(data)
