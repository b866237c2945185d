"""The Python that programs are run with: how the child is started, what it sees, and which files it has to read."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from autoact.tools.sandbox import inside

_START = "import sys; sys.path.insert(0, sys.argv[1]); from inside import child; child.main()"
DEVICES = ("/dev/null", "/dev/urandom", "/dev/random")
"""Not /dev/zero: a shared mapping of it is memory that no limit counts."""
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/alternatives",
    "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/fonts",
)  # fmt: skip
_CODE = str(Path(inside.__file__).resolve().parent)


def executable() -> str:
    """Python itself, past the links that a virtual environment puts before it."""
    return os.path.realpath(sys.executable)


def command() -> list[str]:
    """Starts the child, isolated and without the site module: path files could run anything before the walls stand."""
    return [executable(), "-I", "-S", "-B", "-X", "utf8", "-W", "ignore", "-c", _START, str(Path(_CODE).parent)]


def packages() -> list[str]:
    """The folders of installed packages; not those that path files add, which may be anyone's work."""
    known = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    return [folder for folder in known if folder in sys.path and Path(folder).is_dir()]


def readable() -> list[str]:
    """What a program may read beside its own folder: the interpreter, its libraries, packages, time zones, fonts."""
    return [*_SYSTEM, str(Path(sys.base_prefix, "lib")), *packages()]


def startup_files() -> list[str]:
    """What the child reads before it shuts itself in, and no more afterwards."""
    return [executable(), _CODE]


def environment(folder: Path) -> dict[str, str]:
    """The whole environment of a program: nothing of ours, so no key."""
    one_thread = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    home = {name: str(folder) for name in ("HOME", "TMPDIR", "MPLCONFIGDIR")}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "MPLBACKEND": "Agg", **home, **one_thread}
