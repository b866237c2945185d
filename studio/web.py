"""Serves the studio to a browser on this machine: on the loopback address only, protected by a token."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from autoact.security import child_process

HOST = "127.0.0.1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LoopbackServer(Server):
    """Refuses requests without the token, and requests from pages of other sites.

    The token is the first part of every path. A cookie would also be sent to other servers on this address, as browsers
    share cookies between ports.
    """

    def __init__(self, where: str | None, port: int):
        command = child_process.python_command("-m", "studio", *([where] if where else []))
        super().__init__(shlex.join(command), host=HOST, port=port, title="AutoAct Studio")
        self.token = secrets.token_urlsafe(24)

    @property
    def link(self) -> str:
        """The address of the studio, with the token."""
        return f"http://{HOST}:{self.port}/{self.token}/"

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


def serve(where: str | None, port: int) -> None:
    """Prints the link and serves until ctrl-C. Changes the working folder of this process."""
    if where and (path := Path(where).expanduser()).exists():
        where = str(path.absolute())
    os.environ |= child_process.environment()  # textual-serve starts the studio with this environment
    os.chdir(child_process.FOLDER)  # and in this folder
    server = LoopbackServer(where, port)
    print(f"The studio is at {server.link}  (ctrl-C ends it; runs go on)", flush=True)
    server.serve()
