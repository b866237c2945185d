"""The child's side of an MCP server: the SDK's client over pipes or HTTP, with limits on what a server may send."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from autoact.tools.bridges.protocol import ChildFailed, ChildReply, RequestHandler

LARGEST_MESSAGE = 2_000_000
"""Bytes of one message."""
LARGEST_FLOOD = 2_000_000
"""Bytes that a server may send between two messages of ours."""
MOST_TOOLS = 500
_STDERR_TAIL = 2000
"""Bytes kept of the end of a server's standard error."""


def open_in_child(opening: dict[str, Any]) -> tuple[RequestHandler, ChildReply]:
    """Connects to the server. The reply lists its tools as JSON."""
    session = McpSession(opening)
    return session.answer, ChildReply(json.dumps(session.wait(session.tools()), ensure_ascii=True))


class ServerHealth:
    """The server's failure, if any, shared between session and transport."""

    failure = ""
    """The reason why the server cannot be used any more; empty while it can."""
    stderr_tail = ""
    """The end of the server's standard error."""


class McpSession:
    """A connection to a server, with an event loop in a thread of its own. It ends with the process."""

    def __init__(self, opening: dict[str, Any]) -> None:
        self._server = ServerHealth()
        self._client: Any = None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        ready: asyncio.Future[None] = self._loop.create_future()
        self._running = asyncio.run_coroutine_threadsafe(self._run_client(opening, ready), self._loop)
        self.wait(_wait_for(ready))

    def wait(self, coroutine: Any) -> Any:
        """Runs a coroutine in the loop and returns its result. Raises ChildFailed with the server's trouble, where that
        is known."""
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        except Exception as error:
            raise ChildFailed(self._failure_text(error)) from error

    def answer(self, request: dict[str, Any]) -> ChildReply:
        """Calls one of the server's tools."""
        try:
            result = self.wait(self._client.call_tool(request["tool"], request["arguments"]))
        except ChildFailed as error:
            return ChildReply(str(error), failed=True, ended=bool(self._server.failure))
        return ChildReply(result_text(result), failed=bool(result.is_error))

    async def tools(self) -> list[dict[str, Any]]:
        """Returns name, description and schema of each tool, at most MOST_TOOLS."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < MOST_TOOLS:
            page = await self._client.list_tools(cursor=cursor)
            found += map(_tool_fields, page.tools)
            cursor = page.next_cursor
            if not cursor or not page.tools:
                break
        return found[:MOST_TOOLS]

    async def _run_client(self, opening: dict[str, Any], ready: asyncio.Future[None]) -> None:
        try:
            transport = (
                http_transport(opening["url"], opening["headers"], self._server)
                if opening["url"]
                else pipe_transport(opening["command"], self._server)
            )
            async with Client(transport, cache=None) as self._client:
                ready.set_result(None)
                await asyncio.Event().wait()
        except Exception as error:
            if not ready.done():
                ready.set_exception(error)

    def _failure_text(self, error: BaseException) -> str:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        why = self._server.failure or f"{type(error).__name__}: {error}"
        lines = self._server.stderr_tail.strip().splitlines()
        return f"{why} ({lines[-1].strip()[:200]})" if lines and self._server.failure else why


async def _wait_for(future: asyncio.Future[None]) -> None:
    await future


def _tool_fields(tool: types.Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description or "", "schema": tool.input_schema}


def result_text(result: Any) -> str:
    """Joins the texts of a result; parts that are not text are named in square brackets."""
    parts = [_block_text(block) for block in result.content]
    if not any(parts) and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(filter(None, parts)) or "(nothing)"


def _block_text(block: Any) -> str:
    if block.type == "text":
        return str(block.text)
    if block.type == "resource":
        return str(getattr(block.resource, "text", f"[{block.resource.uri}]"))
    if block.type == "resource_link":
        return f"[{block.uri}]"
    return f"[{block.type}, {getattr(block, 'mime_type', 'unknown')}]"


# -- transports ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def pipe_transport(command: list[str], server: ServerHealth) -> AsyncIterator[Any]:
    """Yields streams to a server process, which is in this process's own group and so dies with it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    incoming, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, outgoing_messages = anyio.create_memory_object_stream[SessionMessage](0)
    lines = LineSplitter(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_receive, process.stdout, incoming, lines, server)
        tasks.start_soon(_send, outgoing_messages, process.stdin, lines)
        tasks.start_soon(_collect_errors, process.stderr, server)
        yield read_stream, write_stream
        tasks.cancel_scope.cancel()


class LineSplitter:
    """Splits a server's output into lines, within the limits."""

    def __init__(self, server: ServerHealth) -> None:
        self._server, self._rest, self._flood = server, bytearray(), 0

    def reset_count(self) -> None:
        """Resets the count of bytes after a message of ours."""
        self._flood = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Returns the lines that `chunk` completes. Sets the server's trouble when a limit is exceeded."""
        self._rest += chunk
        self._flood += len(chunk)
        *lines, rest = self._rest.split(b"\n")
        self._rest = bytearray(rest)
        if max(map(len, (*lines, rest))) > LARGEST_MESSAGE:
            self._server.failure = f"the server sent a message of more than {LARGEST_MESSAGE:,} bytes"
        elif self._flood > LARGEST_FLOOD:
            self._server.failure = f"the server sent more than {LARGEST_FLOOD:,} bytes without an answer"
        return [bytes(line) for line in lines]


async def _receive(stdout: asyncio.StreamReader, incoming: Any, lines: LineSplitter, server: ServerHealth) -> None:
    """Sends the server's messages to the session until the server ends or is in trouble; skips lines that are not
    messages."""
    async with incoming:
        while not server.failure:
            chunk = await stdout.read(65536)
            if not chunk:
                server.failure = "the server has ended"
                await asyncio.sleep(0.05)  # so that its standard error arrives
                return
            for line in lines.feed(chunk):
                try:
                    message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:
                    continue
                await incoming.send(SessionMessage(message))


async def _send(outgoing_messages: Any, stdin: asyncio.StreamWriter, lines: LineSplitter) -> None:
    async with outgoing_messages:
        async for outgoing in outgoing_messages:
            text = outgoing.message.model_dump_json(by_alias=True, exclude_unset=True)
            lines.reset_count()
            try:
                stdin.write(text.encode() + b"\n")
                await stdin.drain()
            except OSError:  # it has ended; receiving will report that
                return


async def _collect_errors(stderr: asyncio.StreamReader, server: ServerHealth) -> None:
    while chunk := await stderr.read(4096):
        server.stderr_tail = (server.stderr_tail + chunk.decode(errors="replace"))[-_STDERR_TAIL:]


@asynccontextmanager
async def http_transport(url: str, headers: Mapping[str, str], server: ServerHealth) -> AsyncIterator[Any]:
    """Yields streams over HTTP. No proxy or netrc file is used; the SDK follows redirects within the origin only."""
    timeout = httpx2.Timeout(30.0, read=300.0)
    transport = CappedTransport(server)
    async with (
        httpx2.AsyncClient(headers=dict(headers), timeout=timeout, transport=transport, trust_env=False) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


class CappedTransport(httpx2.AsyncHTTPTransport):
    """HTTP whose responses are neither compressed nor longer than a message may be."""

    def __init__(self, server: ServerHealth) -> None:
        super().__init__(trust_env=False)
        self._server = server

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends a request. Raises ReadError for a compressed response, whose size is unknown before it is unpacked."""
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            self._server.failure = "the server sent a compressed answer, which was not asked for"
            raise httpx2.ReadError(self._server.failure)
        most = LARGEST_MESSAGE if request.method == "POST" else LARGEST_FLOOD
        response.stream = _CappedStream(response.stream, most, self._server)
        return response


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: Any, most: int, server: ServerHealth) -> None:
        self._stream, self._most, self._server = stream, most, server

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._stream:
            seen += len(chunk)
            if seen > self._most:
                self._server.failure = f"the server sent an answer of more than {self._most:,} bytes"
                raise httpx2.ReadError(self._server.failure)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
