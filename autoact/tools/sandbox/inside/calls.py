"""The system calls that seccomp allows, and the answers to the others, for two kinds of processor.

Each call is written as its name and its numbers on x86_64 and aarch64, with a dash where there is none.
"""

from __future__ import annotations

PROCESSORS = ("x86_64", "aarch64")

ALLOWED = """
read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69, pwritev 296 70,
lseek 8 62, open 2 -, openat 257 56, creat 85 -, close 3 57, dup 32 23, dup2 33 -, dup3 292 24,
pipe 22 -, pipe2 293 59, stat 4 -, fstat 5 80, lstat 6 -, newfstatat 262 79, statx 332 291, access 21 -,
faccessat 269 48, faccessat2 439 439, readlink 89 -, readlinkat 267 78, getdents 78 -, getdents64 217 61,
statfs 137 43, fstatfs 138 44, getcwd 79 17, chdir 80 49, fchdir 81 50, umask 95 166, rename 82 -, renameat 264 38,
renameat2 316 276, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, truncate 76 45,
ftruncate 77 46, fsync 74 82, fdatasync 75 83, flock 73 32, sendfile 40 71, copy_file_range 326 285,
fadvise64 221 223,
mprotect 10 226, munmap 11 215, mremap 25 216, madvise 28 233, brk 12 214, membarrier 324 283,
mincore 27 232, msync 26 227,
poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create 213 -, epoll_create1 291 20, epoll_ctl 233 21,
epoll_wait 232 -, epoll_pwait 281 22, epoll_pwait2 441 441, eventfd2 290 19,
recvfrom 45 207, shutdown 48 210, getsockname 51 204, getpeername 52 205, getsockopt 55 209,
futex 202 98, set_robust_list 273 99, get_robust_list 274 100, rseq 334 293, set_tid_address 218 96,
sched_yield 24 124, sched_getaffinity 204 123, gettid 186 178, getcpu 309 168, exit 60 93, exit_group 231 94,
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136, rt_sigtimedwait 128 137,
rt_sigsuspend 130 133, sigaltstack 131 132, pause 34 -, alarm 37 -, setitimer 38 103, getitimer 36 102,
restart_syscall 219 128, timer_create 222 107, timer_settime 223 110, timer_gettime 224 108,
timer_getoverrun 225 109, timer_delete 226 111, wait4 61 260, waitid 247 95,
nanosleep 35 101, clock_nanosleep 230 115, clock_gettime 228 113, clock_getres 229 114, gettimeofday 96 169,
time 201 -, times 100 153, getrusage 98 165, getrlimit 97 163, sysinfo 99 179, uname 63 160, getrandom 318 278,
getpid 39 172, getppid 110 173, getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177, getresuid 118 148,
getresgid 120 150, getgroups 115 158, getpgid 121 155, getpgrp 111 -, getsid 124 156
"""
"""The calls that computing needs: own memory, threads, clocks and signals, and files, which Landlock restricts
further."""

WEIGHED = """
clone 56 220, kill 62 129, tgkill 234 131, fcntl 72 25, ioctl 16 29, prctl 157 167, prlimit64 302 261,
socketpair 53 199, sendto 44 206, close_range 436 436, mmap 9 222
"""
"""Allowed for some arguments only."""

IGNORED = """
chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, utime 132 -, utimes 235 -, utimensat 280 88,
futimesat 261 -
"""
"""Reported as done, but not done: Landlock does not guard modes and times, and copying a file sets them."""

FORBIDDEN = """
fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, socket 41 198, connect 42 203, bind 49 200, sendmsg 46 211,
setsockopt 54 208, tkill 200 130, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54, link 86 -, linkat 265 37,
symlink 88 -, symlinkat 266 36, setrlimit 160 164, setpriority 141 140, sched_setaffinity 203 122, setuid 105 146,
setgid 106 144, setsid 112 157, setpgid 109 154, ptrace 101 117, mount 165 40, unshare 272 97
"""
"""Answered with `Operation not permitted`, a clearer error than the `not implemented` of all other calls."""

ATTRIBUTES = """
getxattr 191 8, lgetxattr 192 9, fgetxattr 193 10, listxattr 194 11, llistxattr 195 12, flistxattr 196 13,
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7
"""
"""Answered with `not supported`, as by a file system without extended attributes."""


def numbers(table: str, processor: str) -> dict[str, int]:
    """Returns the number of each call by name, for one of PROCESSORS."""
    column = 1 + PROCESSORS.index(processor)
    rows = [entry.split() for entry in table.split(",")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}
