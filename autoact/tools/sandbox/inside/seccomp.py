"""seccomp: a filter in the kernel that allows the system calls of computing and answers the others itself."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from . import calls, kernel

_AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_MODE_FILTER = 2

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_JUMP_IF_EQUAL = 0x15
_ALLOW, _ANSWER, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
"""Offsets in struct seccomp_data; each argument takes eight bytes, the lower half first."""

_THREAD = 0x00010400
"""CLONE_THREAD and CLONE_FILES: a thread with descriptors of its own would have a limit on open files of its own."""
_NEW_NAMESPACES = 0x7E020000
_TRACED = 0x00802000
_OWN_DESCRIPTORS = 2  # CLOSE_RANGE_UNSHARE, another way to get them
_SHARED, _PRIVATE, _VALIDATED, _ANONYMOUS = 1, 2, 3, 0x20
_KINDS_OF_MEMORY = (_PRIVATE, _PRIVATE | _ANONYMOUS, _SHARED, _VALIDATED)
"""Allowed kinds of mapping. Shared anonymous ones are not among them: all of one stays while a page is mapped, and
no limit counts it."""
_MEMORY_MASK = 0x2F
_WHOLE = 0xFFFFFFFF
_SOCKET_FLAGS = 0x00080800  # close-on-exec, non-blocking
_UNIX, _STREAM = 1, 1
_NAME_THREAD, _THREAD_NAME = 15, 16
_FILE_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)
"""Duplicate, flags and locks; not the owner of a file's signals, a way to send any signal to any process."""
_DEVICE_COMMANDS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal, its size, bytes waiting, non-blocking, close-on-exec; not typing into a terminal."""


def is_supported() -> bool:
    """Returns whether this processor has a table of calls, and the kernel has filters."""
    machine = os.uname().machine
    known = sys.platform == "linux" and machine in _AUDIT_ARCHITECTURES and sys.maxsize > 2**32
    if not known:
        return False
    try:
        # A filter at address zero: a kernel with filters answers that it cannot read it.
        kernel.set_process_option(kernel.PR_SET_SECCOMP, _MODE_FILTER, 0)
    except OSError as error:
        return error.errno == errno.EFAULT
    return False


def install() -> None:
    """Installs the filter for this process and its children. Needs no_new_privs; raises OSError."""
    code = program(os.uname().machine, os.getpid())
    text = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(text)))
    kernel.set_process_option(kernel.PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(header))


def program(processor: str, process: int) -> bytes:
    """Returns the filter in the kernel's format for `processor`, for the process of this id."""
    weighed = calls.numbers(calls.WEIGHED, processor)
    answers = [
        *((number, _ALLOW) for number in calls.numbers(calls.ALLOWED, processor).values()),
        *((number, _ANSWER) for number in calls.numbers(calls.IGNORED, processor).values()),
        *((number, _ANSWER | errno.EPERM) for number in calls.numbers(calls.FORBIDDEN, processor).values()),
        *((number, _ANSWER | errno.ENOTSUP) for number in calls.numbers(calls.ATTRIBUTES, processor).values()),
    ]
    code = _load(_ARCHITECTURE_AT) + _jump(_AUDIT_ARCHITECTURES[processor], 1, 0) + _answer(_KILL) + _load(_NUMBER_AT)
    for number, answer in answers:
        code += _jump(number, 0, 1) + _answer(answer)
    for name, tests in _tests(process).items():
        block = b"".join(tests) + _answer(_ALLOW)
        code += _jump(weighed[name], 0, len(block) // 8) + block
    # Python's threads and the C library fall back to older calls when a newer one is not there.
    return code + _answer(_ANSWER | errno.ENOSYS)


def _tests(process: int) -> dict[str, tuple[bytes, ...]]:
    """Returns the tests of the arguments of each weighed call."""
    return {
        "clone": (_among(0, (_THREAD,), mask=_THREAD | _NEW_NAMESPACES | _TRACED),),
        "kill": (_among(0, (process,)),),
        "tgkill": (_among(0, (process,)),),
        "fcntl": (_among(1, _FILE_COMMANDS),),
        "ioctl": (_among(1, _DEVICE_COMMANDS),),
        "prctl": (_among(0, (_NAME_THREAD, _THREAD_NAME)),),
        "prlimit64": (_among(0, (0,)), *_absent(2)),
        # Streams only: a datagram socket of a pair can still be sent from to any address.
        "socketpair": (_among(0, (_UNIX,)), _among(1, (_STREAM,), mask=_WHOLE ^ _SOCKET_FLAGS)),
        "sendto": _absent(4),
        "close_range": (_among(2, (0,), mask=_OWN_DESCRIPTORS),),
        "mmap": (_among(3, _KINDS_OF_MEMORY, mask=_MEMORY_MASK),),
    }


def _among(argument: int, values: tuple[int, ...], mask: int = _WHOLE, half: int = 0) -> bytes:
    """Continues when the lower half of the argument, masked, is one of `values`; else answers `not permitted`."""
    code = _load(_ARGUMENTS_AT + 8 * argument + 4 * half)
    if mask != _WHOLE:
        code += _instruction(_AND, mask)
    for at, value in enumerate(values):
        code += _jump(value, len(values) - at, 0)
    return code + _answer(_ANSWER | errno.EPERM)


def _absent(argument: int) -> tuple[bytes, bytes]:
    """Continues when the pointer is null in both halves."""
    return _among(argument, (0,)), _among(argument, (0,), half=1)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _jump(value: int, if_equal: int, if_not: int) -> bytes:
    return _instruction(_JUMP_IF_EQUAL, value, if_equal, if_not)


def _answer(action: int) -> bytes:
    return _instruction(_RETURN, action)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
