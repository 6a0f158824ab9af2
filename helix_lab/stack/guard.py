"""Starts one program so that it dies with its parent. Run as a file, without the package.

`python -I -S guard.py PARENT_PID UID GID PROGRAM ARGUMENTS…`; `-` keeps the user or group.
Linux sends SIGKILL to the program when the thread that started it ends; that thread must
therefore live as long as its process. Elsewhere the program is found and killed by the next
call of the stack.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_ORPHANED = 120


def _main(parent: str, uid: str, gid: str, program: str, *arguments: str) -> None:
    # All that Python needs is loaded before: another user may not be let to where it lies.
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    if gid != "-":
        os.setgroups([])
        os.setgid(int(gid))
    if uid != "-":
        os.setuid(int(uid))
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # last: a change of user clears it
    if os.getppid() != int(parent):
        sys.exit(_ORPHANED)
    os.execv(program, [program, *arguments])  # noqa: S606 - the point of this file


if __name__ == "__main__":
    _main(*sys.argv[1:])
