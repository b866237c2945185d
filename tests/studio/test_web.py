"""The studio in a browser: for who has the link, on this machine, and for no one else."""

from __future__ import annotations

import pytest

pytest.importorskip("textual_serve")

from aiohttp.test_utils import TestClient, TestServer  # noqa: E402 - only where it is installed

from studio.web import HOST, LoopbackServer  # noqa: E402


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
    async with TestClient(TestServer(await server._make_app(), host=HOST)) as client:
        assert client.port is not None
        server.port = client.port
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
    async with TestClient(TestServer(await server._make_app(), host=HOST)) as client:
        assert client.port is not None
        server.port = client.port
        assert (await client.get(f"/{server.token}/")).status == 200
        assert list(client.session.cookie_jar) == []


def test_it_runs_the_studio_and_names_the_loopback_address() -> None:
    server = LoopbackServer("a b", 8123)
    assert server.command.endswith("-m studio 'a b'")
    assert server.link == f"http://127.0.0.1:8123/{server.token}/"
