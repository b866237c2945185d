"""MCP servers through the bridge: what hostile ones cost us, and how real ones fare, each in a table.

Run: python tests/benchmarks/bench_bridges.py [FILE]. FILE lists real servers, one a line as JSON:
{"name": "time", "command": ["mcp-server-time"], "calls": {"get_current_time": "UTC"}}. Without it, only the hostile
ones of tests/tools/bridges/server.py are tried.
"""

from __future__ import annotations

import json
import os
import runpy
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from autoact.errors import BadProject
from autoact.script import Observation
from autoact.tools.bridges import mcp
from autoact.tools.library.catalogue import BRIDGES
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.library.tools_toml import read_enabled_tools
from autoact.tools.pages.corpus import Corpus

SERVER = Path(__file__).parents[1] / "tools" / "bridges" / "server.py"
AT_START = {"silent": 5.0, "crashing": 60.0, "endless from the start": 60.0, "many tools": 60.0, "endless list": 60.0}
"""Manners that spoil the handshake or the list of tools, with the seconds that connecting may take."""
IN_CALL = (
    "hanging", "stubborn", "dripping", "misaddressed", "spawning", "complaining", "endless", "huge", "flooding",
    "nested", "scrambled", "dying", "turned", "escaping", "asking", "chatty", "detached",
)  # fmt: skip
CALL_S = 5.0
"""Seconds that a call may take."""
REPEATED = 20
MARK = "AUTOACT_BENCHMARK"


def main(file: Path | None) -> None:
    """The hostile servers, then the real ones."""
    print(f"Hostile servers; a call may take {CALL_S:g} s. MB: how far our process grew, and the largest it started.")
    print(f"{'SERVER':<24}{'SECONDS':>8}{'OURS MB':>9}{'CHILD MB':>10}{'LEFT':>6}  WHAT CAME BACK")
    for manner in (*AT_START, *IN_CALL):
        with tempfile.TemporaryDirectory() as folder:
            hostile(Path(folder), manner)
    if file:
        print(f"\nReal servers; p50 of {REPEATED - 1} calls after the first.")
        print(
            f"{'SERVER':<12}{'CONNECT S':>10}{'TOOLS':>6}  {'CALL':<20}{'FIRST MS':>9}{'P50 MS':>8}{'FAILED':>7}  SAID"
        )
    for line in file.read_text().splitlines() if file else ():
        told = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            real(Path(folder), told["name"], told["command"], told["calls"])


def hostile(root: Path, manner: str) -> None:
    """One call that such a server spoils, and what is left of it when the library is closed."""
    command = [sys.executable, str(SERVER), manner, str(root)]
    write(root, "own", command, timeout_s=CALL_S, connect_s=AT_START.get(manner, 60.0), marked=True)
    described = mcp.descriptions_file(root, "own")
    described.parent.mkdir()
    server = runpy.run_path(str(SERVER))
    tools = server["TOOLS"] if manner in ("turned", *AT_START) else server["tools"](manner)
    kept = [mcp.ToolDescription(tool["name"], tool.get("description", ""), tool["inputSchema"]) for tool in tools]
    described.write_bytes(msgspec.json.encode(kept))
    library = Library.load(root / "tools.toml", context(root))
    session = library.session()
    for _ in range(20 if manner not in AT_START else 0):  # it is up when its time is taken
        if "PATH" in session.call("own.environment", "x").text:
            break
    with watched(root) as memory:
        seen = session.call("own.say", "hello")
    library.close()
    time.sleep(0.5)  # those that are killed are buried by others
    print(
        f"{manner:<24}{seen.ms / 1000:>8.2f}{memory['ours']:>9.1f}{memory['child']:>10.1f}{len(marked(root)):>6}"
        f"  {told(seen)}"
    )


def real(root: Path, name: str, command: list[str], calls: dict[str, str]) -> None:
    """Connect, then make each call, the first with the server's start."""
    write(root, name, command, timeout_s=60, connect_s=120)
    began = time.perf_counter()
    try:
        tools = mcp.connect(context(root), read_enabled_tools(root / "tools.toml", [], BRIDGES)[0])
    except BadProject as error:
        print(f"{name:<12}{error}")
        return
    connected = time.perf_counter() - began
    library = Library.load(root / "tools.toml", context(root))
    session = library.session()
    for tool, argument in calls.items():
        seen = [session.call(f"{name}.{tool}", argument) for _ in range(REPEATED)]
        later = statistics.median(one.ms for one in seen[1:])
        print(
            f"{name:<12}{connected:>10.2f}{len(tools):>6}  {tool:<20}{seen[0].ms:>9.0f}{later:>8.1f}"
            f"{sum(one.failed for one in seen):>7}  {told(seen[0])}"
        )
    library.close()


def told(seen: Observation) -> str:
    """An observation, and how much of it a terminal would act upon."""
    acts = sum(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in seen.text)
    return f"{seen.text[:90]!r}{f' with {acts} CONTROL CHARACTERS' if acts else ''}"


# -- memory and processes --------------------------------------------------------------------------------------------


@contextmanager
def watched(root: Path) -> Iterator[dict[str, float]]:
    """MB by which the peak of our process rises, and the peak of the largest one that was started."""
    found = {"ours": 0.0, "child": 0.0}
    over = threading.Event()

    def look() -> None:
        found["child"] = max([found["child"], *(peak_mb(pid) for pid in marked(root))])

    def keep_looking() -> None:
        while not over.wait(0.05):
            look()

    look()
    looking = threading.Thread(target=keep_looking)
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak is counted anew
    before = peak_mb(os.getpid())
    looking.start()
    try:
        yield found
    finally:
        over.set()
        looking.join()
        found["ours"] = peak_mb(os.getpid()) - before


def marked(root: Path) -> list[int]:
    """Living processes with this folder in their environment: the worker, the server, and whatever those started."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            alive = (place / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
            if alive and f"{MARK}={root}".encode() in (place / "environ").read_bytes():
                found.append(int(place.name))
    return found


def peak_mb(pid: int) -> float:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000
    return 0.0


def write(
    root: Path, name: str, command: list[str], *, timeout_s: float, connect_s: float, marked: bool = False
) -> None:
    """A tools.toml with one server."""
    mark = f", environment = {{{MARK} = {json.dumps(str(root))}}}" if marked else ""
    settings = f"command = {json.dumps(command)}, timeout_s = {timeout_s}, connect_s = {connect_s}{mark}"
    (root / "tools.toml").write_text(f'[[tool]]\nname = "{name}"\nkind = "mcp"\nsettings = {{{settings}}}\n')


def context(root: Path) -> ToolContext:
    return ToolContext(Corpus.of_pages(()), root=root)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
