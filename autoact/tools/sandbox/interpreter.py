"""The Python that runs programs: its command line, its environment, and the files it needs to read."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from autoact.tools.sandbox import inside

_START = "import sys; sys.path.insert(0, sys.argv[1]); from inside import child; child.main()"
DEVICES = ("/dev/null", "/dev/urandom", "/dev/random")
"""Without /dev/zero: a shared mapping of it is memory that no limit counts."""
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/alternatives",
    "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/fonts",
)  # fmt: skip
_CODE = str(Path(inside.__file__).resolve().parent)


def executable() -> str:
    """Returns the path of Python itself, past the links of a virtual environment."""
    return os.path.realpath(sys.executable)


def command() -> list[str]:
    """Returns the command that starts the child, isolated and without the site module: path files could run code
    before the child is confined."""
    return [executable(), "-I", "-S", "-B", "-X", "utf8", "-W", "ignore", "-c", _START, str(Path(_CODE).parent)]


def packages() -> list[str]:
    """Returns the folders of installed packages, without those that path files add, which may be anyone's work."""
    known = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    return [folder for folder in known if folder in sys.path and Path(folder).is_dir()]


def readable() -> list[str]:
    """Returns the paths that a program may read beside its own folder: interpreter, libraries, packages, time zones,
    fonts."""
    return [*_SYSTEM, str(Path(sys.base_prefix, "lib")), *packages()]


def startup_files() -> list[str]:
    """Returns the paths that the child reads before it confines itself, and may not read afterwards."""
    return [executable(), _CODE]


def environment(folder: Path) -> dict[str, str]:
    """Returns the whole environment of a program: nothing of this process, so no key."""
    one_thread = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    home = {name: str(folder) for name in ("HOME", "TMPDIR", "MPLCONFIGDIR")}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "MPLBACKEND": "Agg", **home, **one_thread}
