"""Limits the tokens that any method generates for one question, so that methods are compared at equal cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from autoact.episode import Script
from autoact.errors import ContextFull, TokensSpent
from autoact.methods.settings import MethodSettings
from autoact.script import Answer, Ask, Request
from autoact.trajectory import Question, Trajectory


def limit_tokens(script: Script, unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script with a limit of `settings.tokens` generated tokens; the script itself when there is none.

    No ask may generate more than what is left; only a choice, which is always complete, can exceed it by its length.
    When nothing is left, TokensSpent is thrown into the script; one that does not catch it ends without an answer.
    """
    return _limit(script, unit, question, settings) if settings.tokens else script


def _limit(script: Script, unit: str, question: Question, settings: MethodSettings) -> Script:
    left = settings.tokens
    reply: Any = None
    advance: Callable[[Any], Request] = script.send
    try:
        while True:
            request, advance = advance(reply), script.send
            if isinstance(request, Ask) and left <= 0:
                advance, reply = script.throw, TokensSpent(f"all {settings.tokens} tokens of this question are spent")
                continue
            try:
                reply = yield _shorten(request, left)
            except ContextFull as error:
                advance, reply = script.throw, error
            else:
                left -= len(reply.tokens) if isinstance(reply, Answer) else 0
    except StopIteration as end:
        made: Trajectory = end.value
        return made
    except TokensSpent:
        return Trajectory(unit, question, (), halt="tokens", cast=settings.cast.name)


def _shorten(request: Request, left: int) -> Request:
    if isinstance(request, Ask) and not request.choices and request.limit > left:
        return replace(request, limit=left, least=min(request.least, left))
    return request
