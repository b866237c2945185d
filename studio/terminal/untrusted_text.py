"""Text that others wrote, made safe and plain for a widget."""

from __future__ import annotations

from textual.content import Content

from autoact.security.untrusted_text import BREAK, LINES, Writer, clean, line, one_line, whole

__all__ = [
    "BREAK", "LINES", "Writer", "clean", "content", "editable", "line", "one_line", "pasted", "whole",
]  # fmt: skip


def editable(text: str) -> str:
    """Returns a text for a field in which it is edited: safe and whole, its tabs kept."""
    return "\t".join(whole(part) for part in text.replace("\r\n", "\n").split("\t"))


def pasted(text: str) -> str:
    """Returns what a terminal pasted, safe and whole. Terminals send a carriage return for each line break."""
    return editable(text.replace("\r\n", "\n").replace("\r", "\n"))


def content(text: str, style: str = "") -> Content:
    """One safe line as a widget takes it: plain, never markup."""
    return Content.styled(line(text), style)
