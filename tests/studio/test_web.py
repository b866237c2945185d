"""The studio in a browser: for who has the link, on this machine, and for no one else."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("textual_serve")

from aiohttp import ClientSession, ClientWebSocketResponse, WSServerHandshakeError  # noqa: E402 - only where installed
from aiohttp.test_utils import TestClient, TestServer  # noqa: E402
from textual_serve.app_service import AppService  # noqa: E402

from studio import web  # noqa: E402
from studio.web import HOST, LoopbackServer  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def served(server: LoopbackServer) -> AsyncIterator[TestClient[Any, Any]]:
    """Serves until the test has ended, and then waits for the studios, which textual-serve does not."""
    started: list[asyncio.subprocess.Process] = []
    start = AppService._open_app_process

    async def keep(service: AppService, width: int, height: int) -> asyncio.subprocess.Process:
        started.append(await start(service, width, height))
        return started[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AppService, "_open_app_process", keep)
        async with serve(server) as client:
            yield client
        async with asyncio.timeout(60):
            for one in started:
                await one.wait()


@asynccontextmanager
async def serve(server: LoopbackServer) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(await server._make_app(), host=HOST)) as client:
        assert client.port is not None
        server.port = client.port
        yield client


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (True, {}, 200),
        (False, {}, 403),
        (True, {"Host": "evil.example"}, 403),
        (True, {"Origin": "https://evil.example"}, 403),
    ],
)
async def test_only_the_link_opens_it(token: bool, headers: dict[str, str], status: int) -> None:
    server = LoopbackServer(None, 0)
    async with served(server) as client:
        root = f"/{server.token}/" if token else "/"
        response = await client.get(root, headers=headers)
        assert response.status == status
        if status == 200:
            assert (await client.get(f"{root}static/css/xterm.css")).status == 200
            assert (await client.get("/static/css/xterm.css")).status == 403
            assert f"/{server.token}/ws" in await response.text()


async def test_the_token_is_in_no_cookie() -> None:
    """A browser sends the cookies of one port of an address to all others."""
    server = LoopbackServer(None, 0)
    async with served(server) as client:
        assert (await client.get(f"/{server.token}/")).status == 200
        assert list(client.session.cookie_jar) == []


def test_it_runs_the_studio_and_names_the_loopback_address() -> None:
    server = LoopbackServer("a b", 8123)
    assert server.command.endswith("-m studio 'a b'")
    assert server.link == f"http://127.0.0.1:8123/{server.token}/"


async def test_one_visitor_at_a_time_unless_more_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LEAVING", 0.2)
    server = LoopbackServer(None, 0, visitors=2)
    server.command = "sh -c 'echo __GANGLION__; head -c 1'"  # ends when it is told anything
    async with served(server) as client:
        root = f"/{server.token}/"
        first = await client.ws_connect(f"{root}ws")
        second = await client.ws_connect(f"{root}ws")
        page = await client.get(root)
        assert (page.status, await page.text()) == (409, web.BUSY)
        with pytest.raises(WSServerHandshakeError):
            await client.ws_connect(f"{root}ws")
        await first.close()
        monkeypatch.setattr(web, "LEAVING", 20.0)
        assert (await client.get(root)).status == 200
        await second.close()


class Browser:
    """A page in headless Chromium, spoken to over its debugging protocol."""

    def __init__(self, socket: ClientWebSocketResponse):
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.sent = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Returns the result of a command; keeps the events that come before it."""
        self.sent += 1
        await self.socket.send_json({"id": self.sent, "method": method, "params": parameters})
        while True:
            message = await self.socket.receive_json(timeout=60)
            if message.get("id") == self.sent:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def value(self, expression: str) -> Any:
        return (await self.call("Runtime.evaluate", expression=expression))["result"].get("value")

    async def until(self, expression: str) -> None:
        for _ in range(600):
            if await self.value(expression):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"never came to {expression}: {await self.value('document.body.innerText')}")

    def of(self, method: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") == method]


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--no-first-run", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(120):
            while "DevTools listening on" not in (line := (await process.stderr.readline()).decode()):
                assert line, "Chromium has ended"
        port = urlsplit(line.split()[-1]).port
        async with ClientSession() as session:
            async with session.get(f"http://{HOST}:{port}/json") as reply:
                page = next(one for one in await reply.json() if one["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Browser(socket)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)], ids=["phone", "desk"])
async def test_in_a_browser(tmp_path: Path, width: int, height: int) -> None:
    """The page shows the studio, wide enough on a phone, and asks no other host for anything."""
    server = LoopbackServer(str(tmp_path), 0)
    async with served(server), browser(tmp_path / "chromium") as page:
        for domain in ("Network", "Page", "Log", "Runtime"):
            await page.call(f"{domain}.enable")
        await page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        await page.call("Page.navigate", url=server.link)
        await page.until("document.body.classList.contains('-first-byte')")
        asked = [request["request"]["url"] for request in page.of("Network.requestWillBeSent")]
        (socket,) = (urlsplit(one["url"]) for one in page.of("Network.webSocketCreated"))
        hosts = {urlsplit(url).netloc for url in asked if not url.startswith("data:")} | {socket.netloc}
        assert hosts == {f"{HOST}:{server.port}"}
        assert any(url.endswith("RobotoMono-VariableFont_wght.ttf") for url in asked)
        assert await page.value("document.fonts.check('16px \\'Roboto Mono\\'')")
        columns = int(parse_qs(socket.query)["width"][0])
        assert columns >= 60
        assert await page.value("document.documentElement.scrollWidth <= window.innerWidth")
        refused = [one["entry"]["text"] for one in page.of("Log.entryAdded") if one["entry"]["level"] == "error"]
        assert refused == [], json.dumps(refused)
