"""Text that others wrote, made safe and plain for a widget."""

from __future__ import annotations

from textual.content import Content

from autoact.untrusted_text import BREAK, LINES, Writer, clean, line, one_line, whole

__all__ = ["BREAK", "LINES", "Writer", "clean", "content", "line", "one_line", "whole"]


def content(text: str, style: str = "") -> Content:
    """One safe line as a widget takes it: plain, never markup."""
    return Content.styled(line(text), style)
