"""MCP servers through the bridge: time to connect, time of a call, and what hostile ones cost.

Run: python tests/benchmarks/bench_bridges.py [FILE]. FILE lists real servers, one a line as JSON:
{"name": "time", "command": ["mcp-server-time"], "calls": {"get_current_time": "UTC"}}. Without it, only the hostile
ones of tests/tools/bridges/server.py are tried.
"""

from __future__ import annotations

import json
import runpy
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from autoact.tools.bridges import mcp
from autoact.tools.catalogue import BRIDGES
from autoact.tools.corpus import Corpus
from autoact.tools.curation import curated
from autoact.tools.library import Library, ToolContext

SERVER = Path(__file__).parents[1] / "tools" / "bridges" / "server.py"
MANNERS = (
    "silent",
    "crashing",
    "endless from the start",
    "endless",
    "huge",
    "flooding",
    "dying",
    "escaping",
)
REPEATED = 20


def main(file: Path | None) -> None:
    """A line of figures for each server."""
    for line in file.read_text().splitlines() if file else ():
        told = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            real(Path(folder), told["name"], told["command"], told["calls"])
    for manner in MANNERS:
        with tempfile.TemporaryDirectory() as folder:
            hostile(Path(folder), manner)


def real(root: Path, name: str, command: list[str], calls: dict[str, str]) -> None:
    """Connect, then make each call, the first with the server's start."""
    write(root, name, command, timeout_s=60)
    began = time.perf_counter()
    tools = mcp.connect(context(root), curated(root / "tools.toml", [], BRIDGES)[0])
    connected = time.perf_counter() - began
    library = Library.load(root / "tools.toml", context(root))
    session = library.session()
    print(f"{name}: connected in {connected:.2f} s, {len(tools)} tools")
    for tool, argument in calls.items():
        seen = [session.call(f"{name}.{tool}", argument) for _ in range(REPEATED)]
        later = statistics.median(one.ms for one in seen[1:])
        print(f"  {tool}: first {seen[0].ms:.0f} ms, then p50 {later:.1f} ms; failed {sum(one.failed for one in seen)}"
              f" of {REPEATED}; {seen[0].text[:70]!r}")  # fmt: skip
    library.close()


def hostile(root: Path, manner: str) -> None:
    """One call that such a server spoils."""
    write(root, "own", [sys.executable, str(SERVER), manner], timeout_s=40, connect_s=5 if manner == "silent" else 60)
    described = mcp.described_in(root, "own")
    described.parent.mkdir()
    tools = runpy.run_path(str(SERVER))["TOOLS"]
    kept = [mcp.Described(tool["name"], tool["description"], tool["inputSchema"]) for tool in tools]
    described.write_bytes(msgspec.json.encode(kept))
    library = Library.load(root / "tools.toml", context(root))
    seen = library.session().call("own.say", "hello")
    acts = sum(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in seen.text)
    print(f"{manner}: {seen.ms / 1000:.2f} s, {acts} control characters, {seen.text!r}")
    library.close()


def write(root: Path, name: str, command: list[str], **settings: float) -> None:
    """A tools.toml with one server."""
    told = "".join(f", {key} = {value}" for key, value in settings.items())
    (root / "tools.toml").write_text(
        f'[[tool]]\nname = "{name}"\nkind = "mcp"\nsettings = {{command = {json.dumps(command)}{told}}}\n'
    )


def context(root: Path) -> ToolContext:
    return ToolContext(Corpus.of_pages(()), root=root)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
