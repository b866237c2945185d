"""The filter of system calls: its table agrees with the kernel's, and its answers are those the table says."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from autoact.tools.sandbox.inside import calls, seccomp

ALLOW, ANSWER, KILL = 0x7FFF0000, 0x00050000, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
TABLES = (calls.ALLOWED, calls.WEIGHED, calls.IGNORED, calls.FORBIDDEN, calls.ATTRIBUTES)
OWN = 4242
"""The process the filter is for."""


def answer(code: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the filter answers, worked out as the kernel would."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(arguments + (0,) * 6)[:6])
    program = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at = held = 0
    while True:
        kind, if_true, if_false, value = program[at]
        at += 1
        if kind == 0x20:
            (held,) = struct.unpack_from("=I", data, value)
        elif kind == 0x54:
            held &= value
        elif kind == 0x15:
            at += if_true if held == value else if_false
        else:
            assert kind == 0x06
            return value


@pytest.fixture(params=calls.PROCESSORS)
def processor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(processor: str, name: str, *arguments: int) -> int:
    table = {name: number for table in TABLES for name, number in calls.numbers(table, processor).items()}
    return answer(seccomp.program(processor, OWN), ARCHITECTURES[processor], table[name], *arguments)


def test_numbers_are_the_kernels(processor: str) -> None:
    if not HEADERS[processor].exists():
        pytest.skip("linux-libc-dev is not installed")
    pattern = re.compile(r"#define __NR(?:3264)?_(\w+)\s+(\d+)")
    real = {name: int(number) for name, number in pattern.findall(HEADERS[processor].read_text())}
    for table in TABLES:
        for name, number in calls.numbers(table, processor).items():
            generic = {"newfstatat": "fstatat"}.get(name, name)
            if name in real or generic in real:
                assert number == real.get(name, real.get(generic)), name


def test_no_number_has_two_answers(processor: str) -> None:
    numbers = [number for table in TABLES for number in calls.numbers(table, processor).values()]
    assert len(numbers) == len(set(numbers))


def test_answers(processor: str) -> None:
    assert ask(processor, "read") == ALLOW
    assert ask(processor, "fchmodat") == ANSWER
    assert ask(processor, "execve") == ANSWER | errno.EPERM
    assert ask(processor, "socket") == ANSWER | errno.EPERM
    assert ask(processor, "fsetxattr") == ANSWER | errno.ENOTSUP


@pytest.mark.parametrize("number", [425, 435, 437, 1000, 0x40000000, 0x40000001, 0xFFFFFFFF])
def test_what_no_table_has_is_not_there(processor: str, number: int) -> None:
    code = seccomp.program(processor, OWN)
    assert answer(code, ARCHITECTURES[processor], number) == ANSWER | errno.ENOSYS


@pytest.mark.parametrize("architecture", [0x40000003, 0x40000028, 0])
def test_calls_of_another_architecture_end_the_process(processor: str, architecture: int) -> None:
    assert answer(seccomp.program(processor, OWN), architecture, 1) == KILL


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("clone", (0x003D0F00,), (17,)),
        ("clone", (0x00010400,), (0x00010400 | 0x10000000,)),
        ("clone", (0x003D0F00,), (0x003D0B00,)),
        ("close_range", (3, 9, 4), (3, 9, 2)),
        ("mmap", (0, 9, 3, 0x22), (0, 9, 3, 0x21)),
        ("mmap", (0, 9, 3, 0x01), (0, 9, 3, 0x23)),
        ("kill", (OWN, 9), (1, 9)),
        ("kill", (OWN, 0), (2**32 - 1, 9)),
        ("tgkill", (OWN, 7, 10), (OWN - 1, 7, 10)),
        ("fcntl", (3, 4), (3, 8)),
        ("fcntl", (3, 1030), (3, 10)),
        ("ioctl", (1, 0x5401), (1, 0x5412)),
        ("prctl", (15,), (22,)),
        ("prlimit64", (0, 7, 0), (0, 7, 2**40)),
        ("prlimit64", (0, 7, 0), (1, 7, 0)),
        ("socketpair", (1, 1 | 0x80000), (1, 2)),
        ("socketpair", (1, 1), (2, 1)),
        ("sendto", (3, 5, 1, 0, 0), (3, 5, 1, 0, 2**33)),
    ],
)
def test_arguments_are_weighed(processor: str, name: str, good: tuple[int, ...], bad: tuple[int, ...]) -> None:
    assert ask(processor, name, *good) == ALLOW
    assert ask(processor, name, *bad) == ANSWER | errno.EPERM
