"""The child's side of a bridge: opens one tool and answers requests until its standard input ends.

`python -m autoact.tools.bridges.worker` reads an opening and then requests from stdin, a line of JSON each, and writes
a reply to each to stdout. The tool's own output is discarded.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import threading
from contextlib import suppress
from typing import Any

import msgspec

from autoact.tools.bridges.protocol import ChildFailed, ChildReply, RequestHandler

LONGEST_TEXT = 150_000
"""Characters of a reply; the library shortens it further, to the tool's own limit."""
_BECOME_SUBREAPER = 36


def main() -> None:
    """Serves requests until stdin ends. Boundary of a process: whatever a tool raises becomes a failed reply."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.dup(1)
    devnull = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(devnull, descriptor)
    _adopt_orphans()
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_queue_requests, args=(requests, lines), daemon=True).start()
    answer: RequestHandler | None = None
    while True:
        request = msgspec.json.decode(lines.get())
        try:
            if answer is None:
                answer, reply = open_tool(request)
            else:
                reply = answer(request)
        except (Exception, SystemExit) as error:
            reply = ChildReply(_error_text(error), failed=True)
        text = reply.text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
        _write_line(replies, msgspec.json.encode(msgspec.structs.replace(reply, text=text)) + b"\n")


def open_tool(opening: dict[str, Any]) -> tuple[RequestHandler, ChildReply]:
    """Opens the tool that `opening` names. Returns its handler and the first reply."""
    if opening["kind"] == "mcp":
        from autoact.tools.bridges import mcp_session

        return mcp_session.open_in_child(opening)
    if opening["kind"] == "langchain":
        from autoact.tools.bridges import langchain

        return langchain.open_in_child(opening), ChildReply("")
    from autoact.tools.bridges import python_function

    return python_function.open_in_child(opening), ChildReply("")


def _error_text(error: BaseException) -> str:
    if isinstance(error, ChildFailed) or not str(error):
        return str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"


def _queue_requests(requests: Any, lines: queue.Queue[bytes]) -> None:
    """Queues requests. When stdin ends, the parent is gone: kills this process at once, with all it started."""
    for line in requests:
        lines.put(line)
    os.killpg(0, signal.SIGKILL)


def _write_line(replies: int, line: bytes) -> None:
    while line:
        line = line[os.write(replies, line) :]


def _adopt_orphans() -> None:
    """Makes processes whose parent ended children of this process, so that they are found when it is killed."""
    with suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None, use_errno=True).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
