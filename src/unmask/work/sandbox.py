"""A worker that is closed in, on Linux: it reaches no network, starts no programs, and writes in one folder.

Landlock (Linux 6.2 and later for all that is needed here) keeps writing inside the worker's own folder.
Seccomp refuses the system calls that open sockets, start programs, look into other processes or change a
file's owner, mode or times, which Landlock leaves free. Both need no rights and cannot be taken back by the
process. Reading stays free, as libraries and models lie anywhere. Numbers and layouts are those of the
kernel's headers.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from unmask.errors import SettingsError

_LEAST_LANDLOCK = 3  # the first that also keeps files from being cut short
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_GET_VERSION = 1
_BENEATH_PATH = 1
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
_CHANGES = _WRITE_FILE | sum(1 << bit for bit in range(4, 14)) | _TRUNCATE  # make, remove and move anything
_TCP = 0b11  # bind and connect, from version 4 on
_SCOPES = 0b11  # abstract UNIX sockets and signals, from version 6 on
_DEVICES = ("null", "nvidia*", "dri/*", "kfd", "accel/*")
"""Of ``/dev``, what may be written to: accelerators are used that way."""

_NO_NEW_RIGHTS = 38
_SET_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32 = 0x40000000  # from here on x86-64 has a second set of numbers

# Numbers of system calls: for x86-64 and for 64-bit ARM.
_ARCHES = {"x86_64": (0xC000003E, 317, 0), "aarch64": (0xC00000B7, 277, 1)}
"""How the kernel calls the processor, ``seccomp``, and the column below."""
_REFUSED = {
    "socket": (41, 198),
    "io_uring_setup": (425, 425),  # would do the work of other calls unseen
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "move_mount": (429, 429),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    # Only x86-64 has these, which others do by the ones above.
    "chmod": (90,),
    "chown": (92,),
    "lchown": (94,),
    "utime": (132,),
    "utimes": (235,),
    "futimesat": (261,),
}


def why_no_sandbox() -> str:
    """What this system lacks to close workers in; empty where it lacks nothing.

    Example:
        >>> isinstance(why_no_sandbox(), str)
        True
    """
    if sys.platform != "linux":
        return f"workers can be closed in on Linux only, not on {platform.system()}"
    if platform.machine() not in _ARCHES:
        return f"workers can be closed in on x86-64 and 64-bit ARM only, not on {platform.machine()}"
    version = _landlock_version()
    if version < _LEAST_LANDLOCK:
        found = f"version {version}" if version > 0 else "none"
        return f"the kernel must have Landlock of version {_LEAST_LANDLOCK} (Linux 6.2), got {found}"
    return ""


def require_sandbox() -> None:
    """Refuse to go on where the system cannot close workers in.

    Raises:
        SettingsError: It cannot; the message says what it lacks.
    """
    why = why_no_sandbox()
    if why:
        raise SettingsError(f"--sandbox require: {why}; --sandbox auto does without what is not there")


def close_in(scratch: Path | None, *, wholly: bool) -> None:
    """From now on this process, its threads and its children may write in one folder only, and reach nobody.

    Call it before threads are started: Landlock holds for the calling thread and those that it starts.

    Args:
        scratch: The folder; None allows none.
        wholly: Whether it must succeed; otherwise what the system does not do is left out.

    Raises:
        OSError: The system does not do it.
    """
    if sys.platform != "linux" or platform.machine() not in _ARCHES:
        if wholly:
            raise OSError(errno.ENOSYS, why_no_sandbox())
        return
    for step in (_renounce, partial(_close_files, scratch), _close_calls):
        with contextlib.suppress(*() if wholly else (OSError,)):
            step()


def _renounce() -> None:
    """No program that this process starts has more rights than it: what the other steps ask for."""
    _call(_libc().prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0), "prctl")


def _close_files(scratch: Path | None) -> None:
    version = _landlock_version()
    handled = [_CHANGES if version >= _LEAST_LANDLOCK else _CHANGES & ~_TRUNCATE]
    handled += [_TCP] if version >= 4 else []
    handled += [_SCOPES] if version >= 6 else []
    wanted = struct.pack(f"={len(handled)}Q", *handled)
    rules = _call(_system(_CREATE_RULESET, wanted, len(wanted), 0), "landlock_create_ruleset")
    try:
        allowed = [] if scratch is None else [(scratch, handled[0])]
        allowed += [(path, _WRITE_FILE) for name in _DEVICES for path in Path("/dev").glob(name)]
        for path, rights in allowed:
            _allow(rules, path, rights)
        _call(_system(_RESTRICT_SELF, rules, 0), "landlock_restrict_self")
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _call(
            _system(_ADD_RULE, rules, _BENEATH_PATH, struct.pack("=Qi", rights, place), 0),
            "landlock_add_rule",
        )
    finally:
        os.close(place)


def _close_calls() -> None:
    kernel_name, seccomp, column = _ARCHES[platform.machine()]
    numbers = [numbers[column] for numbers in _REFUSED.values() if column < len(numbers)]
    code = _program(kernel_name, numbers)
    kept = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
    _call(_system(seccomp, _SET_FILTER, _ALL_THREADS, program), "seccomp")


def _program(kernel_name: int, numbers: Sequence[int]) -> bytes:
    """The filter in the kernel's bytecode: other processors and the numbers are refused, the rest goes on."""
    refuse = len(numbers)  # how far it is from the first comparison to the refusal, less one
    lines = [
        (_LOAD, 0, 0, 4),  # which processor
        (_JUMP_EQUAL, 0, refuse + 3, kernel_name),
        (_LOAD, 0, 0, 0),  # which call
        (_JUMP_AT_LEAST, refuse + 1, 0, _X32),
        *((_JUMP_EQUAL, refuse - at, 0, number) for at, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _landlock_version() -> int:
    """0 or less where there is none."""
    return _system(_CREATE_RULESET, None, 0, _GET_VERSION)


def _system(number: int, *arguments: int | bytes | None) -> int:
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return int(_libc().syscall(ctypes.c_long(number), *given))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(answer: int, what: str) -> int:
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return answer
