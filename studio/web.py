"""Serves the studio to a browser on this machine: on the loopback address only, protected by a token."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from autoact.files import disk
from autoact.security import child_process

HOST = "127.0.0.1"
PAGE = Path(__file__).with_name("web_page.html")
COLUMNS, LETTER = 60, 0.61
"""Columns that the page has at least where its letters can be small enough; the width of a letter of size 1."""
SMALLEST, LARGEST = 8, 16
"""Sizes of letters in pixels."""
LEAVING = 3.0
"""Seconds to wait for the place of a visitor who is leaving, such as one who loads the page again."""
BUSY = "Somebody is using this studio. `studio --web --visitors 2` lets two in."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LoopbackServer(Server):
    """Refuses requests without the token, requests from pages of other sites, and more visitors than allowed.

    The token is the first part of every path. A cookie would also be sent to other servers on this address, as browsers
    share cookies between ports. The page may load nothing from any other host.
    """

    def __init__(self, where: str | None, port: int, visitors: int = 1):
        command = child_process.python_command("-m", "studio", *([where] if where else []))
        super().__init__(shlex.join(command), host=HOST, port=port, title="AutoAct Studio")
        self.token = secrets.token_urlsafe(24)
        self.visitors = visitors
        """The most visitors at the same time; each has a studio of their own."""
        self._places = asyncio.Semaphore(visitors)

    @property
    def link(self) -> str:
        """The address of the studio, with the token."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    async def handle_index(self, request: web.Request) -> web.Response:
        """Returns the page."""
        async with self._take_place():
            pass  # the websocket takes it
        nonce = secrets.token_urlsafe(12)
        text = Template(PAGE.read_text(encoding="utf-8")).substitute(
            static=f"/{self.token}/static/", websocket=f"ws://{HOST}:{self.port}/{self.token}/ws", nonce=nonce,
            columns=COLUMNS, letter=LETTER, smallest=SMALLEST, largest=LARGEST,
        )  # fmt: skip
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
            f"img-src 'self' data:; script-src 'self' 'nonce-{nonce}'; connect-src ws://{HOST}:{self.port}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",  # the address has the token
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Runs a studio for a visitor until the browser leaves."""
        async with self._take_place():
            return await super().handle_websocket(request)

    @asynccontextmanager
    async def _take_place(self) -> AsyncIterator[None]:
        """Takes a visitor's place. Raises HTTPConflict when all are taken and none becomes free soon."""
        try:
            async with asyncio.timeout(LEAVING):
                await self._places.acquire()
        except TimeoutError as error:
            raise web.HTTPConflict(text=BUSY) from error
        try:
            yield
        finally:
            self._places.release()

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.add_subapp(f"/{self.token}", await super()._make_app())
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        here = f"{HOST}:{self.port}"
        origin = request.headers.get("Origin")
        if request.host != here or (origin is not None and urlsplit(origin).netloc != here):
            raise web.HTTPForbidden(text="This studio is for this machine.")
        token = request.path.split("/")[1]
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            raise web.HTTPForbidden(text="Open the link that `studio --web` printed.")
        return await handler(request)


def serve(where: str | None, port: int, visitors: int = 1) -> None:
    """Prints the link and serves until ctrl-C. Changes the working folder of this process."""
    if where and (path := disk.expand_user(where)).exists():
        where = str(path.absolute())
    os.environ |= child_process.environment()  # textual-serve starts the studio with this environment
    os.chdir(child_process.FOLDER)  # and in this folder
    server = LoopbackServer(where, port, visitors)
    print(f"The studio is at {server.link}  (ctrl-C ends it; runs go on)", flush=True)
    server.serve()
