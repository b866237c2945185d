"""Makes untrusted text safe for widgets: no control codes, no markup."""

from __future__ import annotations

from textual.content import Content

from autoact.security.untrusted_text import BREAK, LINES, Writer, clean, line, one_line, whole

__all__ = [
    "BREAK", "LINES", "Writer", "clean", "clean_paste", "content", "clean_for_editing", "line", "one_line", "whole",
]  # fmt: skip


def clean_for_editing(text: str) -> str:
    """Returns a text for a field in which it is edited: safe, complete, with its tabs."""
    return "\t".join(whole(part) for part in text.replace("\r\n", "\n").split("\t"))


def clean_paste(text: str) -> str:
    """Returns pasted text, safe and complete. Terminals send a carriage return for each line break."""
    return clean_for_editing(text.replace("\r\n", "\n").replace("\r", "\n"))


def content(text: str, style: str = "") -> Content:
    """Returns one safe line as Content, which is never read as markup."""
    return Content.styled(line(text), style)
