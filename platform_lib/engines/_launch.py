"""Become another program that ends with the process which started it.

This file is run by its path under ``python -I -S``, never imported: it uses nothing but the standard library.
Doing this in a small program of its own, and not between fork and exec of the parent, keeps the parent free
to have threads.

Arguments: pid of the parent, signal to get when it dies, user id and group id (-1: stay), program, its
arguments.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _main() -> None:
    parent, death_signal, user, group = (int(word) for word in sys.argv[1:5])
    program = sys.argv[5]
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # The order matters: a change of user clears the death signal (prctl(2)), exec keeps it.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("the parent has gone")
    # Python ignores these two, and what is ignored stays so across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(program, sys.argv[5:])  # noqa: S606  # no shell is the point: the arguments arrive as they are


if __name__ == "__main__":
    _main()
