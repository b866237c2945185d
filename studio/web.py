"""The studio in a browser of this machine: on the loopback address only, and only for who has the link."""

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
    """Turns away who does not hold the token, and pages of other sites that a browser on this machine shows.

    The token is the first part of every path. A cookie would be sent to whatever else listens on this address, as
    browsers do not keep the cookies of ports apart.
    """

    def __init__(self, where: str | None, port: int):
        command = child_process.python_command("-m", "studio", *([where] if where else []))
        super().__init__(shlex.join(command), host=HOST, port=port, title="AutoAct Studio")
        self.token = secrets.token_urlsafe(24)

    @property
    def link(self) -> str:
        """Where the studio is found, with the token."""
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
        given = request.path.split("/")[1]
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            raise web.HTTPForbidden(text="Open the link that `studio --web` printed.")
        return await handler(request)


def serve(where: str | None, port: int) -> None:
    """Serves until ctrl-C, and prints the link. From then on the working folder of this process is another."""
    if where and (path := Path(where).expanduser()).exists():
        where = str(path.absolute())
    os.environ |= child_process.environment()  # textual-serve starts the studio in the environment and folder
    os.chdir(child_process.FOLDER)  # that it finds here
    server = LoopbackServer(where, port)
    print(f"The studio is at {server.link}  (ctrl-C ends it; runs go on)", flush=True)
    server.serve()
