"""Landlock: limits the files that a process can reach, set by the process itself and never taken back.

Each version of the kernel's interface guards more; rights that a kernel does not know are left out, and its version
is reported.
"""

from __future__ import annotations

import os
import stat
import struct
import sys

from . import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_FOLDER, _REMOVE_FILE, _MAKE_FOLDER, _MAKE_FILE = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_MOVE, _TRUNCATE, _DEVICE_COMMAND, _REACH_SOCKET = 1 << 13, 1 << 14, 1 << 15, 1 << 16
_FIRST_VERSION = (1 << 13) - 1
_LATER = {2: _MOVE, 3: _TRUNCATE, 5: _DEVICE_COMMAND, 9: _REACH_SOCKET}
"""Rights over files that each version added."""
_TCP_BIND_AND_CONNECT = 0b11
_OUTSIDE_SOCKETS_AND_SIGNALS = 0b11

READ = _READ_FILE | _READ_FOLDER
USE_DEVICE = _READ_FILE | _WRITE_FILE
OWN = (
    READ | _WRITE_FILE | _REMOVE_FOLDER | _REMOVE_FILE | _MAKE_FOLDER | _MAKE_FILE | _MOVE | _TRUNCATE
)  # no links, sockets, pipes or devices, and nothing to execute
_OF_FILES = _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE | _DEVICE_COMMAND


def version() -> int:
    """Returns the version of the kernel's interface; 0 where there is no Landlock, or it is switched off."""
    if sys.platform != "linux":
        return 0
    try:
        return kernel.system_call(_CREATE_RULESET, 0, 0, _ASK_VERSION)
    except OSError:
        return 0


def restrict(readable: list[str], devices: list[str], own: str) -> None:
    """Leaves this process `readable` to read, `devices` to read and write, and the folder `own` to work in.

    Paths that do not exist are skipped. Needs no_new_privs; raises OSError when nothing was restricted.
    """
    offered = version()
    rights = _handled(offered)
    attributes = _attributes(offered, rights)
    rules = kernel.system_call(_CREATE_RULESET, attributes, len(attributes), 0)
    for path in readable:
        _allow(rules, path, READ & rights)
    for path in devices:
        _allow(rules, path, USE_DEVICE & rights)
    _allow(rules, own, OWN & rights)
    kernel.system_call(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _handled(offered: int) -> int:
    rights = _FIRST_VERSION
    for since, added in _LATER.items():
        if offered >= since:
            rights |= added
    return rights


def _attributes(offered: int, rights: int) -> bytes:
    """Returns struct landlock_ruleset_attr, as long as this version of the kernel knows it."""
    if offered >= 6:
        return struct.pack("=QQQ", rights, _TCP_BIND_AND_CONNECT, _OUTSIDE_SOCKETS_AND_SIGNALS)
    if offered >= 4:
        return struct.pack("=QQ", rights, _TCP_BIND_AND_CONNECT)
    return struct.pack("=Q", rights)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        kernel.system_call(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
